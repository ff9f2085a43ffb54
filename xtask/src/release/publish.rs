//! The page of a release on GitHub: a draft, its files, a look at what arrived, and only then the
//! release. GitHub can make releases immutable, so nothing is added to a published one. A second run
//! takes up the draft that the first one left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use git2::{Oid, Repository};
use semver::Version;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use xshell::{Cmd, Shell, cmd};

use super::{audit, changelog, notes};
use crate::cli::say;
use crate::cx::{Cx, Shared, write_atomic};
use crate::exit::{Code, Problem};
use crate::process::Finished;
use crate::repo;

/// Uploads take as long as they take; a runner that hangs does not.
const LIMIT: Duration = Duration::from_mins(30);
/// Name of the file with the checksums of the others, as `sha256sum --check` reads it.
const CHECKSUMS: &str = "SHA256SUMS";

/// Publishes a tag that is here, with `files` beside the archive of its sources.
///
/// # Errors
/// Exit 1 where the tag is no sound release or what was uploaded is not what arrived, 3 without
/// history or notes and where GitHub refuses, 4 without `gh`.
pub(crate) fn publish(shared: &Arc<Shared>, name: &str, files: &[PathBuf]) -> Result<Code> {
    let repo = super::history(&shared.root)?;
    let (version, commit) = audit::sound(shared, &repo, name)?;
    let cx = Cx::new(shared, LIMIT);
    let hub = Hub {
        cx: &cx,
        shell: cx.shell()?,
        tag: name,
    };
    let found = hub.view()?;
    if let Some(page) = found.as_ref().filter(|page| !page.is_draft) {
        say(format!(
            "`{name}` is published already, and left alone: {}",
            page.url
        ))?;
        return Ok(Code::Done);
    }
    let notes = notes(shared, &repo, &version, commit)?;
    let files = pack(&hub, &repo, &version, files)?;
    hub.draft(&notes, !version.pre.is_empty(), found.is_some())?;
    hub.upload(&files)?;
    hub.compare(&files)?;
    let is_newest = version.pre.is_empty() && is_newest(&repo, &version)?;
    let page = hub.publish(is_newest)?;
    say(format!("published {}", page.url))?;
    Ok(Code::Done)
}

/// A file with what the changelog of the tag says of it.
fn notes(shared: &Shared, repo: &Repository, version: &Version, commit: Oid) -> Result<PathBuf> {
    let text = repo::file_at(repo, &shared.root, commit, changelog::FILE)?;
    let text = text.context("the tag has no changelog")?;
    let notes = notes::notes(Some(repo), &shared.root, &text, version)?;
    let file = shared.tmp().join("notes.md");
    write_atomic(&file, notes)?;
    Ok(file)
}

/// Whether no later release has a tag: GitHub takes whatever is published last for the latest.
fn is_newest(repo: &Repository, version: &Version) -> Result<bool> {
    let names = repo.tag_names(Some("v*")).context("failed to list tags")?;
    let mut later = names
        .iter()
        .flatten()
        .flatten()
        .filter_map(repo::release)
        .filter(|other| other.pre.is_empty() && other > version);
    Ok(later.next().is_none())
}

/// A file by its name: where it lies, and its SHA-256.
type Files = BTreeMap<String, (PathBuf, String)>;

/// The archive of the tag's sources, `extra`, and the checksums of all.
fn pack(hub: &Hub<'_>, repo: &Repository, version: &Version, extra: &[PathBuf]) -> Result<Files> {
    let page = repo::page(repo);
    let owner = page.as_deref().and_then(|page| page.rsplit('/').next());
    let folder = hub
        .cx
        .root
        .file_name()
        .map(|name| name.to_string_lossy().into_owned());
    let name = owner.map_or_else(|| folder.unwrap_or_default(), str::to_owned);
    let stem = format!("{}-{version}", name.replace(is_renamed, "-"));
    let archive = hub.cx.tmp().join(format!("{stem}.tar.gz"));
    let (shell, tag) = (&hub.shell, format!("refs/tags/{}", hub.tag));
    hub.run(cmd!(
        shell,
        "git archive --format=tar.gz --prefix={stem}/ --output={archive} {tag}"
    ))?;
    let mut files = Files::new();
    for path in [&archive].into_iter().chain(extra) {
        let path = hub.cx.root.join(path);
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        let name = name.with_context(|| format!("`{}` is no file", path.display()))?;
        if name.contains(is_renamed) {
            let message = format!("GitHub would rename `{name}`");
            return Err(Problem::new(Code::Usage, message)
                .help("name it with letters of ASCII, digits, `.`, `_` and `-`")
                .into());
        }
        if name == CHECKSUMS {
            let message = format!("`{CHECKSUMS}` is made here, over all files");
            return Err(Problem::new(Code::Usage, message)
                .help("leave it out, or give it another name")
                .into());
        }
        let sum = sha256(&path)?;
        if files.insert(name.clone(), (path, sum)).is_some() {
            return Err(
                Problem::new(Code::Usage, format!("two files are named `{name}`"))
                    .help("a release has one of each name")
                    .into(),
            );
        }
    }
    let list: Vec<_> = files
        .iter()
        .map(|(name, (_, sum))| format!("{sum}  {name}\n"))
        .collect();
    let sums = hub.cx.tmp().join(CHECKSUMS);
    write_atomic(&sums, list.concat())?;
    let sum = sha256(&sums)?;
    files.insert(CHECKSUMS.to_owned(), (sums, sum));
    Ok(files)
}

/// Characters that names of files do not keep on GitHub.
fn is_renamed(c: char) -> bool {
    !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
}

fn sha256(path: &Path) -> Result<String> {
    let failed = || {
        Problem::precondition(format!("failed to read `{}`", path.display()))
            .help("give files that were built")
    };
    let bytes = std::fs::read(path).with_context(failed)?;
    Ok(marker::hex(&Sha256::digest(bytes)))
}

/// `gh`, for one tag.
struct Hub<'a> {
    cx: &'a Cx,
    shell: Shell,
    tag: &'a str,
}

/// What GitHub has of the release.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    is_draft: bool,
    url: String,
}

impl Hub<'_> {
    /// `None` without a release.
    fn view(&self) -> Result<Option<Page>> {
        let (shell, tag) = (&self.shell, self.tag);
        let done = self.start(cmd!(shell, "gh release view {tag} --json isDraft,url"))?;
        if done.success() {
            let page = serde_json::from_slice(&done.stdout);
            return page
                .map(Some)
                .context("failed to read what `gh release view` says");
        }
        let said = done.stderr();
        if said.contains("release not found") {
            return Ok(None);
        }
        Err(refused("gh release view", &said))
    }

    /// A draft with these notes: the one that is there, or a new one.
    fn draft(&self, notes: &Path, is_candidate: bool, is_there: bool) -> Result<()> {
        let (shell, tag) = (&self.shell, self.tag);
        let pre = format!("--prerelease={is_candidate}");
        self.run(if is_there {
            cmd!(shell, "gh release edit {tag} --title {tag} --notes-file {notes} {pre}")
        } else {
            cmd!(
                shell,
                "gh release create {tag} --draft --verify-tag --title {tag} --notes-file {notes} {pre}"
            )
        })
        .map(drop)
    }

    fn upload(&self, files: &Files) -> Result<()> {
        let (shell, tag) = (&self.shell, self.tag);
        let paths = files.values().map(|(path, _)| path);
        self.run(cmd!(shell, "gh release upload {tag} {paths...} --clobber"))
            .map(drop)
    }

    /// Downloads what GitHub has: it must be these files, all of them and no other.
    fn compare(&self, files: &Files) -> Result<()> {
        let (shell, tag) = (&self.shell, self.tag);
        let folder = self.cx.tmp().join("downloaded");
        self.run(cmd!(shell, "gh release download {tag} --dir {folder}"))?;
        let mut arrived = BTreeMap::new();
        for entry in std::fs::read_dir(&folder).context("failed to list what was downloaded")? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            arrived.insert(name, sha256(&entry.path())?);
        }
        let mut wrong = Vec::new();
        for (name, (_, sum)) in files {
            match arrived.remove(name) {
                Some(other) if other == *sum => {}
                Some(other) => wrong.push(format!("`{name}` arrived as {other}, not as {sum}")),
                None => wrong.push(format!("`{name}` did not arrive")),
            }
        }
        wrong.extend(
            arrived
                .into_keys()
                .map(|name| format!("`{name}` is none of ours")),
        );
        if wrong.is_empty() {
            return Ok(());
        }
        let message = format!(
            "the draft of `{tag}` is not what was uploaded: {}",
            wrong.join("; ")
        );
        Err(Problem::new(Code::Red, message)
            .help(format!(
                "gh release delete {tag}, which removes the draft; then run this again"
            ))
            .into())
    }

    fn publish(&self, is_newest: bool) -> Result<Page> {
        let (shell, tag) = (&self.shell, self.tag);
        // Without a word of ours GitHub makes it the latest.
        let latest = (!is_newest).then_some("--latest=false");
        self.run(cmd!(
            shell,
            "gh release edit {tag} --draft=false {latest...}"
        ))?;
        let page = self.view()?.filter(|page| !page.is_draft);
        page.ok_or_else(|| {
            Problem::precondition(format!("GitHub still has `{tag}` as a draft"))
                .help(format!("gh release view {tag} --web"))
                .into()
        })
    }

    /// Runs a command to its end, whatever that is, and shows it before.
    fn start(&self, cmd: Cmd<'_>) -> Result<Finished> {
        say(format!("$ {cmd}"))?;
        self.cx.run(cmd)
    }

    fn run(&self, cmd: Cmd<'_>) -> Result<Finished> {
        let line = cmd.to_string();
        let done = self.start(cmd)?;
        if done.success() {
            return Ok(done);
        }
        Err(refused(&line, &done.stderr()))
    }
}

fn refused(line: &str, said: &str) -> anyhow::Error {
    let said = said.trim();
    Problem::precondition(format!("`{line}` failed: {said}"))
        .help("mend what it says, and run this again: it goes on with the draft (gh auth status)")
        .into()
}
