//! The database is named here and now, by no file and no default.

use super::{Guard, SHARED};
use crate::environment;
use crate::exit::Problem;
use crate::project::setup::DATABASE_URL;

pub(super) const GUARD: Guard = Guard {
    name: "database-url",
    demands: "DATABASE_URL is set in the environment",
    on: SHARED,
    marks: true,
    check: |_| {
        if environment::var(DATABASE_URL).is_some() {
            return Ok(());
        }
        Err(
            Problem::precondition("DATABASE_URL is not set in the environment")
                .help("set it to the database of this environment; it is read from nowhere else")
                .into(),
        )
    },
};
