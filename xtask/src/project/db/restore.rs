//! `cargo xtask db restore`.

use std::path::Path;

use anyhow::Result;

use crate::cli::say;
use crate::cx::Cx;
use crate::database::backup::{self, Kept};
use crate::database::{AppEnv, Target};
use crate::environment;
use crate::exit::{Code, Problem};
use crate::report::text::plural;

pub(super) fn restore(cx: &Cx, manifest: &Path) -> Result<Code> {
    let target = Target::read(cx)?;
    // Real customers' data goes where the people of the pipeline let it, not onto a laptop.
    if target.app_env == AppEnv::Production && !environment::is_ci() {
        return Err(Problem::precondition(
            "production is restored by CI alone, and CI is not `true`",
        )
        .help("start the recovery job; to look at a backup: cargo xtask db drill")
        .into());
    }
    let kept = Kept::read(manifest)?;
    let content = backup::restore(cx, &kept, &target)?;
    say(format!(
        "done  restored {} into `{target}` and compared: {} of {}",
        plural(content.tables.len(), "table"),
        content.rows(),
        kept.manifest.created_at
    ))?;
    say(format!(
        "next: its marker says that it is a copy. When it is to take the place of the original: cargo xtask db mark {} --adopt",
        kept.manifest.environment
    ))?;
    Ok(Code::Done)
}
