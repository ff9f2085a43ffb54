//! Production runs releases.

use anyhow::anyhow;

use super::{Guard, PRODUCTION};
use crate::exit::Problem;
use crate::repo;

pub(super) const GUARD: Guard = Guard {
    name: "release-tag",
    demands: "HEAD has a release tag: vX.Y.Z, or vX.Y.Z-rc.N",
    on: PRODUCTION,
    marks: true,
    check: |scene| {
        let tags = scene.tags.as_ref().map_err(|error| anyhow!("{error:#}"))?;
        if tags.iter().any(|tag| repo::release(tag).is_some()) {
            return Ok(());
        }
        Err(Problem::precondition("HEAD has no release tag")
            .help("check out the tag of the release: git switch --detach vX.Y.Z")
            .into())
    },
};
