//! `cargo xtask migrate`: makes migrations, and applies them to the database of `APP_ENV`.

pub(crate) mod apply;
mod files;
mod guard;
mod plan;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};

use crate::cli::Format;
use crate::cx::{Cx, Shared};
use crate::exit::Code;
use crate::migrations::run::backfill::Pace;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    /// [default: apply]
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    apply: apply::Apply,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write an empty migration for both engines, newer than every other
    New {
        /// What it does, in lower case letters, digits and `_`, such as `orders_have_notes`
        name: String,
    },
    /// Give migrations that trunk does not have yet a newer timestamp than its newest
    Renumber,
    /// Say which migrations the database has, which not, and what is wrong. Writes nothing
    Status {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Print what would be applied: SQL, locks, sizes of the tables, and a hash. Writes nothing
    Plan {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Print each condition of this environment, and whether it holds. Writes nothing
    Guard {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Change many rows in small batches, as migrations/backfills/ENGINE/NAME.sql says. A run that was
    /// killed goes on where it stopped
    Backfill {
        name: String,
        /// Rows of a batch
        #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..))]
        rows: u32,
        /// Milliseconds between two batches, for everybody else
        #[arg(long, default_value_t = 100)]
        pause_ms: u64,
        /// As of `apply`
        #[arg(long, value_name = "MANIFEST")]
        backup: Option<PathBuf>,
    },
    /// Validate everything, then apply what is pending
    Apply(apply::Apply),
}

pub(crate) fn run(shared: &Arc<Shared>, options: &Options) -> Result<Code> {
    // A build of an index takes as long as it takes; the database's own limits are in the policy.
    let cx = Cx::new(shared, Duration::MAX);
    match &options.command {
        Some(Command::New { name }) => files::new(&cx, name),
        Some(Command::Renumber) => files::renumber(&cx),
        Some(Command::Status { format }) => plan::status(&cx, *format == Format::Json),
        Some(Command::Plan { format }) => plan::plan(&cx, *format == Format::Json),
        Some(Command::Guard { format }) => guard::run(&cx, *format == Format::Json),
        Some(Command::Backfill {
            name,
            rows,
            pause_ms,
            backup,
        }) => {
            let pause = Duration::from_millis(*pause_ms);
            let pace = Pace { rows: *rows, pause };
            apply::backfill(&cx, name, pace, backup.as_deref())
        }
        Some(Command::Apply(options)) => apply::run(&cx, options),
        None => apply::run(&cx, &options.apply),
    }
}
