//! `cargo xtask db drift`: what somebody changed in a database by hand.

use anyhow::Result;

use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::database::{Target, drift};
use crate::exit::Code;
use crate::report::text;

pub(super) fn run(cx: &Cx, json: bool) -> Result<Code> {
    let target = Target::read(cx)?;
    let seen = drift(cx, &target)?;
    let code = if seen.diff.is_some() {
        Code::Red
    } else {
        Code::Done
    };
    let migrations = text::plural(seen.applied, "applied migration");
    if json {
        say_json(&serde_json::json!({
            "database": target.to_string(),
            "applied": seen.applied,
            "diff": seen.diff,
        }))?;
        return Ok(code);
    }
    match seen.diff {
        None => say(format!("ok    `{target}` is as its {migrations} made it"))?,
        Some(diff) => {
            say(diff.trim_end())?;
            say(format!(
                "\ndrift `{target}` is not as its {migrations} made it: write a migration that does the same, or take the change back"
            ))?;
        }
    }
    Ok(code)
}
