//! The migrator's transaction around a file, and whether the file left it alone.
//!
//! The lint refuses a file that ends it, where the lint can read the file. The database is asked as
//! well: what such a file has committed stays when the rest of it fails, and has no row.

use super::Limits;
use crate::database::Link;
use crate::migrations::Engine;

/// Begins it. A mark in it is gone as soon as the transaction is: a savepoint of SQLite, a setting of
/// PostgreSQL that lives as long (a savepoint there would not let a file choose its isolation). Another
/// setting stays only if this very transaction is committed.
pub(super) async fn begin(link: &mut Link, limits: &Limits) -> sqlx::Result<()> {
    let opening = match link.engine() {
        Engine::Postgres => format!(
            "begin; set local lock_timeout = {}; set local statement_timeout = {}; \
             set local xtask.begun = on; set xtask.committed = on",
            limits.lock.as_millis(),
            limits.statement.as_millis()
        ),
        Engine::Sqlite => "begin immediate; savepoint xtask_begun".to_owned(),
    };
    link.execute(&opening).await
}

/// Whether it is still the one that was begun, once the file ended well.
pub(super) async fn is_open(link: &mut Link) -> sqlx::Result<bool> {
    match link {
        Link::Postgres { connection, .. } => {
            sqlx::query_scalar("select coalesce(current_setting('xtask.begun', true), '') = 'on'")
                .fetch_one(connection)
                .await
        }
        Link::Sqlite { .. } => is_there(link.execute("release xtask_begun").await),
    }
}

/// Rolls back what is open. Answers whether the file, which failed, had ended the transaction before.
pub(super) async fn undo(link: &mut Link) -> bool {
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
    is_elsewhere || was_committed(link).await
}

async fn was_committed(link: &mut Link) -> bool {
    let Link::Postgres { connection, .. } = link else {
        return false;
    };
    sqlx::query_scalar("select coalesce(current_setting('xtask.committed', true), '') = 'on'")
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
