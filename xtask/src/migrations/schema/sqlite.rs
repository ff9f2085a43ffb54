//! The schema of a SQLite database: it keeps the text of each `CREATE` itself.

use std::fmt::Write as _;

use anyhow::{Context as _, Result};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;

use crate::migrations::own_tables;

/// Tables with their triggers and indexes, and views, by name. What SQLite made up itself has no
/// text.
const OBJECTS: &str = concat!(
    "select sql from sqlite_master
    where sql is not null and name not glob 'sqlite_*' and tbl_name not in ",
    own_tables!(sql),
    " order by tbl_name, case type when 'table' then 0 when 'view' then 1 when 'index' then 2 else 3 end, name"
);

/// Reads the whole schema.
pub(crate) async fn read(connection: &mut SqliteConnection) -> Result<String> {
    let rows = sqlx::query(OBJECTS)
        .fetch_all(connection)
        .await
        .context("failed to read the SQLite schema")?;
    let mut text = super::HEADER.to_owned();
    for row in rows {
        let sql: String = row.try_get(0)?;
        let _ = write!(text, "\n{};\n", sql.trim_end().replace("\r\n", "\n"));
    }
    Ok(text)
}
