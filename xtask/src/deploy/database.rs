//! `cargo xtask deploy db`: verify, back up, migrate, in this order, and nothing else.
//!
//! It checks nothing itself. What is verified is in [`super::predeploy`], what must hold at each
//! step in [`guards`], what a backup is worth in [`backup`]; and the runner takes a [`Permit`],
//! which for staging and production only guards and a backup make.

use std::time::Instant;

use anyhow::{Context as _, Result};

use super::predeploy;
use crate::cli::say;
use crate::cx::Cx;
use crate::database::backup::VerifiedBackup;
use crate::database::receipt::{Receipt, Took};
use crate::database::{AppEnv, Link, Permit, Target, backup};
use crate::exit::{self, Code};
use crate::guards::{self, Passed};
use crate::migrations::run::{Found, Wish};
use crate::project::migrate::apply::{self, Show};
use crate::repo;

/// Deploys the migrations of this commit to the database of `APP_ENV`; with `plan_hash`, only that
/// plan.
///
/// # Errors
/// Those of the step that failed; which one it was, and what is left, is printed.
pub(crate) fn deploy(cx: &Cx, plan_hash: Option<String>) -> Result<Code> {
    let ((), verify) = step(1, "verify", || predeploy::run(cx, None, false))?;
    let target = Target::read(cx)?;
    let (backup, backing_up) = step(2, "backup", || back_up(cx, &target))?;
    let backup_sha256 = backup.sha256().to_owned();
    let (passed, migrating) = step(3, "migrate", || migrate(cx, &target, backup, plan_hash))?;
    if target.app_env == AppEnv::Staging {
        let took = Took {
            verify,
            backup: backing_up,
            migrate: migrating,
        };
        let path = receipt(cx, &target, &passed, &backup_sha256, took)?.write(cx)?;
        say(format!("receipt {}", path.display()))?;
    }
    Ok(Code::Done)
}

/// Prints which step begins, and what is left where it fails. Answers its seconds besides.
fn step<T>(number: u8, name: &str, work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    say(format!("[STEP {number}/3] {name}"))?;
    let began = Instant::now();
    let done = work();
    if let Err(error) = &done {
        let code = exit::code_of(error) as u8;
        let left = if number < 3 {
            "database unchanged"
        } else {
            "what was applied before stays; cargo xtask migrate status shows it"
        };
        say(format!(
            "stopped in step {number}/3, exit code {code}: {left}"
        ))?;
    }
    Ok((done?, began.elapsed().as_secs_f64()))
}

fn back_up(cx: &Cx, target: &Target) -> Result<VerifiedBackup> {
    guards::pass(cx)?;
    let made = backup::make(cx, target)?;
    let again = backup::recheck(cx, made.path(), target)?;
    say(format!("ok    {}", again.path().display()))?;
    // What cannot go is in nobody's way: the new backup is proven.
    if let Err(error) = backup::retire(cx, &again) {
        say(format!("warn  {error:#}"))?;
    }
    Ok(again)
}

/// Applies what the guards are asked about here; answers their answer.
fn migrate(
    cx: &Cx,
    target: &Target,
    backup: VerifiedBackup,
    plan_hash: Option<String>,
) -> Result<Passed> {
    let passed = guards::pass(cx)?;
    let permit = Permit::guarded(&passed, backup)?;
    let wish = Wish {
        plan_hash,
        ..Wish::default()
    };
    apply::apply(cx, target, &permit, &wish, Show::Lines)?;
    Ok(passed)
}

fn receipt(
    cx: &Cx,
    target: &Target,
    passed: &Passed,
    backup_sha256: &str,
    took: Took,
) -> Result<Receipt> {
    let commit = repo::head(&cx.root)?.commit.context("there is no commit")?;
    let (identity, found) = cx.block_on(Link::look(target, async |link| {
        Ok((link.marker().await?.identity, Found::read(link).await?))
    }))?;
    Ok(Receipt::new(
        identity,
        passed.plan_hash().unwrap_or_default(),
        &found.applied,
        &commit,
        backup_sha256,
        took,
    ))
}
