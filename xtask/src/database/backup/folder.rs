//! The folder with the backups of an environment.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use marker::Environment;

use super::manifest::Manifest;
use crate::cx::Cx;
use crate::environment;
use crate::exit::{Code, Problem};

/// Overrides the policy's `dir`.
const DIR: &str = "BACKUP_DIR";
/// Ending of what is not yet, or never became, a backup.
const PARTIAL: &str = "partial";
const LOCK: &str = ".lock";

/// `<dir>/<environment>/`, where each backup is a dump and a manifest of the same name.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
}

/// A manifest, and where it was read.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    pub(crate) manifest: Manifest,
}

impl Kept {
    /// Reads a manifest.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let manifest = Manifest::read(&path)?;
        Ok(Self { path, manifest })
    }

    /// The file with the data.
    pub(crate) fn dump(&self) -> PathBuf {
        self.path.with_file_name(&self.manifest.dump.file)
    }
}

impl Folder {
    /// Where backups of `environment` are; it need not be there.
    pub(crate) fn of(cx: &Cx, environment: Environment) -> Self {
        let dir = environment::var_os(DIR).map(PathBuf::from);
        let dir = dir.unwrap_or_else(|| PathBuf::from(&cx.policy.backup.dir));
        Self {
            path: cx.root.join(dir).join(environment.as_str()),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder, for its owner alone, takes its lock, and removes what dead runs left: the
    /// holder of the lock is the only one that may have a partial file.
    ///
    /// # Errors
    /// Exit 75 while another backup is made in it, exit 3 when it cannot be written to.
    pub(super) fn lock(&self) -> Result<File> {
        let failed = || {
            Problem::precondition(format!("failed to write to `{}`", self.path.display()))
                .help(format!("make it writable, or set {DIR} to another folder"))
        };
        (DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path))
        .with_context(failed)?;
        let lock = File::create(self.path.join(LOCK)).with_context(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                return Err(Problem::new(
                    Code::Busy,
                    format!("another backup is being made in `{}`", self.path.display()),
                )
                .help("wait for it, then run this again")
                .into());
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error).with_context(failed),
        }
        for file in self.with_ending(PARTIAL)? {
            std::fs::remove_file(&file).with_context(failed)?;
        }
        Ok(lock)
    }

    /// The manifests, the oldest first: their names are times.
    pub(crate) fn manifests(&self) -> Result<Vec<PathBuf>> {
        let mut files = self.with_ending("json")?;
        files.sort();
        Ok(files)
    }

    /// Those that can be read, the oldest first.
    pub(super) fn kept(&self) -> Result<Vec<Kept>> {
        Ok((self.manifests()?.iter())
            .filter_map(|path| Kept::read(path).ok())
            .collect())
    }

    /// A new file for one that will be called `name`.
    pub(super) fn partial(&self, name: &str) -> Result<Partial> {
        let path = self.path.join(format!("{name}.{PARTIAL}"));
        let made = File::options()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&path);
        made.with_context(|| {
            Problem::precondition(format!("failed to create `{}`", path.display()))
                .help("check free space and permissions")
        })?;
        Ok(Partial {
            done: self.path.join(name),
            path,
        })
    }

    fn with_ending(&self, ending: &str) -> Result<Vec<PathBuf>> {
        let entries = match std::fs::read_dir(&self.path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("failed to read `{}`", self.path.display()));
            }
        };
        let paths = entries.flatten().map(|entry| entry.path());
        Ok(paths
            .filter(|path| path.extension().is_some_and(|found| found == ending))
            .collect())
    }
}

/// A file that is removed again unless it is finished.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    done: PathBuf,
}

impl Partial {
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its later name, without the folder.
    pub(super) fn name(&self) -> String {
        self.done
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// What was written is on the disk when this returns.
    pub(super) fn sync(&self) -> Result<()> {
        let synced = File::open(&self.path).and_then(|file| file.sync_all());
        synced.with_context(|| failed(&self.path))
    }

    /// Gives it its name, for good.
    pub(super) fn finish(self) -> Result<PathBuf> {
        let folder = self.done.parent().unwrap_or(Path::new("."));
        std::fs::rename(&self.path, &self.done)
            .and_then(|()| File::open(folder)?.sync_all())
            .with_context(|| failed(&self.done))?;
        Ok(self.done.clone())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After its end it has another name; what cannot be removed the next start removes.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn failed(path: &Path) -> Problem {
    Problem::precondition(format!("failed to write `{}`", path.display()))
        .help("check the disk; no backup was made")
}
