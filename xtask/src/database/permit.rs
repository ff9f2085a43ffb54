//! Leave to apply migrations. There is no other way to the runner, so the order of a deployment,
//! first guards and backup and then migration, is not for a caller to get wrong.

use anyhow::Result;
use marker::Identity;

use super::{Scratch, Target};
use crate::exit::Problem;

/// What was shown before migrations may be applied.
#[derive(Debug)]
pub(crate) enum Permit {
    /// `local` and `preview`: nobody but a developer depends on it.
    Local(Local),
    /// A database that this process made, and that goes with it.
    Scratch(OfScratch),
}

/// Shown by [`Permit::local`] alone.
#[derive(Debug)]
pub(crate) struct Local(());

/// Shown by [`Permit::scratch`] alone: where the scratch database is.
#[derive(Debug)]
pub(crate) struct OfScratch(String);

impl Permit {
    /// For that scratch database, and for no other.
    pub(crate) fn scratch(scratch: &Scratch) -> Self {
        Permit::Scratch(OfScratch(scratch.target().to_string()))
    }

    /// For a database of a developer: the target says so, and the runner asks the marker besides.
    ///
    /// # Errors
    /// Exit 3 for any other.
    pub(crate) fn local(target: &Target) -> Result<Self> {
        if target.app_env.is_shared() {
            return Err(Problem::precondition(format!(
                "`{}` is migrated with a verified backup",
                target.app_env
            ))
            .help("cargo xtask deploy db")
            .into());
        }
        Ok(Permit::Local(Local(())))
    }

    /// Whether it is for this target and this very database.
    pub(crate) fn check(&self, target: &Target, _identity: &Identity) -> Result<()> {
        match self {
            Permit::Local(_) if !target.app_env.is_shared() => Ok(()),
            Permit::Scratch(OfScratch(of)) if *of == target.to_string() => Ok(()),
            Permit::Scratch(OfScratch(of)) => Err(Problem::bug(format!(
                "a permit for the scratch database `{of}`, and the target is `{target}`"
            ))
            .into()),
            Permit::Local(_) => Err(Problem::bug(format!(
                "a permit for a local database, and the target is `{}`",
                target.app_env
            ))
            .into()),
        }
    }
}
