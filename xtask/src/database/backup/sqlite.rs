//! Copies of a SQLite file, and what is in one.

use std::path::Path;

use anyhow::{Context as _, Result};
use futures_util::TryStreamExt as _;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use super::content::{Content, Sequence, Table};
use crate::database::{Link, on};
use crate::exit::{Code, Problem};

/// Writes a copy of the database into `file`, which is not there or empty.
pub(super) async fn copy(link: &mut Link, file: &Path) -> Result<()> {
    let Link::Sqlite { connection } = link else {
        return Err(Problem::bug("VACUUM INTO of PostgreSQL").into());
    };
    sqlx::query("vacuum into $1")
        .bind(file.display().to_string())
        .execute(connection)
        .await
        .with_context(|| {
            Problem::new(Code::Red, format!("failed to copy the database to `{}`", file.display()))
                .help("check free space, and `pragma integrity_check` of the database; nothing is left of this backup")
        })?;
    Ok(())
}

/// Whether the file is sound, and every reference leads somewhere.
///
/// # Errors
/// Exit 1, with the first of what is wrong.
pub(super) async fn check(link: &mut Link) -> Result<()> {
    const WHOLE: &str = "pragma integrity_check(5)";
    const REFERENCES: &str = "pragma foreign_key_check";
    let red = |what: String| {
        Problem::new(Code::Red, what).help("mend the rows in the database, then run this again")
    };
    let said: Vec<String> = on!(link, c => sqlx::query_scalar(WHOLE).fetch_all(&mut *c).await)
        .context("failed to check the copy")?;
    if said != ["ok"] {
        return Err(red(format!("the copy is damaged: {}", said.join("; "))).into());
    }
    let Link::Sqlite { connection } = link else {
        return Err(Problem::bug("a pragma for PostgreSQL").into());
    };
    let lost = sqlx::query(REFERENCES)
        .fetch_all(connection)
        .await
        .context("failed to check the references of the copy")?;
    if let Some(first) = lost.first() {
        let (table, parent): (String, String) = (first.try_get(0)?, first.try_get(2)?);
        return Err(red(format!(
            "{} without what they refer to, the first of `{table}` in `{parent}`",
            crate::report::text::plural(lost.len(), "row")
        ))
        .into());
    }
    Ok(())
}

/// Every table but the virtual ones, whose rows are in tables of their own.
pub(super) async fn content(connection: &mut SqliteConnection) -> Result<Content> {
    const TABLES: &str = "select name from sqlite_master
        where type = 'table' and name not like 'sqlite\\_%' escape '\\'
            and sql not like 'create virtual%' order by name";
    const COLUMNS: &str = "select name from pragma_table_info($1) order by cid";
    const COUNTED: &str = "select count(*) > 0 from sqlite_master where name = 'sqlite_sequence'";
    let tables: Vec<String> = sqlx::query_scalar(TABLES)
        .fetch_all(&mut *connection)
        .await
        .context("failed to list the tables")?;
    let mut content = Content::default();
    for name in tables {
        let columns: Vec<String> = sqlx::query_scalar(COLUMNS)
            .bind(&name)
            .fetch_all(&mut *connection)
            .await
            .with_context(|| format!("failed to list the columns of `{name}`"))?;
        let table = table(connection, &name, &columns)
            .await
            .with_context(|| format!("failed to read the table `{name}`"))?;
        content.tables.insert(name, table);
    }
    if sqlx::query_scalar(COUNTED)
        .fetch_one(&mut *connection)
        .await?
    {
        let rows: Vec<(String, i64)> = sqlx::query_as("select name, seq from sqlite_sequence")
            .fetch_all(connection)
            .await
            .context("failed to read the sequences")?;
        for (name, last) in rows {
            let last = Some(last);
            content.sequences.insert(name, Sequence { last, step: 1 });
        }
    }
    Ok(content)
}

async fn table(
    connection: &mut SqliteConnection,
    name: &str,
    columns: &[String],
) -> sqlx::Result<Table> {
    let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    // With its type, and exactly: `quote` cuts a text at a NUL, `hex` rounds a real number.
    let value = |column: &String| {
        let column = quoted(column);
        format!(
            "typeof({column}) || case typeof({column}) when 'real' then quote({column}) else hex({column}) end"
        )
    };
    let row = columns
        .iter()
        .map(value)
        .collect::<Vec<_>>()
        .join(" || ',' || ");
    let sql = format!("select {row} from {}", quoted(name));
    let mut rows = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch(connection);
    let (mut count, mut high, mut low) = (0_u64, 0_u128, 0_u128);
    while let Some(row) = rows.try_next().await? {
        let row: String = row;
        let hash = blake3::hash(row.as_bytes());
        let mut half = [0; 16];
        half.copy_from_slice(&hash.as_bytes()[..16]);
        let hash = u128::from_le_bytes(half);
        count += 1;
        high += hash >> 64;
        low += hash & u128::from(u64::MAX);
    }
    Ok(Table::new(count, &high, &low))
}
