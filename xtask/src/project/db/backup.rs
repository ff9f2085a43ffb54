//! `cargo xtask db backup` and `verify`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::database::{Target, backup};
use crate::exit::Code;
use crate::report::terminal::seconds;
use crate::report::text::plural;

pub(super) fn make(cx: &Cx, json: bool) -> Result<Code> {
    let target = Target::read(cx)?;
    let made = backup::make(cx, &target)?;
    if json {
        say_json(&serde_json::json!({
            "path": made.path(),
            "manifest": made.manifest(),
        }))?;
        backup::retire(cx, &made)?;
        return Ok(Code::Done);
    }
    let took = Duration::from_millis(made.manifest().took_ms);
    say(format!(
        "done  backed up `{target}` in {}, restored and compared: {}",
        seconds(took),
        counts(&made)?
    ))?;
    say(format!("      {}", made.path().display()))?;
    backup::retire(cx, &made)?;
    Ok(Code::Done)
}

pub(super) fn verify(cx: &Cx, manifest: &Path) -> Result<Code> {
    let target = Target::read(cx)?;
    let verified = backup::verify(cx, manifest, &target)?;
    say(format!(
        "ok    `{}` of {} is whole, restored and compared: {}",
        verified.path().display(),
        verified.created_at(),
        counts(&verified)?
    ))?;
    Ok(Code::Done)
}

fn counts(backup: &backup::VerifiedBackup) -> Result<String> {
    let manifest = backup.manifest();
    let rows = usize::try_from(manifest.content.rows()).context("more rows than can be counted")?;
    Ok(format!(
        "{}, {}, {} KiB",
        plural(manifest.content.tables.len(), "table"),
        plural(rows, "row"),
        manifest.dump.bytes.div_ceil(1024)
    ))
}
