//! The logical schema of SQLite, from its pragmas. Virtual tables have no twin, and are left out.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use sqlx::Row as _;
use sqlx::sqlite::{SqliteConnection, SqliteRow};

use super::{Column, Index, Logical, Reference};
use crate::migrations::lint::sqlite::checks;
use crate::migrations::own_tables;

macro_rules! each_table {
    ($select:literal, $pragma:literal) => {
        concat!(
            "select lower(m.name), ",
            $select,
            " from sqlite_master m join pragma_table_list l on l.schema = 'main' and l.name = m.name and l.type in ('table', 'view') ",
            $pragma,
            " where m.name not glob 'sqlite_*' and m.name not in ",
            own_tables!(sql)
        )
    };
}

const TABLES: &str = each_table!("m.type = 'view', m.sql", "");

/// A table numbers its rows by itself where its key is one column of the very type `INTEGER`.
const COLUMNS: &str = concat!(
    each_table!(
        "lower(c.name), c.type, c.dflt_value, c.pk, c.hidden in (2, 3), c.\"notnull\",
            c.pk = 1 and upper(c.type) = 'INTEGER' and l.wr = 0 and (select count(*) from pragma_table_xinfo(m.name) k where k.pk > 0) = 1",
        "join pragma_table_xinfo(m.name) c"
    ),
    " and m.type = 'table' and c.hidden <> 1 order by m.name, c.cid"
);

const INDEXES: &str = concat!(
    each_table!(
        "i.name, i.\"unique\", i.partial, coalesce(lower(x.name), '(expression)')",
        "join pragma_index_list(m.name) i join pragma_index_info(i.name) x"
    ),
    " and i.origin <> 'pk' order by m.name, i.name, x.seqno"
);

const REFERENCES: &str = concat!(
    each_table!(
        "f.id, lower(f.\"table\"), lower(f.\"from\"), lower(f.\"to\"), f.on_delete, f.on_update",
        "join pragma_foreign_key_list(m.name) f"
    ),
    " order by m.name, f.id, f.seq"
);

impl Logical {
    /// Reads it.
    pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<Self> {
        let mut logical = Self::default();
        for row in rows(connection, TABLES).await? {
            let name = row.try_get(0)?;
            if row.try_get(1)? {
                logical.views.insert(name);
            } else {
                logical.table(name).checks = checks(row.try_get(2)?);
            }
        }
        let mut keys: BTreeMap<(String, i64), String> = BTreeMap::new();
        for row in rows(connection, COLUMNS).await? {
            let (shown, is_set, numbered): (String, bool, bool) =
                (row.try_get(2)?, row.try_get(6)?, row.try_get(7)?);
            let column = Column {
                name: row.try_get(1)?,
                base: shown.split('(').next().unwrap_or("").trim().to_lowercase(),
                shown,
                nullable: !is_set && !numbered,
                default: row.try_get(3)?,
                numbered,
                computed: row.try_get(5)?,
            };
            let place: i64 = row.try_get(4)?;
            if place > 0 {
                keys.insert((row.try_get(0)?, place), column.name.clone());
            }
            logical.table(row.try_get(0)?).columns.push(column);
        }
        for ((table, _), column) in keys {
            logical.table(table).key.push(column);
        }
        let mut indexes: BTreeMap<(String, String), Index> = BTreeMap::new();
        for row in rows(connection, INDEXES).await? {
            let index = indexes.entry((row.try_get(0)?, row.try_get(1)?));
            let index = index.or_insert(Index {
                columns: Vec::new(),
                unique: row.try_get(2)?,
                partial: row.try_get(3)?,
            });
            index.columns.push(row.try_get(4)?);
        }
        for ((table, _), index) in indexes {
            logical.table(table).indexes.insert(index);
        }
        let mut references: BTreeMap<(String, i64), Reference> = BTreeMap::new();
        for row in rows(connection, REFERENCES).await? {
            let reference = references.entry((row.try_get(0)?, row.try_get(1)?));
            let reference = reference.or_insert(Reference {
                columns: Vec::new(),
                table: row.try_get(2)?,
                targets: Vec::new(),
                on_delete: row.try_get(5)?,
                on_update: row.try_get(6)?,
            });
            reference.columns.push(row.try_get(3)?);
            // Nothing where the key is meant.
            let target: Option<String> = row.try_get(4)?;
            reference.targets.extend(target);
        }
        for ((table, _), mut reference) in references {
            if reference.targets.is_empty() {
                let target = logical.tables.get(&reference.table);
                reference.targets = target.map(|to| to.key.clone()).unwrap_or_default();
            }
            logical.table(table).references.insert(reference);
        }
        Ok(logical)
    }
}

async fn rows(connection: &mut SqliteConnection, query: &'static str) -> Result<Vec<SqliteRow>> {
    let rows = sqlx::query(query).fetch_all(connection).await;
    rows.context("failed to read the logical schema of SQLite")
}
