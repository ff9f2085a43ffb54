//! `cargo xtask db drill`: a recovery, measured.

use std::hash::{BuildHasher as _, RandomState};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use marker::Environment;
use serde::Serialize;

use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::database::backup::{self, Folder, Kept};
use crate::database::{AppEnv, Link, Permit, Scratch};
use crate::exit::{Code, Problem};
use crate::migrations::run::{self, Wish};
use crate::report::terminal::seconds;
use crate::report::text::plural;

/// What was measured.
#[derive(Debug, Serialize)]
struct Measured {
    manifest: String,
    created_at: Timestamp,
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
    let manifests = folder.manifests()?;
    let chosen = if random {
        // Its seed is random, another in every process.
        let number = RandomState::new().hash_one(manifests.len());
        let count = u64::try_from(manifests.len()).unwrap_or(u64::MAX).max(1);
        usize::try_from(number % count)
            .ok()
            .and_then(|n| manifests.get(n))
    } else {
        manifests.last()
    };
    let path = chosen.with_context(|| {
        Problem::precondition(format!(
            "no backup of `{app_env}` in `{}`",
            folder.path().display()
        ))
        .help("make one: cargo xtask db backup")
    })?;

    let began = Instant::now();
    let lost_at = Timestamp::now();
    let kept = Kept::read(path)?;
    let age = backup::age(&kept.manifest, lost_at)?;
    let (scratch, applied) = cx.block_on(recover(cx, &kept))?;
    let took = began.elapsed();
    drop(scratch);

    let hours = |hours: u32| Duration::from_hours(u64::from(hours));
    let (time_limit, age_limit) = (
        hours(cx.policy.backup.recovery_time_h),
        hours(cx.policy.backup.data_age_h),
    );
    let measured = Measured {
        manifest: path.display().to_string(),
        created_at: kept.manifest.created_at,
        tables: kept.manifest.content.tables.len(),
        rows: kept.manifest.content.rows(),
        applied,
        recovery_time_s: took.as_secs_f64(),
        recovery_time_limit_s: time_limit.as_secs(),
        data_age_s: age.as_secs(),
        data_age_limit_s: age_limit.as_secs(),
        ok: took <= time_limit && age <= age_limit,
    };
    if json {
        say_json(&measured)?;
    } else {
        print(&measured, took, age)?;
    }
    Ok(if measured.ok { Code::Done } else { Code::Red })
}

/// Restores, compares, and migrates to the newest schema.
async fn recover(cx: &Cx, kept: &Kept) -> Result<(Scratch, usize)> {
    let scratch = backup::restore_to_scratch(cx, kept).await?;
    // What it holds is of another environment; what it is, is a scratch database of this process.
    let mut link = Link::open(scratch.target(), false).await?;
    let marked = link.mark(Environment::Dev).await;
    link.close().await;
    marked?;
    let permit = Permit::scratch(&scratch);
    let (applied, _) = run::run(cx, scratch.target(), &permit, &Wish::default(), &mut |_| {})
        .await
        .context("failed to migrate the restored backup to the newest schema")?;
    Ok((scratch, applied))
}

fn print(measured: &Measured, took: Duration, age: Duration) -> Result<()> {
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
        verdict(age, limit),
        age.as_secs() / 60,
        limit.as_secs() / 3600
    ))
}
