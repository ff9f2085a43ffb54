//! What is applied here was applied in staging before.

use anyhow::anyhow;

use super::{Guard, PRODUCTION};
use crate::database::receipt::Receipt;
use crate::exit::Problem;

pub(super) const GUARD: Guard = Guard {
    name: "staging-receipt",
    demands: "a signed receipt shows that staging has applied each pending migration",
    on: PRODUCTION,
    marks: false,
    check: |scene| {
        let receipt = Receipt::read(&scene.root)?;
        let database = scene.database.as_ref().map_err(|error| {
            anyhow!("{error:#}").context(
                Problem::precondition("the database cannot be asked what is pending")
                    .help("check DATABASE_URL"),
            )
        })?;
        receipt.covers(&database.folder, &database.pending, scene.receipt_max_age_h)
    },
};
