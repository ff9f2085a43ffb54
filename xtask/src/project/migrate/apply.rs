//! `cargo xtask migrate apply`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use clap::Args;

use crate::cli::{Format, say};
use crate::cx::Cx;
use crate::database::{AppEnv, Permit, Target, backup};
use crate::exit::{Code, Problem};
use crate::guards;
use crate::migrations::run::backfill::{self, Pace};
use crate::migrations::run::{self, Event, Wish};
use crate::report::terminal::seconds;
use crate::report::text;

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// Finish what a killed run began
    #[arg(long)]
    resume: bool,
    /// With --resume: a statement outside of a transaction was done, as the database shows
    #[arg(
        long,
        value_name = "VERSION",
        requires = "resume",
        conflicts_with = "undone"
    )]
    done: Option<i64>,
    /// With --resume: it was not done, and may be sent again
    #[arg(long, value_name = "VERSION", requires = "resume")]
    undone: Option<i64>,
    /// Apply only this plan, as `migrate plan` printed it
    #[arg(long, value_name = "HASH")]
    plan_hash: Option<String>,
    /// The `.json` of a backup of this database; staging and production are migrated with one
    #[arg(long, value_name = "MANIFEST")]
    backup: Option<PathBuf>,
    /// Only what is wrong
    #[arg(short, long)]
    quiet: bool,
    /// human, or json: a line for each event
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

impl Apply {
    fn wish(&self) -> Wish {
        let decided = self.done.map(|version| (version, true));
        Wish {
            resume: self.resume,
            decided: decided.or_else(|| self.undone.map(|version| (version, false))),
            plan_hash: self.plan_hash.clone(),
        }
    }
}

pub(super) fn run(cx: &Cx, options: &Apply) -> Result<Code> {
    let (target, permit) = permit(cx, options.backup.as_deref())?;
    let show = match (options.quiet, options.format) {
        (true, _) => Show::Nothing,
        (false, Format::Json) => Show::Json,
        (false, Format::Human | Format::Github) => Show::Lines,
    };
    apply(cx, &target, &permit, &options.wish(), show)
}

/// What stands before the runner here: the guards, and a backup that is proven again.
fn permit(cx: &Cx, manifest: Option<&Path>) -> Result<(Target, Permit)> {
    let app_env = AppEnv::read()?;
    if !app_env.is_shared() {
        let asked = guards::ask(cx)?;
        if asked.environment != app_env {
            asked.pass()?;
        }
        let target = Target::read(cx)?;
        let permit = Permit::local(&target)?;
        return Ok((target, permit));
    }
    let passed = guards::pass(cx)?;
    let target = Target::read(cx)?;
    let manifest = manifest.with_context(|| {
        Problem::precondition(format!("`{app_env}` is migrated with a verified backup"))
            .help("cargo xtask deploy db makes one and goes on with it; or name one of the last hour: --backup MANIFEST")
    })?;
    let backup = backup::recheck(cx, manifest, &target)?;
    Ok((target, Permit::guarded(&passed, backup)?))
}

/// What is said of a run's events.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Show {
    Nothing,
    Lines,
    /// A line of JSON for each.
    Json,
}

/// Runs the migrator and says what it does.
pub(crate) fn apply(
    cx: &Cx,
    target: &Target,
    permit: &Permit,
    wish: &Wish,
    show: Show,
) -> Result<Code> {
    let mut shown = Ok(());
    let mut events = |event: &Event<'_>| {
        let line = match show {
            Show::Nothing => return,
            Show::Lines => line(event),
            Show::Json => serde_json::to_string(event).unwrap_or_default(),
        };
        if shown.is_ok() {
            shown = say(line);
        }
    };
    cx.block_on(run::run(cx, target, permit, wish, &mut events))?;
    shown?;
    Ok(Code::Done)
}

pub(super) fn backfill(cx: &Cx, name: &str, pace: Pace, manifest: Option<&Path>) -> Result<Code> {
    let (target, permit) = permit(cx, manifest)?;
    let mut shown = Ok(());
    let mut on_batch = |rows: i64| {
        if shown.is_ok() {
            shown = say(format!("      {rows} rows"));
        }
    };
    let running = backfill::run(cx, &target, &permit, name, pace, &mut on_batch);
    let rows = cx.block_on(running)?;
    shown?;
    say(format!("ok    `{name}` has changed {rows} rows"))?;
    Ok(Code::Done)
}

/// An event, for people.
pub(crate) fn line(event: &Event<'_>) -> String {
    match event {
        Event::Waiting { limit } => format!(
            "wait  another migrator is at work; at most {} s",
            limit.as_secs()
        ),
        Event::Heavy { what } => format!("warn  heavy, {what}"),
        Event::Resumed { version } => format!("done  {version}: finished what was begun"),
        Event::Begun {
            version,
            name,
            in_transaction,
        } => {
            let how = if *in_transaction {
                ""
            } else {
                ", outside of a transaction"
            };
            format!("begin {version} {name}{how}")
        }
        Event::Retried {
            version,
            attempt,
            code,
            pause,
        } => format!(
            "again {version}: no lock on its table ({code}), attempt {attempt}; next in {}",
            seconds(*pause)
        ),
        Event::Applied { version, took } => format!("done  {version} in {}", seconds(*took)),
        Event::Failed { version, .. } => format!("fail  {version}"),
        Event::Ended { applied, total } => match applied {
            0 => format!(
                "ok    nothing to apply: {} applied",
                text::plural(*total, "migration")
            ),
            _ => format!(
                "ok    applied {applied} of {}",
                text::plural(*total, "migration")
            ),
        },
    }
}
