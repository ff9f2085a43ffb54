//! `cargo xtask db`: whose a database is, and its backups.

mod backup;
mod drift;
mod drill;
mod mark;
mod restore;
mod roles;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};
use marker::Environment;

use crate::cli::Format;
use crate::cx::{Cx, Shared};
use crate::exit::Code;

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say once which environment the database of APP_ENV and DATABASE_URL belongs to
    Mark {
        /// dev, staging or prod
        environment: Environment,
        /// Take a copy, or a marker that was edited, for what it says it is: after a recovery. And for
        /// `dev`, what these migrations made before there was a marker
        #[arg(long)]
        adopt: bool,
    },
    /// Dump the database, and prove the dump by restoring it. Writes nothing to the database
    Backup {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Prove a backup of this database again, by restoring it elsewhere. Writes nothing that stays
    Verify {
        /// The `.json` of a backup
        manifest: PathBuf,
    },
    /// Restore a backup into this database, which is empty
    Restore {
        /// The `.json` of a backup
        manifest: PathBuf,
    },
    /// Restore the newest backup of APP_ENV into a scratch database and migrate it: how long a
    /// recovery takes, and how much would be lost
    Drill {
        /// Any backup of APP_ENV, instead of the newest
        #[arg(long)]
        random: bool,
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Show how the live schema differs from what its applied migrations make. Writes nothing
    Drift {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Print the SQL of least-privilege roles, and what this database has otherwise. Writes nothing
    Roles {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
}

pub(crate) fn run(shared: &Arc<Shared>, options: &Options) -> Result<Code> {
    // A dump takes as long as it takes.
    let cx = Cx::new(shared, Duration::MAX);
    match &options.command {
        Command::Mark { environment, adopt } => mark::mark(&cx, *environment, *adopt),
        Command::Backup { format } => backup::make(&cx, *format == Format::Json),
        Command::Verify { manifest } => backup::verify(&cx, manifest),
        Command::Restore { manifest } => restore::restore(&cx, manifest),
        Command::Drift { format } => drift::run(&cx, *format == Format::Json),
        Command::Roles { format } => roles::roles(&cx, *format == Format::Json),
        Command::Drill { random, format } => drill::drill(&cx, *random, *format == Format::Json),
    }
}
