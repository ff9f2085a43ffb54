//! A pooler that hands each transaction to another session.

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use super::Target;
use crate::exit::Problem;

/// What a session sets must still be there in its next transaction, on the same backend. Asked
/// without prepared statements, which a pooler breaks before it can be recognised; and before anything
/// that has an effect is set, which would reach the sessions of others.
///
/// # Errors
/// Exit 3.
pub(super) async fn refuse(target: &Target, connection: &mut PgConnection) -> Result<()> {
    const LOOK: &str =
        "select pg_backend_pid(), coalesce(current_setting('xtask.session', true), '')";
    let mine = format!(
        "{}-{}",
        std::process::id(),
        Timestamp::now().as_nanosecond()
    );
    let set = format!("select pg_backend_pid(), set_config('xtask.session', '{mine}', false)");
    let (set_by, _) = session(connection, &set).await?;
    for _ in 0..3 {
        let (backend, seen) = session(connection, LOOK).await?;
        if backend != set_by || seen != mine {
            return Err(Problem::precondition(format!(
                "`{target}` is behind a pooler that gives each transaction another session"
            ))
            .help("set DATABASE_URL to the server itself, or to a pool in session mode: locks and settings of a migration live in its session")
            .into());
        }
    }
    Ok(())
}

async fn session(connection: &mut PgConnection, sql: &str) -> Result<(i32, String)> {
    let row = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .fetch_one(connection)
        .await
        .context("failed to look for a connection pooler")?;
    Ok((row.try_get(0)?, row.try_get(1)?))
}
