//! Applying migrations to a database that is kept.
//!
//! One dedicated connection; marker, pooler, replica and clock are looked at first, then the lock is
//! taken, then everything is validated, and only then is anything written. What a kill may leave
//! half done is in the journal, see [`journal`].

pub(crate) mod backfill;
mod folder;
mod journal;
mod lock;
mod outside;
pub(crate) mod plan;
pub(crate) mod ready;
mod retry;
mod state;
mod step;
mod transaction;

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use serde::Serialize;
use sqlx::migrate::Migrate as _;

pub(crate) use folder::{Folder, is_same_text};
pub(crate) use journal::RESUME;
pub(crate) use plan::Plan;
pub(crate) use state::Found;
use step::Step;

use crate::cx::Cx;
use crate::database::{Link, Permit, Target, on, roles};
use crate::exit::{Code, Problem};
use crate::failpoint;
use crate::policy::{self, Policy};

/// The longest limit that PostgreSQL takes: nearly 25 days.
const LONGEST: Duration = Duration::from_millis(0x7fff_ffff);

/// How long things may take.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// For the migrators' lock.
    pub(crate) migrator: Duration,
    /// For a lock on a table, in a transaction; zero waits for ever.
    pub(crate) lock: Duration,
    /// For a statement in a transaction; zero is no limit.
    pub(crate) statement: Duration,
    /// For a statement outside of one; zero is no limit.
    pub(crate) outside: Duration,
    /// How often a migration is tried that gets no lock.
    pub(crate) attempts: u32,
}

impl From<&policy::Migrations> for Limits {
    fn from(policy: &policy::Migrations) -> Self {
        Self {
            migrator: Duration::from_secs(policy.migrator_lock_s),
            lock: Duration::from_millis(policy.lock_timeout_ms).min(LONGEST),
            statement: Duration::from_secs(policy.statement_timeout_s).min(LONGEST),
            outside: Duration::from_secs(policy.no_transaction_timeout_s).min(LONGEST),
            attempts: policy.lock_attempts.max(1),
        }
    }
}

/// What a run is asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// Finish what a killed run began.
    pub(crate) resume: bool,
    /// What a person says of a statement whose effect cannot be seen: its version, and whether it
    /// was done.
    pub(crate) decided: Option<(i64, bool)>,
    /// Only this plan, see [`Plan::hash`].
    pub(crate) plan_hash: Option<String>,
}

/// What a run says while it goes on, one JSON line each.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event<'a> {
    Waiting {
        #[serde(serialize_with = "seconds")]
        limit: Duration,
    },
    /// What holds others up, at a time when the policy would not have it.
    Heavy {
        what: String,
    },
    Resumed {
        version: i64,
    },
    Begun {
        version: i64,
        name: &'a str,
        in_transaction: bool,
    },
    Retried {
        version: i64,
        attempt: u32,
        code: &'static str,
        #[serde(serialize_with = "seconds")]
        pause: Duration,
    },
    Applied {
        version: i64,
        #[serde(serialize_with = "seconds")]
        took: Duration,
    },
    Failed {
        version: i64,
        error: String,
    },
    Ended {
        applied: usize,
        total: usize,
    },
}

fn seconds<S: serde::Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64())
}

/// Where events go.
pub(crate) type Events<'a> = dyn FnMut(&Event<'_>) + 'a;

/// Applies what is pending. Answers how many versions were applied, and how many there are now.
///
/// # Errors
/// Exit 3 when the database or the files are not what they must be (nothing was written), 75 when
/// another migrator holds the lock or a table's lock is not had, 1 when a migration is refused.
pub(crate) async fn run(
    cx: &Cx,
    target: &Target,
    permit: &Permit,
    wish: &Wish,
    events: &mut Events<'_>,
) -> Result<(usize, usize)> {
    failpoint::check(&journal::State::ALL.map(journal::State::as_str))?;
    let mut folder = Folder::read(&cx.root, target.engine())?;
    let mut link = Link::open(target, false).await?;
    let done = locked(
        target,
        permit,
        &mut folder,
        &mut link,
        wish,
        &cx.policy,
        events,
    )
    .await;
    // Whatever happened: the session's locks end with it.
    link.close().await;
    let (applied, total) = done?;
    events(&Event::Ended { applied, total });
    Ok((applied, total))
}

async fn locked(
    target: &Target,
    permit: &Permit,
    folder: &mut Folder,
    link: &mut Link,
    wish: &Wish,
    policy: &Policy,
    events: &mut Events<'_>,
) -> Result<(usize, usize)> {
    let limits = &Limits::from(&policy.migrations);
    let ours = ready::to_write(target, link).await?;
    permit.check(target, &ours.identity)?;
    let limit = limits.migrator;
    let _lock = lock::take(target, link, limit, &mut || {
        events(&Event::Waiting { limit });
    })
    .await?;

    let found = Found::read(link).await?;
    let plan = Plan::new(folder, &found, &policy.allow)?;
    plan.refuse_problems()?;
    if let Some(hash) = &wish.plan_hash {
        plan.refuse_other(hash)?;
    }
    if let Some(what) = plan.outside_window(&policy.migrations, Timestamp::now()) {
        events(&Event::Heavy { what });
    }
    let unfinished = found.journal.first();
    if let Some(entry) = unfinished.filter(|_| !wish.resume) {
        return Err(Problem::precondition(entry.problem()).help(RESUME).into());
    }
    refuse_decided(wish, &found)?;
    if plan.pending.is_empty() && unfinished.is_none() {
        return Ok((0, folder.migrations.len()));
    }
    // The guards and the receipt were asked about that plan, and about no other.
    if let Some(hash) = permit.plan_hash() {
        plan.refuse_other(hash)?;
    }
    roles::keep(link, &policy.roles, async |link| {
        on!(link, c => c.ensure_migrations_table(state::TABLE).await)
            .context("failed to create `_sqlx_migrations`")?;
        journal::ensure(link).await
    })
    .await?;
    for version in &plan.pending {
        let (migration, source) = folder
            .of(*version)
            .context(Problem::bug("a pending version without a file"))?;
        let step = Step {
            migration,
            source,
            limits,
        };
        match unfinished.filter(|entry| entry.version == *version) {
            Some(entry) => {
                let decided = wish.decided.map(|(_, done)| done);
                step.resume(link, entry, decided).await?;
                events(&Event::Resumed { version: *version });
            }
            None => step.apply(link, events).await?,
        }
    }
    // Its version was recorded, and the run was killed before it forgot.
    if let Some(entry) = unfinished.filter(|entry| found.is_applied(entry.version)) {
        journal::forget(link, entry.version).await?;
        events(&Event::Resumed {
            version: entry.version,
        });
    }
    Ok((plan.pending.len(), folder.migrations.len()))
}

/// What a person says of a version that no run has left open was meant for another.
fn refuse_decided(wish: &Wish, found: &Found) -> Result<()> {
    let is_open = |version| found.journal.iter().any(|entry| entry.version == version);
    let Some((version, _)) = wish.decided.filter(|(version, _)| !is_open(*version)) else {
        return Ok(());
    };
    let open: Vec<String> = (found.journal.iter())
        .map(|entry| format!("`{}`", entry.version))
        .collect();
    let open = match &open[..] {
        [] => "nothing is".to_owned(),
        open => format!("{} is", open.join(", ")),
    };
    Err(Problem::precondition(format!(
        "version `{version}` was not left open by a run that was killed; {open}"
    ))
    .help("cargo xtask migrate status shows what is begun; without --done and --undone, --resume looks for itself")
    .into())
}

/// The error of several problems at once: nothing was applied.
pub(crate) fn refuse(problems: &[String], code: Code) -> Result<()> {
    if problems.is_empty() {
        return Ok(());
    }
    let list = problems.join("\n  - ");
    let what = crate::report::text::plural(problems.len(), "problem");
    Err(Problem::new(code, format!("{what}, nothing was applied:\n  - {list}"))
        .help("cargo xtask ci migrations says more of the files, cargo xtask migrate status of the database")
        .into())
}
