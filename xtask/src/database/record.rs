//! What receipts and manifests of backups both write down of a database.

use marker::Identity;
use serde::{Deserialize, Serialize};
use sqlx::migrate::AppliedMigration;

/// A migration that the database has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Applied {
    pub(crate) version: i64,
    /// In hexadecimal, as `_sqlx_migrations` has it.
    pub(crate) checksum: String,
}

impl From<&AppliedMigration> for Applied {
    fn from(applied: &AppliedMigration) -> Self {
        Self {
            version: applied.version,
            checksum: marker::hex(&applied.checksum),
        }
    }
}

/// An [`Identity`] in JSON.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Identity", deny_unknown_fields)]
pub(crate) struct IdentityForm {
    system: String,
    database: String,
    server: String,
}
