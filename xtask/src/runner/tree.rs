//! A copy of the workspace to break on purpose: own files, own git history, shared target directory.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use git2::{Oid, Repository, RepositoryInitOptions, Signature, Time};

use crate::report::slashed;

/// Where a planted violation must be reported. `None` where the finding has no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) file: Option<String>,
    pub(crate) line: Option<usize>,
}

impl Spot {
    pub(crate) fn line(file: &str, line: usize) -> Self {
        Self {
            file: Some(file.to_owned()),
            line: Some(line),
        }
    }

    pub(crate) fn file(file: &str) -> Self {
        Self {
            file: Some(file.to_owned()),
            line: None,
        }
    }

    pub(crate) fn nowhere() -> Self {
        Self {
            file: None,
            line: None,
        }
    }
}

/// The branch the copy stands on, one commit ahead of `main`.
const BRANCH: &str = "refs/heads/feat/prove";
const TRUNK: &str = "refs/heads/main";

#[derive(Debug)]
pub(crate) struct Tree {
    root: PathBuf,
    trunk: Oid,
    tip: Oid,
    /// What a plant changed, to be put back: `None` for a file that was not there.
    changed: RefCell<BTreeMap<String, Option<Vec<u8>>>>,
}

impl Tree {
    /// Brings the copy at `root` up to date with `files` of `from`. Files that are the same are not
    /// touched, so that cargo finds what it built for the copy before still fresh.
    pub(crate) fn mirror(from: &Path, files: &[String], root: &Path) -> Result<Self> {
        std::fs::create_dir_all(root)
            .with_context(|| format!("failed to create `{}`", root.display()))?;
        let root = &root
            .canonicalize()
            .with_context(|| format!("failed to find `{}`", root.display()))?;
        for file in files {
            let (source, copy) = (from.join(file), root.join(file));
            // A link leads where it leads; the copy needs none to be broken.
            if !source.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                continue;
            }
            make_way(root, file)?;
            let bytes =
                std::fs::read(&source).with_context(|| format!("failed to read `{file}`"))?;
            if std::fs::read(&copy).is_ok_and(|old| old == bytes) {
                continue;
            }
            put(&copy, Some(&bytes))?;
            std::fs::set_permissions(&copy, source.metadata()?.permissions())?;
        }
        let walk = walkdir::WalkDir::new(root)
            .into_iter()
            .filter_entry(|entry| entry.file_name() != ".git");
        for entry in walk {
            let entry = entry?;
            let relative = slashed(entry.path().strip_prefix(root)?);
            if entry.file_type().is_file() && files.binary_search(&relative).is_err() {
                std::fs::remove_file(entry.path())?;
            }
        }
        let (trunk, tip) = history(root).context("failed to give the copy a git history")?;
        Ok(Self {
            root: root.to_owned(),
            trunk,
            tip,
            changed: RefCell::default(),
        })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn read(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(self.root.join(file))
            .with_context(|| format!("failed to read `{file}`"))
    }

    /// Files below the root whose path starts with `prefix` and ends with `suffix`, sorted.
    pub(crate) fn find(&self, prefix: &str, suffix: &str) -> Vec<String> {
        crate::repo::files(&self.root)
            .unwrap_or_default()
            .into_iter()
            .filter(|file| file.starts_with(prefix) && file.ends_with(suffix))
            .collect()
    }

    /// A source file that little depends on, so that breaking it rebuilds little: of an app, else of
    /// any member but this crate.
    pub(crate) fn leaf(&self) -> Result<String> {
        let mut sources = self.find("apps/", "/src/lib.rs");
        sources.extend(
            self.find("", "src/lib.rs")
                .into_iter()
                .filter(|file| !file.starts_with("xtask/")),
        );
        sources.extend(
            self.find("", "src/main.rs")
                .into_iter()
                .filter(|file| !file.starts_with("xtask/")),
        );
        sources
            .into_iter()
            .next()
            .context("no source file to plant in")
    }

    /// Writes a file; what was there comes back with [`Tree::restore`].
    pub(crate) fn write(&self, file: &str, text: &str) -> Result<Spot> {
        self.change(file, Some(text.as_bytes()))?;
        Ok(Spot::file(file))
    }

    pub(crate) fn remove(&self, file: &str) -> Result<Spot> {
        self.change(file, None)?;
        Ok(Spot::file(file))
    }

    /// Appends `text`; the spot is its first line.
    pub(crate) fn append(&self, file: &str, text: &str) -> Result<Spot> {
        let old = self.read(file)?;
        let line = old.lines().count() + 1;
        self.write(file, &format!("{}\n{text}", old.trim_end_matches('\n')))?;
        Ok(Spot::line(file, line))
    }

    /// Replaces the first `from`; the spot is its line.
    pub(crate) fn replace(&self, file: &str, from: &str, to: &str) -> Result<Spot> {
        let old = self.read(file)?;
        let Some(at) = old.find(from) else {
            bail!("`{file}` has no `{from}` to plant over")
        };
        let line = old[..at].matches('\n').count() + 1;
        self.write(file, &old.replacen(from, to, 1))?;
        Ok(Spot::line(file, line))
    }

    fn change(&self, file: &str, bytes: Option<&[u8]>) -> Result<()> {
        let path = self.root.join(file);
        self.changed
            .borrow_mut()
            .entry(file.to_owned())
            .or_insert_with(|| std::fs::read(&path).ok());
        put(&path, bytes)
    }

    pub(crate) fn repo(&self) -> Result<Repository> {
        Repository::open(&self.root).context("failed to open the copy's repository")
    }

    /// Points HEAD at a new branch on the current commit.
    pub(crate) fn rename_branch(&self, name: &str) -> Result<()> {
        let repo = self.repo()?;
        let full = format!("refs/heads/{name}");
        repo.reference(&full, self.tip, true, "plant")?;
        repo.set_head(&full)?;
        Ok(())
    }

    /// A commit on HEAD with the given parents, made `days` ago; the work tree stays as it is.
    pub(crate) fn commit(&self, parents: &[Oid], days: i64) -> Result<Oid> {
        commit(&self.repo()?, "HEAD", parents, days)
    }

    /// Makes `file`, as it is now, part of what trunk and the branch have.
    pub(crate) fn merge(&self, file: &str) -> Result<()> {
        let repo = self.repo()?;
        let mut index = repo.index()?;
        index.add_path(Path::new(file))?;
        index.write()?;
        let trunk = commit(&repo, TRUNK, &[self.trunk], 0)?;
        repo.reference(BRANCH, trunk, true, "plant")?;
        commit(&repo, BRANCH, &[trunk], 0)?;
        Ok(())
    }

    pub(crate) fn trunk(&self) -> Oid {
        self.trunk
    }

    pub(crate) fn tip(&self) -> Oid {
        self.tip
    }

    /// Undoes every plant, files and git.
    pub(crate) fn restore(&self) -> Result<()> {
        for (file, bytes) in std::mem::take(&mut *self.changed.borrow_mut()) {
            put(&self.root.join(file), bytes.as_deref())?;
        }
        let repo = self.repo()?;
        repo.reference(TRUNK, self.trunk, true, "restore")?;
        repo.reference(BRANCH, self.tip, true, "restore")?;
        repo.set_head(BRANCH)?;
        let mut index = repo.index()?;
        index.read_tree(&repo.find_commit(self.tip)?.tree()?)?;
        index.write()?;
        Ok(())
    }
}

/// Removes what an older copy has in the way: a folder where a file comes, a file where a folder does.
fn make_way(root: &Path, file: &str) -> Result<()> {
    let path = root.join(file);
    if path.is_dir() {
        std::fs::remove_dir_all(&path)?;
    }
    for above in path
        .ancestors()
        .skip(1)
        .take_while(|above| above.starts_with(root))
    {
        if above.is_file() {
            std::fs::remove_file(above)?;
        }
    }
    Ok(())
}

fn put(path: &Path, bytes: Option<&[u8]>) -> Result<()> {
    let done = match bytes {
        Some(bytes) => path
            .parent()
            .map_or(Ok(()), std::fs::create_dir_all)
            .and_then(|()| std::fs::write(path, bytes)),
        None => std::fs::remove_file(path),
    };
    done.with_context(|| format!("failed to write `{}`", path.display()))
}

/// A fresh history: everything in one commit on `main`, and the branch one empty commit ahead.
fn history(root: &Path) -> Result<(Oid, Oid)> {
    let git = root.join(".git");
    if git.exists() {
        std::fs::remove_dir_all(&git)?;
    }
    let mut options = RepositoryInitOptions::new();
    options.initial_head("main").external_template(false);
    let repo = Repository::init_opts(root, &options)?;
    let mut index = repo.index()?;
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let trunk = commit(&repo, TRUNK, &[], 1)?;
    repo.set_head(TRUNK)?;
    repo.reference(BRANCH, trunk, true, "branch")?;
    let tip = commit(&repo, BRANCH, &[trunk], 0)?;
    repo.set_head(BRANCH)?;
    Ok((trunk, tip))
}

fn commit(repo: &Repository, reference: &str, parents: &[Oid], days: i64) -> Result<Oid> {
    let when = Time::new(jiff::Timestamp::now().as_second() - days * 86_400, 0);
    let author = Signature::new("prove", "prove@localhost", &when)?;
    let tree = repo.find_tree(repo.index()?.write_tree()?)?;
    let parents = parents
        .iter()
        .map(|oid| repo.find_commit(*oid))
        .collect::<Result<Vec<_>, _>>()?;
    let parents: Vec<_> = parents.iter().collect();
    Ok(repo.commit(Some(reference), &author, &author, "prove", &tree, &parents)?)
}
