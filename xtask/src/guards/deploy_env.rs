//! A pipeline that names its environment names this one.

use super::{Guard, SHARED};
use crate::environment;
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "deploy-env",
    demands: "DEPLOY_ENV is absent, or names this environment",
    on: SHARED,
    marks: true,
    check: |scene| {
        let Some(named) = environment::var("DEPLOY_ENV") else {
            return Ok(());
        };
        if named == scene.environment.as_str() {
            return Ok(());
        }
        Err(Problem::precondition(format!(
            "DEPLOY_ENV is `{named}`, and `{}` is meant",
            scene.environment
        ))
        .help("run it in the pipeline of the environment that is meant")
        .into())
    },
};
