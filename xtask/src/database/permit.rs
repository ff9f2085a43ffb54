//! Leave to apply migrations. There is no other way to the runner, so the order of a deployment,
//! first guards and backup and then migration, is not for a caller to get wrong.

use anyhow::{Context as _, Result};
use marker::Identity;

use super::backup::VerifiedBackup;
use super::{AppEnv, Scratch, Target};
use crate::exit::Problem;
use crate::guards::Passed;

/// What was shown before migrations may be applied.
#[derive(Debug)]
pub(crate) enum Permit {
    /// `local` and `preview`: nobody but a developer depends on it.
    Local(Local),
    /// A database that this process made, and that goes with it.
    Scratch(OfScratch),
    /// The guards of staging hold, and there is a backup to go back to.
    Staging(Guarded),
    /// The guards of production hold, and there is a backup to go back to.
    Production(Guarded),
}

/// Shown by [`Permit::local`] alone.
#[derive(Debug)]
pub(crate) struct Local(());

/// Shown by [`Permit::scratch`] alone: where the scratch database is.
#[derive(Debug)]
pub(crate) struct OfScratch(String);

/// Shown by [`Permit::guarded`] alone.
#[derive(Debug)]
pub(crate) struct Guarded {
    /// Of the database that may be changed.
    backup: VerifiedBackup,
    /// The one plan that the guards were asked about.
    plan_hash: String,
}

impl Permit {
    /// For the database that `backup` is of, in the environment whose guards were passed.
    ///
    /// # Errors
    /// A bug, where guards of a shared environment passed without a plan.
    pub(crate) fn guarded(passed: &Passed, backup: VerifiedBackup) -> Result<Self> {
        let guarded = || {
            let plan_hash = passed.plan_hash().map(str::to_owned);
            let plan_hash = plan_hash.context(Problem::bug("guards that hold without a plan"))?;
            anyhow::Ok(Guarded { backup, plan_hash })
        };
        Ok(match passed.environment() {
            AppEnv::Local | AppEnv::Preview => Permit::Local(Local(())),
            AppEnv::Staging => Permit::Staging(guarded()?),
            AppEnv::Production => Permit::Production(guarded()?),
        })
    }

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

    /// The plan that may be applied, see [`crate::migrations::run::plan::hash`]; `None` where any may.
    pub(crate) fn plan_hash(&self) -> Option<&str> {
        match self {
            Permit::Local(_) | Permit::Scratch(_) => None,
            Permit::Staging(guarded) | Permit::Production(guarded) => Some(&guarded.plan_hash),
        }
    }

    /// Whether it is for this target and this very database.
    ///
    /// # Errors
    /// Exit 3 where the backup is of another database; a bug, where it is for another target.
    pub(crate) fn check(&self, target: &Target, identity: &Identity) -> Result<()> {
        let is_for = match self {
            Permit::Local(_) => !target.app_env.is_shared(),
            Permit::Scratch(OfScratch(of)) => *of == target.to_string(),
            Permit::Staging(_) => target.app_env == AppEnv::Staging,
            Permit::Production(_) => target.app_env == AppEnv::Production,
        };
        if !is_for {
            return Err(Problem::bug(format!(
                "the permit is not for `{target}` in `{}`",
                target.app_env
            ))
            .into());
        }
        match self {
            Permit::Staging(Guarded { backup, .. })
            | Permit::Production(Guarded { backup, .. })
                if backup.identity() != identity =>
            {
                Err(Problem::precondition(format!(
                    "the backup is of `{}`, and the database is `{identity}`",
                    backup.identity()
                ))
                .help("check DATABASE_URL: it names another database than a moment ago")
                .into())
            }
            _ => Ok(()),
        }
    }
}
