//! The folder with the backups of an environment.

use std::fs::{DirBuilder, File};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use marker::{Environment, Identity};
use sha2::{Digest as _, Sha256};

use super::manifest::Manifest;
use crate::cx::Cx;
use crate::environment;
use crate::exit::{Code, Problem};

/// Overrides the policy's `dir`.
const DIR: &str = "BACKUP_DIR";
/// Ending of what is not yet, or never became, a backup.
const PARTIAL: &str = "partial";
const MANIFEST: &str = "json";
/// Endings of dumps, of either engine.
const DUMPS: [&str; 2] = ["dump", "sqlite"];
const LOCK: &str = ".lock";

/// `<dir>/<environment>/`, where each backup is a dump and a manifest of the same name: the moment of
/// its data, and a tag of its database.
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

    /// Makes the folder, for its owner alone, takes the lock of that database in it, and removes
    /// what dead runs of that database left.
    ///
    /// # Errors
    /// Exit 75 while another backup of it is made there, exit 3 when it cannot be written to.
    pub(super) fn take(&self, of: &Identity) -> Result<Place> {
        let failed = || {
            Problem::precondition(format!("failed to write to `{}`", self.path.display()))
                .help(format!("make it writable, or set {DIR} to another folder"))
        };
        (DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.path))
        .with_context(failed)?;
        let tag = tag(of);
        let lock = File::create(self.path.join(format!("{LOCK}-{tag}"))).with_context(failed)?;
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
        self.sweep(&tag).with_context(failed)?;
        Ok(Place {
            folder: self.path.clone(),
            tag,
            _lock: lock,
        })
    }

    /// Removes what has not become a backup. Where a manifest waits for its name, its dump may have
    /// had it already.
    fn sweep(&self, tag: &str) -> Result<()> {
        for file in self.with_ending(PARTIAL)? {
            let done = file.with_extension("");
            let stem = done.with_extension("");
            if !stem.to_string_lossy().ends_with(&format!("-{tag}")) {
                continue;
            }
            if done.extension().is_some_and(|ending| ending == MANIFEST) && !done.exists() {
                for ending in DUMPS {
                    gone(&done.with_extension(ending))?;
                }
            }
            gone(&file)?;
        }
        Ok(())
    }

    /// The backups whose manifest can be read, of whatever database, the oldest data first.
    pub(crate) fn kept(&self) -> Result<Vec<Kept>> {
        let mut kept: Vec<Kept> = (self.with_ending(MANIFEST)?.iter())
            .filter_map(|path| Kept::read(path).ok())
            .collect();
        kept.sort_by_key(|kept| kept.manifest.created_at);
        Ok(kept)
    }

    /// Manifests of that database, by their names, that cannot be read.
    pub(crate) fn torn(&self, of: &Identity) -> Result<Vec<PathBuf>> {
        let ending = format!("-{}", tag(of));
        let mut torn = self.with_ending(MANIFEST)?;
        torn.retain(|path| {
            let is_of_it = path
                .file_stem()
                .is_some_and(|stem| stem.to_string_lossy().ends_with(&ending));
            is_of_it && Kept::read(path).is_err()
        });
        torn.sort();
        Ok(torn)
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

/// Where a backup of one database is written, by this process alone until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    folder: PathBuf,
    tag: String,
    _lock: File,
}

impl Place {
    /// A new file of the backup whose data is of the moment `at`.
    pub(super) fn partial(&self, at: Timestamp, ending: &str) -> Result<Partial> {
        let moment = at.strftime("%Y%m%dT%H%M%S.%3fZ");
        let name = format!("{moment}-{}.{ending}", self.tag);
        let path = self.folder.join(format!("{name}.{PARTIAL}"));
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
            done: self.folder.join(name),
            path,
        })
    }

    /// Gives both their names. The manifest's makes it a backup: a run that is killed before leaves
    /// a manifest without its name, by which the next one knows the dump.
    pub(super) fn commit(&self, dump: &Partial, manifest: &Partial) -> Result<PathBuf> {
        let named = |partial: &Partial| {
            std::fs::rename(&partial.path, &partial.done)
                .and_then(|()| File::open(&self.folder)?.sync_all())
                .with_context(|| failed(&partial.done))
        };
        if let Err(error) = named(dump).and_then(|()| named(manifest)) {
            let gone = gone(&manifest.done).and_then(|()| gone(&dump.done));
            // Why it failed says more than what could not be cleared up after it.
            return match gone {
                Ok(()) => Err(error),
                Err(left) => Err(error.context(format!("{left:#}"))),
            };
        }
        Ok(manifest.done.clone())
    }
}

/// Tells backups of one database from those of others, in the names of files.
fn tag(of: &Identity) -> String {
    let text = [&*of.system, &*of.database, &*of.server].join("\0");
    marker::hex(&Sha256::digest(text))[..8].to_owned()
}

/// Removes a file that may be gone already.
fn gone(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("failed to remove `{}`", path.display()))
        }
        _ => Ok(()),
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
