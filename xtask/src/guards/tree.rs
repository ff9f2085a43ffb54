//! What is deployed is a commit, and nothing besides.

use anyhow::anyhow;

use super::{Guard, SHARED};
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "clean-tree",
    demands: "the work tree is a commit: nothing edited, nothing untracked that is not ignored",
    on: SHARED,
    marks: true,
    check: |scene| {
        let head = scene.head.as_ref().map_err(|error| anyhow!("{error:#}"))?;
        let problem = match (&head.commit, &head.changed[..]) {
            (Some(_), []) => return Ok(()),
            (Some(_), [first, more @ ..]) => {
                let more = match more.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                Problem::precondition(format!(
                    "the work tree differs from its commit: `{first}`{more}"
                ))
                .help("git status shows the files; deploy from a fresh clone")
            }
            (None, _) => Problem::precondition("there is no commit here")
                .help("deploy from a clone of the repository"),
        };
        Err(problem.into())
    },
};
