//! `cargo xtask db mark`: whose a database is.

use anyhow::Result;
use marker::{Environment, Refusal};

use crate::cli::say;
use crate::cx::Cx;
use crate::database::{AppEnv, Link, Target, refusal, roles};
use crate::exit::{Code, Problem};
use crate::guards;
use crate::migrations::run::{Folder, Found};

pub(super) fn mark(cx: &Cx, environment: Environment, adopt: bool) -> Result<Code> {
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
    // Also where the row in the database says so, or the pipeline: whatever else is asked for.
    if guards::ask(cx)?.environment == AppEnv::Production {
        guards::pass_to_mark(cx)?;
    }
    cx.block_on(Link::with(&target, async |link| {
        marked(cx, &target, link, environment, adopt).await
    }))
}

async fn marked(
    cx: &Cx,
    target: &Target,
    link: &mut Link,
    environment: Environment,
    adopt: bool,
) -> Result<Code> {
    let found = link.marker().await?;
    let says = found.marker.as_ref().map(|row| row.environment.clone());
    let refused = match found.check(environment) {
        Ok(()) => {
            say(format!(
                "ok    `{target}` is marked `{environment}` already"
            ))?;
            return Ok(Code::Done);
        }
        Err(refused) => refused,
    };
    let may = match &refused {
        Refusal::Unmarked { .. } => {
            if environment == Environment::Dev {
                is_ours(cx, target, link, adopt).await?;
            }
            true
        }
        Refusal::Edited => adopt && says.as_deref() == Some(environment.as_str()),
        // What was another environment's data stays it, wherever it is copied to.
        Refusal::Copy {
            environment: of, ..
        } => adopt && *of == environment,
        Refusal::Wrong { .. } => false,
    };
    if !may {
        return Err(refusal(target, &refused).into());
    }
    let marking = async |link: &mut Link| link.mark(environment).await;
    let found = roles::keep(link, &cx.policy.roles, marking).await?;
    say(format!("done  marked `{environment}`: {}", found.identity))?;
    Ok(Code::Done)
}

/// Tables without a marker may be anybody's, and `dev` is what anything may be done to: it is said of
/// an empty database, or of one that the migrations of this repository made, once that is meant.
async fn is_ours(cx: &Cx, target: &Target, link: &mut Link, adopt: bool) -> Result<()> {
    if link.tables().await? == 0 {
        return Ok(());
    }
    if !adopt {
        return Err(Problem::precondition(format!(
            "`{target}` has tables, and no marker that says whose they are"
        ))
        .help("check DATABASE_URL: a new database is marked while it is empty; one of yours that was migrated before there were markers is adopted: cargo xtask db mark dev --adopt")
        .into());
    }
    let folder = Folder::read(&cx.root, target.engine())?;
    let found = Found::read(link).await?;
    let mut problems = found.problems(&folder);
    if found.applied.is_empty() {
        problems.push("none is applied".to_owned());
    }
    if problems.is_empty() {
        return Ok(());
    }
    Err(Problem::precondition(format!(
        "`{target}` was not made by the migrations of this repository: {}",
        problems.join("; ")
    ))
    .help("check DATABASE_URL; for a database of your own make a new one: cargo xtask setup, or createdb and cargo xtask db mark dev")
    .into())
}
