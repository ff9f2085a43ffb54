//! The live schema is what its applied migrations make: nobody has changed it by hand.

use anyhow::Result;

use super::Check;
use crate::cx::Cx;
use crate::database::{Target, drift};
use crate::exit::{Code, Problem};
use crate::report::text;

pub(super) const CHECK: Check = Check {
    name: "schema",
    run,
};

fn run(cx: &Cx) -> Result<String> {
    let target = Target::read(cx)?;
    let seen = drift(cx, &target)?;
    match seen.diff {
        None => Ok(format!(
            "as {} made it",
            text::plural(seen.applied, "applied migration")
        )),
        Some(diff) => Err(Problem::new(
            Code::Red,
            format!("the schema of `{target}` is not what its migrations make:\n{}", diff.trim_end()),
        )
        .help("somebody changed it by hand: write a migration that does the same, or take the change back")
        .into()),
    }
}
