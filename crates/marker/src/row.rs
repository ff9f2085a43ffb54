//! The row of `_env_marker`: one shape, and one text of SQL, in both engines.

use crate::{Environment, Identity, Marker, seal};

/// The columns of [`statements!`]'s `READ`, in its order.
pub(crate) type Row = (String, String, String, String, String);

/// `READ` and `WRITE` of the table in the schema `$schema`. It is always named: what stands before
/// it on a search path, or a temporary table, is not the marker.
macro_rules! statements {
    ($schema:literal) => {
        const READ: &str = concat!(
            "SELECT env, system_id, database_name, server, seal FROM ",
            $schema,
            "._env_marker WHERE id = 1"
        );
        const WRITE: &str = concat!(
            "INSERT INTO ",
            $schema,
            "._env_marker (id, env, system_id, database_name, server, seal)
            VALUES (1, $1, $2, $3, $4, $5)
            ON CONFLICT (id) DO UPDATE SET env = excluded.env, system_id = excluded.system_id,
                database_name = excluded.database_name, server = excluded.server,
                seal = excluded.seal, marked_at = excluded.marked_at"
        );
    };
}
pub(crate) use statements;

impl Marker {
    /// A row is written with the table: one that is gone was taken away by hand, and leaves a marker
    /// of empty texts.
    pub(crate) fn of_row(row: Option<Row>) -> Self {
        let (environment, system, database, server, seal) = row.unwrap_or_default();
        Self {
            environment,
            identity: Identity {
                system,
                database,
                server,
            },
            seal,
        }
    }
}

/// What `WRITE` binds, in its order.
pub(crate) fn values(environment: Environment, identity: &Identity) -> [String; 5] {
    [
        environment.to_string(),
        identity.system.clone(),
        identity.database.clone(),
        identity.server.clone(),
        seal(environment, identity),
    ]
}
