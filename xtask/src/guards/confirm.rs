//! Somebody has said that production is meant.

use super::{Guard, PRODUCTION};
use crate::environment;
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "confirm",
    demands: "CONFIRM_PROD_MIGRATE=YES",
    on: PRODUCTION,
    marks: true,
    check: |_| {
        if environment::var("CONFIRM_PROD_MIGRATE").is_some_and(|value| value == "YES") {
            return Ok(());
        }
        Err(Problem::precondition("CONFIRM_PROD_MIGRATE is not `YES`")
            .help("set it for this one deployment, where a person approves it")
            .into())
    },
};
