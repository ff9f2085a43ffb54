//! What a database holds, so that two databases can be compared.
//!
//! The digest of a table is the sum over its rows of a hash of each row: it does not depend on the
//! order in which the rows are read, and takes no memory. A changed byte, or values swapped between
//! rows, change the hash of a row; a row that is doubled or missing changes sum and count. Sums and
//! not XOR, in which a doubled row hides. That two contents have one digest by accident has a chance
//! of 2^-128; who makes them so on purpose is stopped by the SHA-256 of the dump, not by this.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sqlx::postgres::PgConnection;

use super::sqlite;
use crate::database::Link;

/// Tables and sequences by their full name, `schema.table` (SQLite: `table`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Content {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) sequences: BTreeMap<String, Sequence>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Table {
    pub(crate) rows: u64,
    /// In hexadecimal.
    pub(crate) digest: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sequence {
    /// None while it gave none.
    pub(crate) last: Option<i64>,
    /// What it is advanced by.
    pub(crate) step: i64,
}

impl Table {
    /// Of `rows` hashes of 128 bits, whose halves have these sums.
    pub(super) fn new(
        rows: u64,
        high: &dyn std::fmt::Display,
        low: &dyn std::fmt::Display,
    ) -> Self {
        let text = format!("{rows}:{high}:{low}");
        Self {
            rows,
            digest: marker::hex(&Sha256::digest(text)),
        }
    }
}

impl Content {
    /// Reads everything; the link is in the transaction whose snapshot is meant.
    pub(super) async fn read(link: &mut Link) -> Result<Self> {
        match link {
            Link::Postgres { connection, .. } => of_postgres(connection).await,
            Link::Sqlite { connection } => sqlite::content(connection).await,
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.tables.values().map(|table| table.rows).sum()
    }

    /// What a copy has otherwise, one line each.
    pub(super) fn differences(&self, copy: &Content) -> Vec<String> {
        let mut lines = Vec::new();
        for (name, table) in &self.tables {
            match copy.tables.get(name) {
                None => lines.push(format!("table `{name}` is missing")),
                Some(other) if other.rows != table.rows => lines.push(format!(
                    "table `{name}` has {} rows instead of {}",
                    other.rows, table.rows
                )),
                Some(other) if other != table => {
                    lines.push(format!("table `{name}` has other content"));
                }
                Some(_) => {}
            }
        }
        let more = |name: &&String| !self.tables.contains_key(*name);
        for name in copy.tables.keys().filter(more) {
            lines.push(format!("table `{name}` is there besides"));
        }
        for (name, sequence) in &self.sequences {
            match copy.sequences.get(name) {
                None => lines.push(format!("sequence `{name}` is missing")),
                Some(other) if other != sequence => lines.push(format!(
                    "sequence `{name}` stands at {} instead of {}",
                    shown(*other),
                    shown(*sequence)
                )),
                Some(_) => {}
            }
        }
        lines
    }

    /// Takes the sequences as a dump has them. They are in no snapshot and advance while it is
    /// taken: the dump's must not be behind ours, which were read before. What is behind stays, and
    /// is found as a difference.
    pub(super) fn advance(&mut self, dumped: &Content) {
        for (name, sequence) in &mut self.sequences {
            let Some(later) = dumped.sequences.get(name) else {
                continue;
            };
            let is_behind = match (sequence.last, later.last) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(ours), Some(later)) if sequence.step < 0 => later > ours,
                (Some(ours), Some(later)) => later < ours,
            };
            if !is_behind {
                sequence.last = later.last;
            }
        }
    }
}

fn shown(sequence: Sequence) -> String {
    (sequence.last).map_or_else(|| "its start".to_owned(), |last| last.to_string())
}

/// How values are written decides the hashes, so nothing of it is left to the server, the role or
/// the database. Without a search path every name is written in full; rows that a policy hides are
/// an error.
pub(super) const AS_TEXT: &str = "set local search_path = ''; set local row_security = off;
    set local datestyle = 'ISO, YMD'; set local intervalstyle = 'postgres'; set local timezone = 'UTC';
    set local extra_float_digits = 1; set local bytea_output = 'hex'; set local lc_monetary = 'C';
    set local xmlbinary = 'base64'; set local client_encoding = 'UTF8';
    set local statement_timeout = 0; set local idle_in_transaction_session_timeout = 0;";

async fn of_postgres(connection: &mut PgConnection) -> Result<Content> {
    // Partitioned tables have no rows of their own. What an extension brought is not dumped.
    const TABLES: &str =
        "select n.nspname || '.' || c.relname, format('%I.%I', n.nspname, c.relname)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where c.relkind = 'r' and n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
            and not exists (select from pg_depend d
                where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
        order by 1";
    const SEQUENCES: &str =
        "select s.schemaname || '.' || s.sequencename, s.last_value, s.increment_by
        from pg_sequences s
        where not exists (select from pg_depend d
                where d.classid = 'pg_class'::regclass and d.deptype = 'e'
                    and d.objid = format('%I.%I', s.schemaname, s.sequencename)::regclass)
        order by 1";
    let tables: Vec<(String, String)> = sqlx::query_as(TABLES)
        .fetch_all(&mut *connection)
        .await
        .context("failed to list the tables")?;
    let mut content = Content::default();
    for (name, quoted) in tables {
        // The encoding of the copy may be another.
        let sql = format!(
            "select count(*), coalesce(sum(('x' || left(h, 16))::bit(64)::int8), 0)::text,
                coalesce(sum(('x' || right(h, 16))::bit(64)::int8), 0)::text
            from (select md5(convert_to((t.*)::text, 'UTF8')) as h from only {quoted} as t offset 0) as hashed"
        );
        let (rows, high, low): (i64, String, String) = sqlx::query_as(sqlx::AssertSqlSafe(sql))
            .fetch_one(&mut *connection)
            .await
            .with_context(|| format!("failed to read the table `{name}`"))?;
        let rows = u64::try_from(rows).unwrap_or_default();
        content.tables.insert(name, Table::new(rows, &high, &low));
    }
    let sequences: Vec<(String, Option<i64>, i64)> = sqlx::query_as(SEQUENCES)
        .fetch_all(connection)
        .await
        .context("failed to read the sequences")?;
    for (name, last, step) in sequences {
        content.sequences.insert(name, Sequence { last, step });
    }
    Ok(content)
}
