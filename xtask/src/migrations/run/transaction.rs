//! The migrator's transaction around a file, and whether the file left it alone.
//!
//! The lint refuses a file that ends it, where the lint can read the file. The database is asked as
//! well: what such a file has committed stays when the rest of it fails, and has no row.

use std::time::Duration;

use sqlx::error::DatabaseError;
use sqlx::migrate::Migration;

use super::{Limits, state};
use crate::database::{FRESH, Link};
use crate::migrations::Engine;

/// Why it was not committed.
#[derive(Debug)]
pub(super) enum Fault {
    /// The file had ended it before.
    Ended,
    Failed(sqlx::Error),
}

/// Begins it. A mark in it is gone as soon as the transaction is: a savepoint of SQLite, a setting of
/// PostgreSQL that lives as long (a savepoint there would not let a file choose its isolation). Another
/// setting has the version only if this very transaction is committed.
pub(super) async fn begin(link: &mut Link, limits: &Limits, version: i64) -> sqlx::Result<()> {
    let opening = match link.engine() {
        Engine::Postgres => format!(
            "begin; set local lock_timeout = {}; set local statement_timeout = {}; \
             set local xtask.begun = on; set xtask.committed = '{version}'",
            limits.lock.as_millis(),
            limits.statement.as_millis()
        ),
        Engine::Sqlite => "begin immediate; savepoint xtask_begun".to_owned(),
    };
    link.execute(&opening).await
}

/// Commits it with the row of sqlx's table, in one message, once the file ended well. Where it is not
/// the transaction that was begun, its mark is missing, and nothing is written. The message ends with a
/// session for the next file that is as if none had been sent before.
pub(super) async fn commit(
    link: &mut Link,
    migration: &Migration,
    took: Duration,
) -> Result<(), Fault> {
    let engine = link.engine();
    let hex = marker::hex(&migration.checksum);
    let (mark, checksum, fresh) = match engine {
        Engine::Postgres => (
            "current_setting('xtask.begun')::boolean",
            format!("decode('{hex}', 'hex')"),
            FRESH,
        ),
        Engine::Sqlite => {
            let released = link.execute("release xtask_begun").await;
            if !is_there(released).map_err(Fault::Failed)? {
                return Err(Fault::Ended);
            }
            ("true", format!("x'{hex}'"), "")
        }
    };
    let sql = format!(
        "insert into {} (version, description, success, checksum, execution_time)
        values ({}, '{}', {mark}, {checksum}, {}); commit; {fresh}",
        state::table(engine),
        migration.version,
        migration.description.replace('\'', "''"),
        took.as_nanos()
    );
    link.execute(&sql).await.map_err(|error| {
        // It is unknown, or empty, which is no boolean.
        let code = error.as_database_error().and_then(DatabaseError::code);
        match code.as_deref() {
            Some("42704" | "22P02") => Fault::Ended,
            _ => Fault::Failed(error),
        }
    })
}

/// Rolls back what is open. Answers whether the file, which failed, had ended the transaction before.
pub(super) async fn undo(link: &mut Link, version: i64) -> bool {
    // The transaction in which a statement of PostgreSQL failed takes no other.
    let is_elsewhere = match link.engine() {
        Engine::Postgres => link.execute("select").await.is_ok(),
        Engine::Sqlite => {
            let found = is_there(link.execute("rollback to xtask_begun").await);
            matches!(found, Ok(false))
        }
    };
    // Where the session is gone, so is its transaction.
    let _ = link.execute("rollback").await;
    is_elsewhere || was_committed(link, version).await
}

async fn was_committed(link: &mut Link, version: i64) -> bool {
    let Link::Postgres { connection, .. } = link else {
        return false;
    };
    sqlx::query_scalar("select coalesce(current_setting('xtask.committed', true), '') = $1")
        .bind(version.to_string())
        .fetch_one(connection)
        .await
        .unwrap_or(false)
}

/// Whether SQLite knew the savepoint.
fn is_there(asked: sqlx::Result<()>) -> sqlx::Result<bool> {
    match asked {
        Err(sqlx::Error::Database(_)) => Ok(false),
        other => other.map(|()| true),
    }
}
