//! The index of a release: what is staged, by git's own protocol of its lock.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::apply::Release;
use super::journal::Way;
use crate::exit::Problem;

impl Release<'_> {
    /// Puts the new blobs into the index, and learns the tree that they make.
    pub(super) fn stage(&mut self) -> Result<()> {
        let draft = self.folder.file("index.new");
        let git = self.git.with("GIT_INDEX_FILE", draft.to_string_lossy());
        if self.journal.way == Way::Direct {
            if self.journal.tree.is_some() && self.index_tree()? == self.journal.tree {
                return Ok(());
            }
            let _ = fs::remove_file(&draft);
            fs::copy(self.folder.file("index"), &draft).context("failed to copy the index")?;
        } else {
            git.run(&["read-tree", &self.journal.plan.parent], b"")?;
        }
        let mut info = Vec::new();
        for change in &self.journal.plan.files {
            let blob = self
                .git
                .run(&["hash-object", "-w", "--stdin"], change.after.as_bytes())?;
            let blob = String::from_utf8_lossy(&blob).trim().to_owned();
            let listed = git.run(
                &[
                    "ls-files",
                    "--stage",
                    "-z",
                    "--",
                    &format!(":(top,literal){}", change.path),
                ],
                b"",
            )?;
            let mode = String::from_utf8_lossy(&listed)
                .split(' ')
                .next()
                .map(str::to_owned);
            let mode = mode.filter(|mode| !mode.is_empty()).with_context(|| {
                Problem::precondition(format!("`{}` is not in the index", change.path))
            })?;
            info.extend(format!("{mode} {blob}\t{}\0", change.path).into_bytes());
        }
        git.run(&["update-index", "-z", "--index-info"], &info)?;
        if self.journal.way == Way::Direct {
            // It fails when other files differ, which is not its question.
            let _ = git.try_run(&["update-index", "-q", "--refresh"], b"")?;
        }
        self.journal.tree = Some(git.line(&["write-tree"])?);
        if self.journal.way == Way::Direct {
            // The draft stays for the hooks.
            self.install("index.new")?;
        }
        Ok(())
    }

    /// Makes a file of the journal the index, by git's own protocol: who has `index.lock` may write.
    pub(super) fn install(&self, name: &str) -> Result<()> {
        let from = self.folder.file(name);
        let index = self.git.path("index")?;
        let lock = self.git.path("index.lock")?;
        File::open(&from)
            .and_then(|file| file.sync_all())
            .context("failed to write the index")?;
        self.unlock(&lock)?;
        fs::hard_link(&from, &lock).with_context(|| {
            Problem::precondition(format!(
                "failed to lock the index with `{}`",
                lock.display()
            ))
            .help("another git may be at work here; if none is, remove that file")
        })?;
        fs::rename(&lock, &index).context("failed to write the index")?;
        // A rename of one link over another of the same file does nothing.
        let _ = fs::remove_file(&lock);
        Ok(())
    }

    /// Removes a lock of the index that a killed run of this release left.
    pub(super) fn unlock(&self, lock: &Path) -> Result<()> {
        let inode = |path: &Path| fs::metadata(path).ok().map(|meta| (meta.dev(), meta.ino()));
        let ours = ["index", "index.new"].map(|name| inode(&self.folder.file(name)));
        if inode(lock).is_some_and(|found| ours.contains(&Some(found))) {
            fs::remove_file(lock).context("failed to unlock the index")?;
        }
        Ok(())
    }

    /// The tree that the index makes. Git is shown a copy, so that it takes no lock of the index.
    pub(super) fn index_tree(&self) -> Result<Option<String>> {
        let look = self.folder.file("look");
        fs::copy(self.git.path("index")?, &look).context("failed to copy the index")?;
        self.tree_of("look")
    }

    /// The tree of an index among the files of the journal; `None` where it is missing, or torn.
    pub(super) fn tree_of(&self, name: &str) -> Result<Option<String>> {
        let index = self.folder.file(name);
        if !index.exists() {
            return Ok(None);
        }
        let git = self.git.with("GIT_INDEX_FILE", index.to_string_lossy());
        let output = git.try_run(&["write-tree"], b"")?;
        let tree = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Ok(output.status.success().then_some(tree))
    }
}
