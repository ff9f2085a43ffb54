//! `cargo xtask db drill`: a recovery, measured.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use marker::Identity;
use serde::Serialize;

use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::database::backup::{self, Folder, Kept};
use crate::database::{AppEnv, Link, Permit, Scratch, Target};
use crate::environment;
use crate::exit::{Code, Problem};
use crate::migrations::run::{self, Wish, ready};
use crate::project::setup::DATABASE_URL;
use crate::report::terminal::seconds;
use crate::report::text::plural;

/// What was measured.
#[derive(Debug, Serialize)]
struct Measured {
    manifest: String,
    created_at: Timestamp,
    /// Of the backup that was restored.
    backup_age_s: u64,
    /// The manifest of the newest backup, whose age is that of the data.
    newest: String,
    tables: usize,
    rows: u64,
    /// Migrations that the backup did not have yet.
    applied: usize,
    recovery_time_s: f64,
    recovery_time_limit_s: u64,
    data_age_s: u64,
    data_age_limit_s: u64,
    /// Both are within their limits.
    ok: bool,
}

pub(super) fn drill(cx: &Cx, random: bool, json: bool) -> Result<Code> {
    let app_env = AppEnv::read()?;
    let folder = Folder::of(cx, app_env.marker());
    let mut kept = folder.kept()?;
    let of = database(cx, app_env, &folder, &kept)?;
    kept.retain(|kept| kept.manifest.identity == of);
    // It may be the newest one: what a recovery would begin with is then not what is measured.
    for torn in folder.torn(&of)? {
        Kept::read(&torn)?;
    }
    let newest = kept.last().with_context(|| none(app_env, &folder))?;
    let chosen = if random { any(&kept) } else { newest };

    let lost_at = Timestamp::now();
    let backup_age = backup::age(&chosen.manifest, lost_at)?;
    let data_age = backup::age(&newest.manifest, lost_at)?;
    if chosen.path != newest.path {
        // Restored it is another time; but what it is measured by must be there.
        backup::whole(newest)?;
    }
    let began = Instant::now();
    let (scratch, applied) = cx.block_on(recover(cx, chosen))?;
    let took = began.elapsed();
    drop(scratch);

    let hours = |hours: u32| Duration::from_hours(u64::from(hours));
    let (time_limit, age_limit) = (
        hours(cx.policy.backup.recovery_time_h),
        hours(cx.policy.backup.data_age_h),
    );
    let measured = Measured {
        manifest: chosen.path.display().to_string(),
        created_at: chosen.manifest.created_at,
        backup_age_s: backup_age.as_secs(),
        newest: newest.path.display().to_string(),
        tables: chosen.manifest.content.tables.len(),
        rows: chosen.manifest.content.rows(),
        applied,
        recovery_time_s: took.as_secs_f64(),
        recovery_time_limit_s: time_limit.as_secs(),
        data_age_s: data_age.as_secs(),
        data_age_limit_s: age_limit.as_secs(),
        ok: took <= time_limit && data_age <= age_limit,
    };
    if json {
        say_json(&measured)?;
    } else {
        print(&measured, took, data_age)?;
    }
    Ok(if measured.ok { Code::Done } else { Code::Red })
}

/// Whose backups are meant: those of the database that `DATABASE_URL` names. Where it is not set, as
/// on a machine that reaches no database, the folder must have those of one alone.
fn database(cx: &Cx, app_env: AppEnv, folder: &Folder, kept: &[Kept]) -> Result<Identity> {
    if environment::var(DATABASE_URL).is_some() {
        let target = Target::read(cx)?;
        let found = cx.block_on(Link::look(&target, async |link| {
            ready::to_read(&target, link).await
        }))?;
        return Ok(found.identity);
    }
    let mut found: Vec<&Identity> = Vec::new();
    for kept in kept {
        if !found.contains(&&kept.manifest.identity) {
            found.push(&kept.manifest.identity);
        }
    }
    match found[..] {
        [] => Err(none(app_env, folder).into()),
        [one] => Ok(one.clone()),
        _ => {
            let names: Vec<String> = found.iter().map(ToString::to_string).collect();
            Err(Problem::precondition(format!(
                "`{}` has backups of {}:\n  - {}",
                folder.path().display(),
                plural(found.len(), "database"),
                names.join("\n  - ")
            ))
            .help("set DATABASE_URL to the one that is meant")
            .into())
        }
    }
}

fn none(app_env: AppEnv, folder: &Folder) -> Problem {
    Problem::precondition(format!(
        "no backup of `{app_env}`'s database in `{}`",
        folder.path().display()
    ))
    .help("make one: cargo xtask db backup")
}

/// One of several, by chance: the seed is another in every process.
fn any(kept: &[Kept]) -> &Kept {
    let number = RandomState::new().hash_one(kept.len());
    let count = u64::try_from(kept.len()).unwrap_or(u64::MAX).max(1);
    &kept[usize::try_from(number % count).unwrap_or_default()]
}

/// Restores, compares, and migrates to the newest schema.
async fn recover(cx: &Cx, kept: &Kept) -> Result<(Scratch, usize)> {
    let scratch = backup::restore_to_scratch(cx, kept).await?;
    // What it holds is of another environment; what it is, is a scratch database of this process.
    scratch.mark().await?;
    let permit = Permit::scratch(&scratch);
    let (applied, _) = run::run(cx, scratch.target(), &permit, &Wish::default(), &mut |_| {})
        .await
        .context("failed to migrate the restored backup to the newest schema")?;
    Ok((scratch, applied))
}

fn print(measured: &Measured, took: Duration, data_age: Duration) -> Result<()> {
    let verdict = |is: Duration, limit: Duration| if is > limit { "red " } else { "ok  " };
    say(format!(
        "ok    restored `{}` of {} and compared: {}, {} rows; {} applied",
        measured.manifest,
        measured.created_at,
        plural(measured.tables, "table"),
        measured.rows,
        plural(measured.applied, "migration"),
    ))?;
    let limit = Duration::from_secs(measured.recovery_time_limit_s);
    say(format!(
        "{}  recovery time {}, at most {} h",
        verdict(took, limit),
        seconds(took),
        limit.as_secs() / 3600
    ))?;
    let limit = Duration::from_secs(measured.data_age_limit_s);
    say(format!(
        "{}  data age {} min, at most {} h",
        verdict(data_age, limit),
        data_age.as_secs() / 60,
        limit.as_secs() / 3600
    ))?;
    if measured.newest == measured.manifest {
        return Ok(());
    }
    say(format!(
        "      that of the newest backup, `{}`; the restored one is {} min old",
        measured.newest,
        measured.backup_age_s / 60
    ))
}
