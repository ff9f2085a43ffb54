//! Leave to apply migrations. There is no other way to the runner, so the order of a deployment,
//! first guards and backup and then migration, is not for a caller to get wrong.

use anyhow::Result;
use marker::Identity;

use super::Target;
use crate::exit::Problem;

/// What was shown before migrations may be applied.
#[derive(Debug)]
pub(crate) enum Permit {
    /// `local` and `preview`: nobody but a developer depends on it.
    Local(Local),
}

/// Shown by [`Permit::local`] alone.
#[derive(Debug)]
pub(crate) struct Local(());

impl Permit {
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
            Permit::Local(_) => Err(Problem::bug(format!(
                "a permit for a local database, and the target is `{}`",
                target.app_env
            ))
            .into()),
        }
    }
}
