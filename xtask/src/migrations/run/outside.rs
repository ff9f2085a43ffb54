//! Statements that run outside of a transaction: what they leave when they fail or are killed, and
//! what a later run does about it.
//!
//! PostgreSQL takes one statement there, which by itself is whole or not there, but for those that
//! work in several transactions: a broken `CREATE INDEX CONCURRENTLY` leaves an INVALID index, which
//! takes part in every write and helps no read. What became of a statement is judged by the index
//! that it names, and by no other: others build indexes at the same time. So the index of that name
//! before the statement is kept in the journal.
//!
//! SQLite counts the changes of its schema: while the count is the one from before, nothing of a file
//! that changes the schema has been committed.

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgConnection;
use squawk_syntax::SyntaxKind;

use crate::database::Link;
use crate::migrations::lint;

/// An index of the name that a statement gives, wherever the session looks for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Index {
    oid: i64,
    valid: bool,
}

/// What is kept of a catalog in the journal.
pub(super) async fn before(link: &mut Link, sql: &str) -> Result<String> {
    match link {
        Link::Postgres { connection, .. } => {
            let named = named(connection, sql).await?;
            serde_json::to_string(&named).context("failed to render the state of the index")
        }
        Link::Sqlite { connection } => Ok(schema_version(connection).await?.to_string()),
    }
}

async fn schema_version(connection: &mut sqlx::SqliteConnection) -> Result<i64> {
    sqlx::query_scalar("pragma schema_version")
        .fetch_one(connection)
        .await
        .context("failed to read the schema version")
}

/// The index that `sql` names, if it names one and there is one.
async fn named(connection: &mut PgConnection, sql: &str) -> Result<Option<Index>> {
    const SQL: &str = "select indexrelid::int8, indisvalid from pg_index
        where indexrelid = to_regclass($1)::oid";
    let Some(name) = lint::index_name(sql) else {
        return Ok(None);
    };
    let row: Option<(i64, bool)> = sqlx::query_as(SQL)
        .bind(name)
        .fetch_optional(connection)
        .await
        .context("failed to look at the index")?;
    Ok(row.map(|(oid, valid)| Index { oid, valid }))
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

/// Drops the invalid index that the statement left, and tells how far it came. Answers also what was
/// dropped.
pub(super) async fn settle(
    link: &mut Link,
    sql: &str,
    before: &str,
) -> Result<(Outcome, Option<String>)> {
    match link {
        Link::Sqlite { connection } => {
            let is_unchanged = before == schema_version(connection).await?.to_string();
            let outcome = match lint::commits(sql) {
                lint::Commits::Schema | lint::Commits::Pieces if is_unchanged => Outcome::Again,
                lint::Commits::Schema => Outcome::Done,
                lint::Commits::Pieces | lint::Commits::Rows => Outcome::Unknown,
            };
            Ok((outcome, None))
        }
        Link::Postgres { connection, .. } => {
            let before: Option<Index> =
                serde_json::from_str(before).context("failed to read the state of the index")?;
            let now = named(connection, sql).await?;
            let is_new = now.map(|index| index.oid) != before.map(|index| index.oid);
            let name = lint::index_name(sql);
            Ok(match (lint::outside(sql), name) {
                (SyntaxKind::CREATE_INDEX, Some(name)) => match now {
                    Some(index) if is_new && index.valid => (Outcome::Done, None),
                    Some(_) if is_new => {
                        drop_invalid(connection, &name).await?;
                        (Outcome::Again, Some(name))
                    }
                    _ => (Outcome::Again, None),
                },
                (SyntaxKind::DROP_INDEX, Some(_)) if before.is_some() && now.is_none() => {
                    (Outcome::Done, None)
                }
                (SyntaxKind::DROP_INDEX, Some(_))
                | (
                    SyntaxKind::REFRESH
                    | SyntaxKind::VACUUM
                    | SyntaxKind::ANALYZE
                    | SyntaxKind::CLUSTER,
                    _,
                ) => (Outcome::Again, None),
                _ => (Outcome::Unknown, None),
            })
        }
    }
}

/// Drops the index of that name, unless it has become valid meanwhile.
async fn drop_invalid(connection: &mut PgConnection, name: &str) -> Result<()> {
    let sql = format!("drop index concurrently if exists {name}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(connection)
        .await
        .with_context(|| format!("failed to drop the invalid index `{name}`"))?;
    Ok(())
}

/// What is wrong with the index that a statement has made, though it ended well: `IF NOT EXISTS` is
/// content with one that an earlier attempt left.
pub(super) async fn fault(link: &mut Link, sql: &str) -> Result<Option<(String, &'static str)>> {
    let Link::Postgres { connection, .. } = link else {
        return Ok(None);
    };
    let Some(name) = lint::index_name(sql) else {
        return Ok(None);
    };
    let now = named(connection, sql).await?;
    Ok(match (lint::outside(sql), now) {
        (SyntaxKind::CREATE_INDEX, Some(index)) if !index.valid => Some((name, "is INVALID")),
        (SyntaxKind::CREATE_INDEX, None) => Some((name, "is not there")),
        (SyntaxKind::DROP_INDEX, Some(_)) => Some((name, "is still there")),
        _ => None,
    })
}
