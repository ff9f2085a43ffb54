//! Production is changed by a pipeline, whose log everybody can read.

use super::{Guard, PRODUCTION};
use crate::environment;
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "ci",
    demands: "CI=true",
    on: PRODUCTION,
    marks: true,
    check: |_| {
        if environment::is_ci() {
            return Ok(());
        }
        Err(
            Problem::precondition("CI is not `true`: this is no pipeline")
                .help("run it in the pipeline that deploys production")
                .into(),
        )
    },
};
