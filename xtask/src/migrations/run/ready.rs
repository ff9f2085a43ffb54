//! Whether a connection is one that migrations may be run on. Reads only.

use anyhow::{Context as _, Result};
use jiff::{SignedDuration, Timestamp};
use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::database::{Link, Target};
use crate::exit::Problem;

/// How far this machine's clock may be from the server's: ages of backups and receipts are measured
/// in hours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// Refuses a pooler that hands each transaction to another session, a replica, and a clock that is
/// not the server's.
///
/// # Errors
/// Exit 3, each with its own message.
pub(crate) async fn check(target: &Target, link: &mut Link) -> Result<()> {
    // First, because all else is asked through it.
    check_to_read(target, link).await?;
    match link {
        Link::Sqlite { .. } => Ok(()),
        Link::Postgres { connection, .. } => replica(target, connection).await,
    }
}

/// What also a session must be that only reads: it may be of a role that cannot write.
///
/// # Errors
/// Exit 3, each with its own message.
pub(crate) async fn check_to_read(target: &Target, link: &mut Link) -> Result<()> {
    let Link::Postgres { connection, .. } = link else {
        return Ok(());
    };
    pooler(target, connection).await?;
    clock(connection).await
}

async fn replica(target: &Target, connection: &mut PgConnection) -> Result<()> {
    let (in_recovery, read_only): (bool, String) = sqlx::query_as(
        "select pg_is_in_recovery(), current_setting('default_transaction_read_only')",
    )
    .fetch_one(connection)
    .await
    .context("failed to ask whether the server is a replica")?;
    if in_recovery {
        return Err(Problem::precondition(format!(
            "`{target}` is a replica, and takes no changes"
        ))
        .help("set DATABASE_URL to the primary")
        .into());
    }
    if read_only == "on" {
        return Err(Problem::precondition(format!(
            "sessions of `{target}` are read-only (default_transaction_read_only)"
        ))
        .help("migrate as the role that owns the schema; see cargo xtask db roles")
        .into());
    }
    Ok(())
}

/// What a session sets must still be there in its next transaction, on the same backend. Asked
/// without prepared statements, which a pooler breaks before it can be recognised.
async fn pooler(target: &Target, connection: &mut PgConnection) -> Result<()> {
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

async fn clock(connection: &mut PgConnection) -> Result<()> {
    let micros: i64 =
        sqlx::query_scalar("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
            .fetch_one(connection)
            .await
            .context("failed to ask the server for the time")?;
    let server = Timestamp::from_microsecond(micros).context("the server names no time")?;
    let ahead = Timestamp::now().duration_since(server);
    if ahead.abs() <= SKEW {
        return Ok(());
    }
    let way = if ahead.is_negative() {
        "behind"
    } else {
        "ahead of"
    };
    Err(Problem::precondition(format!(
        "this machine's clock is {} min {way} the server's",
        ahead.abs().as_mins()
    ))
    .help("set the clock (ntp): the ages of backups and receipts are measured with it")
    .into())
}
