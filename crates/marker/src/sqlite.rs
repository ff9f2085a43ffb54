//! The marker in SQLite.

use sqlx::query::Query;
use sqlx::sqlite::SqliteConnection;

use crate::{Environment, Found, Identity, Marker, row};

const EXISTS: &str =
    "SELECT count(*) > 0 FROM main.sqlite_master WHERE type = 'table' AND name = '_env_marker'";
const PATH: &str = "SELECT file FROM pragma_database_list WHERE name = 'main'";
/// A random id in the form of a UUID of version 4.
const NEW_ID: &str = "
SELECT lower(substr(h, 1, 8) || '-' || substr(h, 9, 4) || '-4' || substr(h, 14, 3) || '-a'
    || substr(h, 18, 3) || '-' || substr(h, 21, 12))
FROM (SELECT hex(randomblob(16)) AS h)";
const CREATE: &str = "
CREATE TABLE IF NOT EXISTS main._env_marker (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    env TEXT NOT NULL CHECK (env IN ('dev', 'staging', 'prod')),
    system_id TEXT NOT NULL,
    database_name TEXT NOT NULL,
    server TEXT NOT NULL,
    seal TEXT NOT NULL,
    marked_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
)";
row::statements!("main");

/// Reads marker and identity; writes nothing.
///
/// # Errors
/// What the database says. A missing table is none.
pub async fn read(connection: &mut SqliteConnection) -> sqlx::Result<Found> {
    let database: String = sqlx::query_scalar(PATH).fetch_one(&mut *connection).await?;
    let exists: bool = sqlx::query_scalar(EXISTS)
        .fetch_one(&mut *connection)
        .await?;
    let marker = if exists {
        let row = sqlx::query_as(READ).fetch_optional(connection).await?;
        Some(Marker::of_row(row))
    } else {
        None
    };
    // A file has no id but the one that marking gave it: the path alone tells a copy.
    let system = marker
        .as_ref()
        .map_or_else(String::new, |marker| marker.identity.system.clone());
    Ok(Found {
        marker,
        identity: Identity {
            system,
            database,
            server: String::new(),
        },
    })
}

/// Marks the database as `environment`, with a new id, whatever it was before: whether it may be is
/// the caller's to know. Gives what [`read`] will find.
///
/// # Errors
/// What the database says.
pub async fn write(
    connection: &mut SqliteConnection,
    environment: Environment,
) -> sqlx::Result<Found> {
    let mut identity = read(connection).await?.identity;
    identity.system = sqlx::query_scalar(NEW_ID)
        .fetch_one(&mut *connection)
        .await?;
    sqlx::raw_sql(CREATE).execute(&mut *connection).await?;
    let values = row::values(environment, &identity);
    let write = values.into_iter().fold(sqlx::query(WRITE), Query::bind);
    write.execute(&mut *connection).await?;
    read(connection).await
}
