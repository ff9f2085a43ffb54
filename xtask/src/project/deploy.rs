//! `cargo xtask deploy` and `predeploy`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::cli::{Format, say};
use crate::cx::{Cx, Shared};
use crate::database::receipt;
use crate::deploy::{database, predeploy as checks};
use crate::exit::Code;

#[derive(Debug, Args)]
pub(crate) struct Predeploy {
    /// Only this check [default: all, up to the first that is red]
    #[arg(value_parser = PossibleValuesParser::new(checks::CHECKS.iter().map(|check| check.name)))]
    check: Option<String>,
    /// human, or json: a line for each check
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Verify, back up, migrate: the database of APP_ENV
    Db {
        /// Apply only this plan, as `migrate plan` printed it
        #[arg(long, value_name = "HASH")]
        plan_hash: Option<String>,
    },
    /// Make a new pair of keys for receipts, and print it once
    Keygen,
}

pub(crate) fn predeploy(shared: &Arc<Shared>, options: &Predeploy) -> Result<Code> {
    let cx = Cx::new(shared, Duration::from_mins(10));
    let as_json = options.format == Format::Json;
    checks::run(&cx, options.check.as_deref(), as_json)?;
    Ok(Code::Done)
}

pub(crate) fn run(shared: &Arc<Shared>, options: &Options) -> Result<Code> {
    match &options.command {
        Command::Db { plan_hash } => {
            // Backup and build of an index take as long as they take.
            database::deploy(&Cx::new(shared, Duration::MAX), plan_hash.clone())
        }
        Command::Keygen => keygen(),
    }
}

fn keygen() -> Result<Code> {
    let (private, public) = receipt::new_pair()?;
    say("# a secret of staging's deployment, and of nobody else:")?;
    say(format!("{}={private}", receipt::PRIVATE_KEY))?;
    say("# a setting of production's deployment:")?;
    say(format!("{}={public}", receipt::PUBLIC_KEY))?;
    Ok(Code::Done)
}
