//! What git knows, read with libgit2: files, branch, base. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context as _, Result};
use git2::{
    BranchType, ErrorCode, Oid, Repository, Status, StatusEntry, StatusOptions, Submodule,
    SubmoduleIgnore, SubmoduleStatus,
};
use semver::Version;

use crate::exit::Problem;
use crate::report::slashed;

/// Opens the repository that `root` is the top of or lies in; `None` without one.
pub(crate) fn open(root: &Path) -> Result<Option<Repository>> {
    match Repository::discover(root) {
        Ok(repo) if repo.workdir().is_some() => Ok(Some(repo)),
        Ok(_) => Ok(None),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) if error.code() == ErrorCode::Owner => Err(anyhow::Error::new(error).context(
            Problem::precondition("git refuses a folder of another owner").help(format!(
                "git config --global --add safe.directory '{}'",
                root.display()
            )),
        )),
        Err(error) => Err(error).context("failed to open the git repository"),
    }
}

/// Every file git tracks below `root`, and every untracked one it does not ignore, as long as it
/// exists; without git every file outside `target/` and `node_modules/`. Relative, sorted, with `/`.
pub(crate) fn files(root: &Path) -> Result<Vec<String>> {
    let mut files = BTreeSet::new();
    if let Some(repo) = open(root)? {
        let top = repo.workdir().context("no work tree")?.canonicalize()?;
        let below = root.canonicalize()?;
        let prefix = below
            .strip_prefix(&top)
            .unwrap_or(Path::new(""))
            .to_string_lossy()
            .into_owned();
        let mut add = |path: &str| {
            let path = if prefix.is_empty() {
                Some(path)
            } else {
                path.strip_prefix(&prefix)
                    .and_then(|rest| rest.strip_prefix('/'))
            };
            if let Some(path) = path
                && root
                    .join(path)
                    .symlink_metadata()
                    .is_ok_and(|meta| !meta.is_dir())
            {
                files.insert(path.to_owned());
            }
        };
        for entry in repo.index().context("failed to read the git index")?.iter() {
            add(&String::from_utf8_lossy(&entry.path));
        }
        let mut options = StatusOptions::new();
        options
            .include_untracked(true)
            .recurse_untracked_dirs(true)
            .exclude_submodules(true);
        for entry in repo
            .statuses(Some(&mut options))
            .context("failed to read the git status")?
            .iter()
        {
            if entry.status().contains(Status::WT_NEW) {
                add(&String::from_utf8_lossy(entry.path_bytes()));
            }
        }
    } else {
        return walk(root);
    }
    Ok(files.into_iter().collect())
}

/// What git leaves out of commits below `folder`: it is ignored, and was not added all the same.
/// `folder` may be one file; paths are relative to `root`.
pub(crate) fn ignored(repo: &Repository, root: &Path, folder: &str) -> Result<BTreeSet<String>> {
    let prefix = prefix(repo, root)?;
    let mut options = StatusOptions::new();
    options
        .include_ignored(true)
        .recurse_ignored_dirs(true)
        .include_untracked(true)
        .recurse_untracked_dirs(true)
        .exclude_submodules(true)
        .disable_pathspec_match(true)
        .pathspec(format!("{prefix}{folder}"));
    let statuses = repo
        .statuses(Some(&mut options))
        .with_context(|| format!("failed to ask git for `{folder}`"))?;
    let ignored = statuses.iter().filter(|entry| entry.status().is_ignored());
    Ok(ignored
        .filter_map(|entry| {
            let path = String::from_utf8_lossy(entry.path_bytes()).into_owned();
            path.strip_prefix(&prefix).map(str::to_owned)
        })
        .collect())
}

/// Every file below `root` outside `target/`, `.git/` and `node_modules/`: relative, sorted, with `/`.
pub(crate) fn walk(root: &Path) -> Result<Vec<String>> {
    let mut files = BTreeSet::new();
    let walk = walkdir::WalkDir::new(root)
        .into_iter()
        .filter_entry(|entry| {
            let name = entry.file_name().to_string_lossy();
            entry.depth() == 0
                || !(entry.file_type().is_dir()
                    && (name == "target" || name == ".git" || name == "node_modules"))
        });
    for entry in walk {
        let entry = entry.with_context(|| format!("failed to list `{}`", root.display()))?;
        if !entry.file_type().is_dir()
            && let Ok(path) = entry.path().strip_prefix(root)
        {
            files.insert(slashed(path));
        }
    }
    Ok(files.into_iter().collect())
}

/// Where HEAD stands.
#[derive(Debug, Default)]
pub(crate) struct Head {
    pub(crate) commit: Option<String>,
    /// `None` when detached.
    pub(crate) branch: Option<String>,
    /// Where work tree or index differ from the commit: paths in the repository, without submodules.
    pub(crate) changed: Vec<String>,
    /// Submodules at another commit than it names, or not clean in themselves.
    pub(crate) submodules: Vec<String>,
}

impl Head {
    /// All that differs from the commit.
    pub(crate) fn dirty(&self) -> impl Iterator<Item = &str> {
        self.changed
            .iter()
            .chain(&self.submodules)
            .map(String::as_str)
    }
}

pub(crate) fn head(root: &Path) -> Result<Head> {
    let Some(repo) = open(root)? else {
        return Ok(Head::default());
    };
    let mut options = StatusOptions::new();
    options.include_untracked(true).exclude_submodules(true);
    let statuses = repo
        .statuses(Some(&mut options))
        .context("failed to read the git status")?;
    let path = |entry: StatusEntry<'_>| String::from_utf8_lossy(entry.path_bytes()).into_owned();
    let changed = statuses.iter().map(path).collect();
    // Of an unborn branch HEAD still names it.
    let reference = repo.find_reference("HEAD").context("failed to read HEAD")?;
    let branch = reference
        .symbolic_target()
        .ok()
        .flatten()
        .and_then(|name| name.strip_prefix("refs/heads/"))
        .map(str::to_owned);
    let commit = repo
        .head()
        .ok()
        .and_then(|head| head.peel_to_commit().ok())
        .map(|commit| commit.id().to_string());
    Ok(Head {
        commit,
        branch,
        changed,
        submodules: submodules(&repo)?,
    })
}

/// Paths of the submodules that are not what HEAD names, whatever git is told to leave out. One that
/// is not checked out is no difference; one that cannot be read may be any.
fn submodules(repo: &Repository) -> Result<Vec<String>> {
    let same = SubmoduleStatus::IN_HEAD
        | SubmoduleStatus::IN_INDEX
        | SubmoduleStatus::IN_CONFIG
        | SubmoduleStatus::IN_WD
        | SubmoduleStatus::WD_UNINITIALIZED;
    let all = repo.submodules().context("failed to list the submodules")?;
    let differs = |submodule: &Submodule<'_>| {
        let name = String::from_utf8_lossy(submodule.name_bytes());
        let status = repo.submodule_status(&name, SubmoduleIgnore::None);
        !status.is_ok_and(|status| same.contains(status))
    };
    let path = |submodule: &Submodule<'_>| submodule.path().to_string_lossy().into_owned();
    Ok(all.iter().filter(|one| differs(one)).map(path).collect())
}

/// Names of the tags of HEAD's commit, annotated or not.
pub(crate) fn tags_at_head(root: &Path) -> Result<Vec<String>> {
    let Some(repo) = open(root)? else {
        return Ok(Vec::new());
    };
    let Ok(head) = repo.head().and_then(|head| head.peel_to_commit()) else {
        return Ok(Vec::new());
    };
    let mut tags = Vec::new();
    let references = repo.references_glob("refs/tags/*");
    for reference in references.context("failed to read the tags")? {
        let reference = reference.context("failed to read the tags")?;
        // A tag may name a file, and a name need not be UTF-8: neither is a release.
        let is_here = (reference.peel_to_commit()).is_ok_and(|commit| commit.id() == head.id());
        if is_here && let Ok(name) = reference.shorthand() {
            tags.push(name.to_owned());
        }
    }
    Ok(tags)
}

/// The commit a change is measured against.
#[derive(Debug)]
pub(crate) struct Base {
    pub(crate) commit: Option<Oid>,
    /// Where trunk stands now; it may have gone on since the base.
    pub(crate) tip: Option<Oid>,
    /// HEAD, where that is trunk's own: only what is not committed yet may differ from it.
    pub(crate) head: Option<Oid>,
    /// How it was found, for people.
    pub(crate) how: String,
}

/// Finds the merge base with trunk. On trunk itself it is the commit before. `None` only where
/// there is nothing older; a base that is not here is an error, never a guess.
pub(crate) fn base(repo: &Repository, trunk: &str) -> Result<Base> {
    let found = |commit, tip, how: &str| {
        Ok(Base {
            commit,
            tip,
            head: None,
            how: how.to_owned(),
        })
    };
    let Ok(head) = repo.head().and_then(|head| head.peel_to_commit()) else {
        return found(None, None, "no commit yet");
    };
    let missing = |what: &str| {
        let (why, help) = if repo.is_shallow() {
            (
                "this is a shallow clone: ",
                "git fetch --unshallow origin (in a workflow: `fetch-depth: 0`)".to_owned(),
            )
        } else {
            (
                "",
                format!(
                    "git fetch origin {trunk}:refs/remotes/origin/{trunk}, or set `branch.trunk` in `xtask.toml`"
                ),
            )
        };
        anyhow::Error::new(Problem::precondition(format!("{why}{what}")).help(help))
    };
    let mut on_trunk = None;
    for name in [format!("origin/{trunk}"), trunk.to_owned()] {
        let Ok(tip) = repo
            .revparse_single(&name)
            .and_then(|object| object.peel_to_commit())
        else {
            continue;
        };
        match repo.merge_base(head.id(), tip.id()) {
            // HEAD is trunk, or an older commit of it.
            Ok(common) if common == head.id() => on_trunk = Some(tip.id()),
            Ok(common) => {
                return found(
                    Some(common),
                    Some(tip.id()),
                    &format!("merge base with {name}"),
                );
            }
            Err(_) => {
                return Err(missing(&format!(
                    "HEAD and `{name}` have no commit in common here"
                )));
            }
        }
    }
    if on_trunk.is_none() {
        return Err(missing(&format!(
            "there is no `{trunk}` here to compare with"
        )));
    }
    let (commit, how) = match head.parent_id(0) {
        Ok(parent) if repo.find_commit(parent).is_ok() => {
            (Some(parent), "the commit before HEAD on trunk")
        }
        _ if repo.is_shallow() => return Err(missing("the commit before HEAD is not in it")),
        _ => (None, "the first commit"),
    };
    Ok(Base {
        commit,
        tip: on_trunk,
        head: Some(head.id()),
        how: how.to_owned(),
    })
}

/// The folder of `root` in the repository: empty, or with a `/` at its end.
pub(crate) fn prefix(repo: &Repository, root: &Path) -> Result<String> {
    let top = repo.workdir().context("no work tree")?.canonicalize()?;
    let root = root.canonicalize()?;
    let below = root.strip_prefix(&top).unwrap_or(Path::new(""));
    let below = slashed(below);
    Ok(if below.is_empty() {
        below
    } else {
        format!("{below}/")
    })
}

/// The text of a file below `root` as a commit has it; `None` where it has none.
pub(crate) fn file_at(
    repo: &Repository,
    root: &Path,
    commit: Oid,
    file: &str,
) -> Result<Option<String>> {
    let path = format!("{}{file}", prefix(repo, root)?);
    match repo.find_commit(commit)?.tree()?.get_path(Path::new(&path)) {
        Ok(entry) => text_of(repo, entry.id()).map(Some),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("failed to read `{file}` of a commit")),
    }
}

/// The text that a merge of two commits would give a file below `root`; `None` where it has none, or
/// leaves it to a person. Nothing is written.
pub(crate) fn file_merged(
    repo: &Repository,
    root: &Path,
    (ours, theirs): (Oid, Oid),
    file: &str,
) -> Result<Option<String>> {
    let path = format!("{}{file}", prefix(repo, root)?);
    // libgit2 stores what it merges. Here that is in memory, of a handle that is then gone.
    let repo = Repository::open(repo.path())?;
    let odb = repo.odb()?;
    odb.add_new_mempack_backend(1000)?;
    let (ours, theirs) = (repo.find_commit(ours)?, repo.find_commit(theirs)?);
    let merged = repo
        .merge_commits(&ours, &theirs, None)
        .context("failed to try the merge into trunk")?;
    match merged.get_path(Path::new(&path), 0) {
        Some(entry) => text_of(&repo, entry.id).map(Some),
        None => Ok(None),
    }
}

fn text_of(repo: &Repository, blob: Oid) -> Result<String> {
    let blob = repo
        .find_blob(blob)
        .context("failed to read a file of git")?;
    Ok(String::from_utf8_lossy(blob.content()).into_owned())
}

/// The version that a release's tag names: `vX.Y.Z`, or a candidate, `vX.Y.Z-rc.N`.
pub(crate) fn release(tag: &str) -> Option<Version> {
    let version = Version::parse(tag.strip_prefix('v')?).ok()?;
    let number = version.pre.strip_prefix("rc.");
    let is_candidate =
        number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    (version.build.is_empty() && (version.pre.is_empty() || is_candidate)).then_some(version)
}

/// The newest release tag, `vX.Y.Z`, that `commit` has behind it, and the commit it is of. The history
/// is walked once, and mostly not far.
pub(crate) fn last_release(repo: &Repository, commit: Oid) -> Result<Option<(String, Oid)>> {
    let names = repo.tag_names(Some("v*")).context("failed to list tags")?;
    let mut tagged: BTreeMap<Oid, (Version, &str)> = BTreeMap::new();
    for name in names.iter().flatten().flatten() {
        let Some(version) = release(name).filter(|version| version.pre.is_empty()) else {
            continue;
        };
        let object = repo.revparse_single(&format!("refs/tags/{name}"));
        let Ok(on) = object.and_then(|object| object.peel_to_commit()) else {
            continue;
        };
        let known = tagged.get(&on.id());
        if known.is_none_or(|(known, _)| *known < version) {
            tagged.insert(on.id(), (version, name));
        }
    }
    let newest = tagged.values().map(|(version, _)| version).max();
    let mut found: Option<(&Version, &str, Oid)> = None;
    if newest.is_some() {
        let mut walk = repo.revwalk()?;
        walk.push(commit)?;
        for commit in walk {
            let commit = commit.context("failed to read the history")?;
            let Some((version, name)) = tagged.get(&commit) else {
                continue;
            };
            if found.is_none_or(|(known, ..)| known < version) {
                found = Some((version, name, commit));
            }
            if newest == Some(version) {
                break;
            }
        }
    }
    Ok(found.map(|(_, name, commit)| (name.to_owned(), commit)))
}

/// The commit of a tag that `commit` has behind it, or is.
pub(crate) fn tagged_behind(repo: &Repository, tag: &str, commit: Oid) -> Result<Option<Oid>> {
    let object = repo.revparse_single(&format!("refs/tags/{tag}"));
    let Ok(tagged) = object.and_then(|object| object.peel_to_commit()) else {
        return Ok(None);
    };
    let is_behind = tagged.id() == commit || repo.graph_descendant_of(commit, tagged.id())?;
    Ok(is_behind.then_some(tagged.id()))
}

/// Names of what lies in a folder below `root` as a commit has it; none without such a folder.
pub(crate) fn names_at(
    repo: &Repository,
    root: &Path,
    commit: Oid,
    folder: &str,
) -> Result<Vec<String>> {
    let path = format!("{}{folder}", prefix(repo, root)?);
    let entry = match repo.find_commit(commit)?.tree()?.get_path(Path::new(&path)) {
        Ok(entry) => entry,
        Err(error) if error.code() == ErrorCode::NotFound => return Ok(Vec::new()),
        Err(error) => {
            return Err(error).with_context(|| format!("failed to read `{folder}` of a commit"));
        }
    };
    let tree = entry.to_object(repo)?.peel_to_tree()?;
    let names = tree
        .iter()
        .map(|entry| String::from_utf8_lossy(entry.name_bytes()).into_owned());
    Ok(names.collect())
}

/// Whether there is such a branch, here or on `origin`.
pub(crate) fn has_branch(repo: &Repository, name: &str) -> bool {
    repo.find_branch(name, BranchType::Local).is_ok()
        || repo
            .find_branch(&format!("origin/{name}"), BranchType::Remote)
            .is_ok()
}

/// The page of the repository, `https://host/owner/name`, after the remote `origin`; `None` where
/// that is no address of a forge.
pub(crate) fn page(repo: &Repository) -> Option<String> {
    let origin = repo.find_remote("origin").ok()?;
    page_of(origin.url().ok()?)
}

fn page_of(url: &str) -> Option<String> {
    let web = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let other = ["ssh://", "git+ssh://", "git://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    // Without a scheme it is `user@host:owner/name`, as scp writes it.
    let (host, path) = match web.or(other) {
        Some(rest) => rest.split_once('/')?,
        None => url.split_once(':')?,
    };
    let host = host.rsplit('@').next()?;
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    // The port of another protocol is not that of the page, and these two hosts have none but ssh.
    let host = match (web, name) {
        (Some(_), _) if !port.is_empty() => host,
        (None, "ssh.github.com") => "github.com",
        (None, "altssh.gitlab.com") => "gitlab.com",
        _ => name,
    };
    // What no domain ends with, `github.com-work`, is an alias of somebody's ssh.
    let (_, end) = name.rsplit_once('.')?;
    let is_domain = !end.contains('-') || end.starts_with("xn--");
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_forge = is_domain && path.contains('/') && !path.contains(char::is_whitespace);
    let scheme = if url.starts_with("http://") && !port.is_empty() {
        "http"
    } else {
        "https"
    };
    is_forge.then(|| format!("{scheme}://{host}/{path}"))
}

#[cfg(test)]
mod tests {
    use super::{page_of, release};

    #[test]
    fn the_page_of_a_remote() {
        let page = Some("https://github.com/owner/name".to_owned());
        for url in [
            "https://github.com/owner/name.git",
            "https://user:secret@github.com/owner/name",
            "git@github.com:owner/name.git",
            "ssh://git@github.com:2222/owner/name.git",
            "ssh://git@ssh.github.com:443/owner/name.git",
            "http://github.com/owner/name/",
        ] {
            assert_eq!(page_of(url), page, "{url}");
        }
        for (url, page) in [
            (
                "https://git.host.example:8443/o/n",
                "https://git.host.example:8443/o/n",
            ),
            ("http://10.0.0.1:3000/o/n.git", "http://10.0.0.1:3000/o/n"),
            (
                "git@altssh.gitlab.com:g/o/n.git",
                "https://gitlab.com/g/o/n",
            ),
        ] {
            assert_eq!(page_of(url).as_deref(), Some(page), "{url}");
        }
        for url in [
            "/srv/git/name.git",
            "../name",
            "C:\\git\\name",
            "file:///srv/name",
            "host:name",
            "git@work:owner/name.git",
            "git@github.com-work:owner/name.git",
        ] {
            assert_eq!(page_of(url), None, "{url}");
        }
    }

    #[test]
    fn a_release_is_a_version_or_its_candidate() {
        for tag in ["v1.2.3", "v0.1.0-rc.1", "v10.0.0-rc.12"] {
            assert!(release(tag).is_some(), "{tag}");
        }
        for tag in [
            "1.2.3",
            "v1.2",
            "v1.2.3-beta.1",
            "v1.2.3-rc",
            "v1.2.3-rc.",
            "v1.2.3-rc.1.2",
            "v1.2.3+5",
            "v01.2.3",
            "vnext",
            "",
        ] {
            assert!(release(tag).is_none(), "{tag}");
        }
    }
}
