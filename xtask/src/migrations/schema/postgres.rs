//! The schema of a PostgreSQL database. Not `pg_dump`: its text differs between releases, and it
//! knows no invalid index.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;
use sqlx::{Connection as _, Postgres, Row as _, Transaction};

use super::catalog;

const FAILED: &str = "failed to read the PostgreSQL schema";

/// One moment of the database, and nothing is written.
const BEGIN: &str = "begin isolation level repeatable read, read only";

/// The server writes names and constants as the session wants them; here it is always the same one.
const SETTINGS: &str = "set local search_path = public; set local timezone = 'UTC';
    set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local extra_float_digits = 1;
    set local bytea_output = 'hex'; set local quote_all_identifiers = off; set local standard_conforming_strings = on;
    set local lc_monetary = 'C'; set local xmlbinary = 'base64'";

/// Reads the whole schema. `connection` must not be in a transaction.
pub(crate) async fn read(connection: &mut PgConnection) -> Result<String> {
    let mut transaction = begin(connection).await?;
    let mut text = super::HEADER.to_owned();
    for (kind, query) in catalog::BEFORE {
        section(&mut text, kind, &lines(&mut transaction, query).await?);
    }
    text.push_str(&tables(&mut transaction).await?);
    for (kind, query) in catalog::AFTER {
        section(&mut text, kind, &lines(&mut transaction, query).await?);
    }
    transaction.rollback().await.context(FAILED)?;
    Ok(text)
}

/// Begins a transaction to read a schema in.
pub(super) async fn begin(connection: &mut PgConnection) -> Result<Transaction<'_, Postgres>> {
    let mut transaction = connection.begin_with(BEGIN).await.context(FAILED)?;
    sqlx::raw_sql(SETTINGS)
        .execute(&mut *transaction)
        .await
        .context(FAILED)?;
    Ok(transaction)
}

/// One query of each kind for all tables: a thousand of them take no longer than a few.
async fn tables(connection: &mut PgConnection) -> Result<String> {
    let mut bodies: BTreeMap<i64, Vec<String>> = BTreeMap::new();
    for query in [catalog::COLUMNS, catalog::CONSTRAINTS] {
        for row in sqlx::query(query).fetch_all(&mut *connection).await? {
            let body = bodies.entry(row.try_get(0)?).or_default();
            body.push(format!("    {}", row.try_get::<String, _>(1)?));
        }
    }
    let mut text = String::new();
    for row in sqlx::query(catalog::TABLES)
        .fetch_all(&mut *connection)
        .await?
    {
        let body = bodies.remove(&row.try_get(0)?).unwrap_or_default();
        let (head, tail): (String, String) = (row.try_get(1)?, row.try_get(2)?);
        let _ = write!(text, "\n{head} (\n{}\n){tail}\n", body.join(",\n"));
    }
    Ok(text)
}

async fn lines(connection: &mut PgConnection, query: &'static str) -> Result<Vec<String>> {
    let rows = sqlx::query(query)
        .fetch_all(connection)
        .await
        .context(FAILED)?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

fn section(text: &mut String, kind: &str, lines: &[String]) {
    if !lines.is_empty() {
        let _ = write!(text, "\n-- {kind}\n");
    }
    for line in lines {
        // The text of a function is as it was sent.
        let _ = writeln!(text, "{}", line.trim_end().replace("\r\n", "\n"));
    }
}
