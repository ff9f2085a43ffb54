//! `cargo xtask db`: whose a database is.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::{Args, Subcommand};
use marker::{Environment, Refusal};

use crate::cli::say;
use crate::cx::{Cx, Shared};
use crate::database::{Link, Target, refusal};
use crate::exit::{Code, Problem};

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
        /// Take a copy, or a marker that was edited, for what it says it is: after a recovery
        #[arg(long)]
        adopt: bool,
    },
}

pub(crate) fn run(shared: &Arc<Shared>, options: &Options) -> Result<Code> {
    let cx = Cx::new(shared, Duration::from_mins(10));
    match &options.command {
        Command::Mark { environment, adopt } => mark(&cx, *environment, *adopt),
    }
}

fn mark(cx: &Cx, environment: Environment, adopt: bool) -> Result<Code> {
    let target = Target::read(cx)?;
    if target.app_env.marker() != environment {
        return Err(Problem::precondition(format!(
            "APP_ENV is `{}`, whose database is marked `{}`, not `{environment}`",
            target.app_env,
            target.app_env.marker()
        ))
        .help("set APP_ENV and DATABASE_URL to the environment that is meant")
        .into());
    }
    cx.block_on(async {
        let mut link = Link::open(&target, false).await?;
        let done = marked(&target, &mut link, environment, adopt).await;
        link.close().await;
        done
    })
}

async fn marked(
    target: &Target,
    link: &mut Link,
    environment: Environment,
    adopt: bool,
) -> Result<Code> {
    let refused = match link.marker().await?.check(environment) {
        Ok(()) => {
            say(format!(
                "ok    `{target}` is marked `{environment}` already"
            ))?;
            return Ok(Code::Done);
        }
        Err(refused) => refused,
    };
    let may = match &refused {
        Refusal::Unmarked { .. } => true,
        Refusal::Edited => adopt,
        // What was another environment's data stays it, wherever it is copied to.
        Refusal::Copy {
            environment: of, ..
        } => adopt && *of == environment,
        Refusal::Wrong { .. } => false,
    };
    if !may {
        return Err(refusal(target, &refused).into());
    }
    let found = link.mark(environment).await?;
    say(format!("done  marked `{environment}`: {}", found.identity))?;
    Ok(Code::Done)
}
