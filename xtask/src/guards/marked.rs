//! The database says itself which environment it is of, and that it is no copy.

use anyhow::anyhow;

use super::Guard;
use crate::database::{AppEnv, refusal};
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "marker",
    demands: "the database is marked as this environment's, and is no copy",
    on: &AppEnv::ALL,
    marks: false,
    check: |scene| {
        let database = scene.database.as_ref().map_err(|error| {
            anyhow!("{error:#}").context(
                Problem::precondition("the database cannot be asked for its marker")
                    .help("check DATABASE_URL"),
            )
        })?;
        let expected = scene.environment.marker();
        database
            .marker
            .check(expected)
            .map_err(|why| refusal(&database.target, &why).into())
    },
};
