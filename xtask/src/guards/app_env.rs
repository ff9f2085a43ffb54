//! The settings name the environment that is meant.

use super::{Guard, SHARED};
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "app-env",
    demands: "APP_ENV names this environment",
    on: SHARED,
    marks: true,
    check: |scene| {
        if scene.app_env == scene.environment {
            return Ok(());
        }
        Err(Problem::precondition(format!(
            "APP_ENV is `{}`, and `{}` is meant",
            scene.app_env, scene.environment
        ))
        .help("check APP_ENV and DATABASE_URL: the settings of two environments are mixed")
        .into())
    },
};
