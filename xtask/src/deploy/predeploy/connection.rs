//! The database answers, is one that migrations can be run on, and is marked as this environment's.

use anyhow::Result;

use super::Check;
use crate::cx::Cx;
use crate::database::{Link, Target};
use crate::migrations::run::ready;

pub(super) const CHECK: Check = Check {
    name: "connection",
    run,
};

fn run(cx: &Cx) -> Result<String> {
    let target = Target::read(cx)?;
    cx.block_on(Link::look(&target, async |link| look(&target, link).await))
}

async fn look(target: &Target, link: &mut Link) -> Result<String> {
    let ours = ready::to_write(target, link).await?;
    let expected = target.app_env.marker();
    Ok(format!("`{}` is marked `{expected}`", ours.identity))
}
