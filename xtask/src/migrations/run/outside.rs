//! Statements that run outside of a transaction: what they leave when they fail or are killed, and
//! what a later run does about it.
//!
//! PostgreSQL takes one statement there, which by itself is whole or not there, but for those that
//! work in several transactions: a broken `CREATE INDEX CONCURRENTLY` leaves an INVALID index, which
//! takes part in every write and helps no read. So the indexes before the statement are kept in the
//! journal, and what is new and invalid after it is dropped.
//!
//! SQLite counts the changes of its schema: while the count is the one from before, nothing of the
//! file has been committed.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;
use squawk_syntax::SyntaxKind;

use crate::database::Link;
use crate::migrations::lint;

/// What is kept of a catalog in the journal.
pub(super) async fn before(link: &mut Link) -> Result<String> {
    match link {
        Link::Postgres { connection, .. } => {
            let indexes = indexes(connection).await?;
            serde_json::to_string(&indexes).context("failed to render the list of indexes")
        }
        Link::Sqlite { connection } => {
            let count: i64 = sqlx::query_scalar("pragma schema_version")
                .fetch_one(connection)
                .await
                .context("failed to read the schema version")?;
            Ok(count.to_string())
        }
    }
}

/// Valid or not, by oid.
type Indexes = BTreeMap<i64, bool>;

async fn indexes(connection: &mut PgConnection) -> Result<Indexes> {
    let rows: Vec<(i64, bool)> = sqlx::query_as(
        "select indexrelid::int8, indisvalid from pg_index where indexrelid >= 16384",
    )
    .fetch_all(connection)
    .await
    .context("failed to list the indexes")?;
    Ok(rows.into_iter().collect())
}

/// How much of a statement has happened, as the catalog shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// All of it.
    Done,
    /// Nothing, or what may be repeated: it is sent again.
    Again,
    /// The catalog does not tell.
    Unknown,
}

/// Drops the invalid indexes that were not there `before`, and tells how far the statement came.
/// Answers also what was dropped.
pub(super) async fn settle(
    link: &mut Link,
    sql: &str,
    before: &str,
) -> Result<(Outcome, Vec<String>)> {
    match link {
        Link::Sqlite { connection } => {
            let now: i64 = sqlx::query_scalar("pragma schema_version")
                .fetch_one(connection)
                .await
                .context("failed to read the schema version")?;
            let outcome = if before == now.to_string() {
                Outcome::Again
            } else if lint::is_one_transaction(sql) {
                Outcome::Done
            } else {
                Outcome::Unknown
            };
            Ok((outcome, Vec::new()))
        }
        Link::Postgres { connection, .. } => {
            let before: Indexes =
                serde_json::from_str(before).context("failed to read the list of indexes")?;
            let dropped = drop_invalid(connection, &before).await?;
            let after = indexes(connection).await?;
            let outcome = match lint::outside(sql) {
                SyntaxKind::CREATE_INDEX if is_new(&before, &after) => Outcome::Done,
                SyntaxKind::DROP_INDEX if is_gone(&before, &after) => Outcome::Done,
                SyntaxKind::CREATE_INDEX
                | SyntaxKind::DROP_INDEX
                | SyntaxKind::REINDEX
                | SyntaxKind::REFRESH
                | SyntaxKind::VACUUM
                | SyntaxKind::ANALYZE
                | SyntaxKind::CLUSTER => Outcome::Again,
                _ => Outcome::Unknown,
            };
            Ok((outcome, dropped))
        }
    }
}

fn is_new(before: &Indexes, after: &Indexes) -> bool {
    after
        .iter()
        .any(|(oid, valid)| *valid && !before.contains_key(oid))
}

fn is_gone(before: &Indexes, after: &Indexes) -> bool {
    before.keys().any(|oid| !after.contains_key(oid))
}

/// Drops the invalid indexes that were not there `before`; answers their names.
async fn drop_invalid(connection: &mut PgConnection, before: &Indexes) -> Result<Vec<String>> {
    let names = invalid(connection, before).await?;
    for name in &names {
        // `regclass` quotes the name as it must be.
        let sql = format!("drop index concurrently if exists {name}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
            .execute(&mut *connection)
            .await
            .with_context(|| format!("failed to drop the invalid index `{name}`"))?;
    }
    Ok(names)
}

/// Names of the indexes that are invalid and were not there `before`.
async fn invalid(connection: &mut PgConnection, before: &Indexes) -> Result<Vec<String>> {
    const SQL: &str = "select indexrelid::int8, indexrelid::regclass::text from pg_index
        where not indisvalid and indexrelid >= 16384";
    let rows: Vec<(i64, String)> = sqlx::query_as(SQL)
        .fetch_all(connection)
        .await
        .context("failed to list the invalid indexes")?;
    let is_new = |(oid, _): &(i64, String)| !before.contains_key(oid);
    Ok(rows
        .into_iter()
        .filter(is_new)
        .map(|(_, name)| name)
        .collect())
}

/// What a statement has left invalid, though it ended well.
pub(super) async fn left_invalid(link: &mut Link, before: &str) -> Result<Vec<String>> {
    let Link::Postgres { connection, .. } = link else {
        return Ok(Vec::new());
    };
    let before: Indexes =
        serde_json::from_str(before).context("failed to read the list of indexes")?;
    invalid(connection, &before).await
}
