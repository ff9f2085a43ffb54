//! `cargo xtask migrate apply`.

use anyhow::Result;
use clap::Args;

use crate::cli::{Format, say};
use crate::cx::Cx;
use crate::database::{Permit, Target};
use crate::exit::Code;
use crate::migrations::run::backfill::{self, Pace, Progress};
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
    let target = Target::read(cx)?;
    let permit = Permit::local(&target)?;
    let json = options.format == Format::Json;
    let mut shown = Ok(());
    let mut events = |event: &Event<'_>| {
        let line = if json {
            serde_json::to_string(event).unwrap_or_default()
        } else {
            line(event)
        };
        if shown.is_ok() && !options.quiet {
            shown = say(line);
        }
    };
    cx.block_on(run::run(cx, &target, &permit, &options.wish(), &mut events))?;
    shown?;
    Ok(Code::Done)
}

pub(super) fn backfill(cx: &Cx, name: &str, pace: Pace) -> Result<Code> {
    let target = Target::read(cx)?;
    let permit = Permit::local(&target)?;
    let mut shown = Ok(());
    let mut on_batch = |progress: &Progress| {
        if let Some(last) = progress.last.as_ref().filter(|_| shown.is_ok()) {
            shown = say(format!("      {} rows, up to {last}", progress.rows));
        }
    };
    let running = backfill::run(cx, &target, &permit, name, pace, &mut on_batch);
    let done = cx.block_on(running)?;
    shown?;
    say(format!("ok    `{name}` has changed {} rows", done.rows))?;
    Ok(Code::Done)
}

/// An event, for people.
pub(crate) fn line(event: &Event<'_>) -> String {
    match event {
        Event::Waiting { limit } => format!(
            "wait  another migrator is at work; at most {} s",
            limit.as_secs()
        ),
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
