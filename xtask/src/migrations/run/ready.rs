//! Whether a connection is one that may be asked, or migrated, and the database is ours. Reads only.

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use sqlx::postgres::PgConnection;

use crate::database::{Link, Target, clock, refusal};
use crate::exit::Problem;

/// The connection is one to write by: what [`to_read`] demands, and no replica.
///
/// # Errors
/// Exit 3, each with its own message.
pub(crate) async fn to_write(target: &Target, link: &mut Link) -> Result<marker::Found> {
    let found = to_read(target, link).await?;
    if let Link::Postgres { connection, .. } = link {
        replica(target, connection).await?;
    }
    Ok(found)
}

/// The connection is one to ask, and the database is the one that was marked for here: a clock
/// that is the server's, and the marker.
///
/// # Errors
/// Exit 3, each with its own message.
pub(crate) async fn to_read(target: &Target, link: &mut Link) -> Result<marker::Found> {
    if let Link::Postgres { connection, .. } = link {
        same_time(connection).await?;
    }
    let found = link.marker().await?;
    found
        .check(target.app_env.marker())
        .map_err(|why| refusal(target, &why))?;
    Ok(found)
}

async fn replica(target: &Target, connection: &mut PgConnection) -> Result<()> {
    // What the session began with: it may have been told since to write nothing.
    let (in_recovery, read_only): (bool, String) = sqlx::query_as(
        "select pg_is_in_recovery(), reset_val from pg_settings where name = 'default_transaction_read_only'",
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

async fn same_time(connection: &mut PgConnection) -> Result<()> {
    let micros: i64 =
        sqlx::query_scalar("select (extract(epoch from clock_timestamp()) * 1000000)::bigint")
            .fetch_one(connection)
            .await
            .context("failed to ask the server for the time")?;
    let server = Timestamp::from_microsecond(micros).context("the server names no time")?;
    let ahead = Timestamp::now().duration_since(server);
    if ahead.abs() <= clock::SKEW {
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
    .help(clock::SET)
    .into())
}
