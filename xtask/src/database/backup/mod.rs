//! Backups that are proven before they count: what was dumped was read to its end, restored into a
//! scratch database and compared with the snapshot it was taken of.

mod check;
mod content;
mod folder;
mod hook;
mod make;
mod manifest;
mod programs;
mod proof;
mod restore;
mod retention;
mod sqlite;

use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};
use marker::Identity;

pub(crate) use folder::{Folder, Kept};
pub(crate) use make::make;
pub(crate) use manifest::Manifest;
pub(crate) use proof::restore_to_scratch;
pub(crate) use restore::restore;
pub(crate) use retention::retire;

use crate::cx::Cx;
use crate::database::{Link, Target};
use crate::migrations::run::ready;

/// A backup of a database of which it was shown, in this process, that it is whole, young enough and
/// of that very database.
#[derive(Debug)]
pub(crate) struct VerifiedBackup {
    kept: Kept,
}

impl VerifiedBackup {
    /// The database it is of.
    pub(crate) fn identity(&self) -> &Identity {
        &self.kept.manifest.identity
    }

    /// The moment its data is of.
    pub(crate) fn created_at(&self) -> Timestamp {
        self.kept.manifest.created_at
    }

    /// Where its manifest is.
    pub(crate) fn path(&self) -> &Path {
        &self.kept.path
    }

    /// Of its dump, in hexadecimal.
    pub(crate) fn sha256(&self) -> &str {
        &self.kept.manifest.dump.sha256
    }

    pub(crate) fn manifest(&self) -> &Manifest {
        &self.kept.manifest
    }
}

/// Shows again of an existing backup that it is as it was proven, of the database of `target`, and
/// not older than the policy allows. It is not restored again: the same bytes were.
///
/// # Errors
/// Exit 1 when it was damaged or changed, exit 3 when it is of another database, too old, or of the
/// future.
pub(crate) fn recheck(cx: &Cx, manifest: &Path, target: &Target) -> Result<VerifiedBackup> {
    let kept = Kept::read(manifest)?;
    let limit = SignedDuration::from_hours(i64::from(cx.policy.backup.data_age_h));
    check::young(&kept, Timestamp::now(), limit)?;
    check_of(cx, &kept, target)?;
    check::whole(&kept)?;
    Ok(VerifiedBackup { kept })
}

/// Shows of a backup, of any age, that it is whole and of the database of `target`, and restores it
/// into a scratch database.
///
/// # Errors
/// As [`recheck`]; exit 1 also when it cannot be restored or is not what the manifest says.
pub(crate) fn verify(cx: &Cx, manifest: &Path, target: &Target) -> Result<VerifiedBackup> {
    let kept = Kept::read(manifest)?;
    check::age(&kept.manifest, Timestamp::now())?;
    check_of(cx, &kept, target)?;
    cx.block_on(restore_to_scratch(cx, &kept))?;
    Ok(VerifiedBackup { kept })
}

/// Shows of a backup that its dump is there, byte for byte.
///
/// # Errors
/// Exit 1 when it was damaged.
pub(crate) fn whole(kept: &Kept) -> Result<()> {
    check::whole(kept)
}

/// How old the data of a backup is at `now`.
///
/// # Errors
/// Exit 3 when it is of the future: the clock is behind.
pub(crate) fn age(manifest: &Manifest, now: Timestamp) -> Result<Duration> {
    Ok(check::age(manifest, now)?.unsigned_abs())
}

/// It is a backup of the database of `target`.
fn check_of(cx: &Cx, kept: &Kept, target: &Target) -> Result<()> {
    let found = cx.block_on(Link::look(target, async |link| {
        ready::to_read(target, link).await
    }))?;
    check::origin(kept, target.app_env.marker(), &found.identity)
}
