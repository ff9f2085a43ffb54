//! The database answers, is one that migrations can be run on, and is marked as this environment's.

use anyhow::Result;

use super::Check;
use crate::cx::Cx;
use crate::database::{Link, Target, refusal};
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
    let marker = link.marker().await?;
    let expected = target.app_env.marker();
    (marker.check(expected)).map_err(|why| refusal(target, &why))?;
    ready::check(target, link).await?;
    Ok(format!("`{}` is marked `{expected}`", marker.identity))
}
