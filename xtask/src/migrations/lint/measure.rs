//! The lint's verdicts held against a server: what a statement locks, reads and rewrites is asked of
//! PostgreSQL itself, in the transaction that did it. Its counters move on empty tables too, so no
//! rows are needed.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, Row as _};

use super::operations::{Class, Op, Work};
use super::{Sql, text};
use crate::migrations::Engine;
use crate::report::Finding;

/// A statement of a new file, and what the lint says of it.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) text: String,
    pub(crate) ops: Vec<Op>,
    /// Runs in a transaction, and so can be asked about before it ends.
    pub(crate) in_transaction: bool,
}

impl Statement {
    /// Whether the lint calls it heavy; `None` where that depends on more than the statement.
    fn is_heavy(&self) -> Option<bool> {
        let rows = || self.ops.iter().map(|op| op.row());
        if rows().any(|row| row.work == Work::Depends) {
            return None;
        }
        Some(rows().any(|row| row.class != Class::Safe && row.work != Work::None))
    }
}

/// Tables and materialized views with their file and how often this transaction has read them.
const RELATIONS: &str = "select oid::int8, relfilenode::int8, pg_stat_get_xact_numscans(oid),
        oid::regclass::text,
        (select string_agg(distinct mode, ', ') from pg_locks where pid = pg_backend_pid() and granted and relation = c.oid
           and mode in ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'))
    from pg_class c where relkind in ('r', 'm', 'p') and relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)
      and relnamespace::regnamespace::text !~ '^pg_(toast|temp)'";

struct Relation {
    file: i64,
    scans: i64,
    name: String,
    locks: Option<String>,
}

async fn relations(connection: &mut PgConnection) -> Result<BTreeMap<i64, Relation>, sqlx::Error> {
    let rows = sqlx::query(RELATIONS).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let relation = Relation {
                file: row.try_get(1)?,
                scans: row.try_get::<Option<i64>, _>(2)?.unwrap_or(0),
                name: row.try_get(3)?,
                locks: row.try_get(4)?,
            };
            Ok((row.try_get(0)?, relation))
        })
        .collect()
}

/// Applies what is merged of `files`, then the statements of the new ones, each in a transaction of
/// its own. Ends at what the server refuses: that is for the gate's replay to report.
pub(crate) async fn measure(
    connection: &mut PgConnection,
    files: &[Sql],
    statements: &[Statement],
) -> Result<Measured> {
    let mut measured = Measured::default();
    for sql in files
        .iter()
        .filter(|sql| sql.engine == Engine::Postgres && !sql.is_new)
    {
        let script = String::from_utf8_lossy(&sql.bytes).into_owned();
        let is_alone = script.starts_with(text::NO_TRANSACTION);
        let script = if is_alone {
            script
        } else {
            format!("BEGIN;\n{script}\n;COMMIT;")
        };
        if connection
            .execute(sqlx::raw_sql(AssertSqlSafe(script)))
            .await
            .is_err()
        {
            return Ok(measured);
        }
    }
    let failed = "failed to read the locks of a statement";
    // Where it is UTC, a change to timestamptz rewrites nothing, whatever the file says.
    connection
        .execute("SET timezone = 'Europe/Vienna'")
        .await
        .context(failed)?;
    // `SET LOCAL` of a file holds for all of it, and here each statement has its own transaction.
    let (mut file, mut settings) = ("", String::new());
    let mut before = BTreeMap::new();
    for statement in statements {
        if statement.file != file {
            file = &statement.file;
            before = relations(connection).await.context(failed)?;
            settings.clear();
        }
        if statement
            .text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("set "))
        {
            settings.push_str(&statement.text);
            settings.push_str(";\n");
        }
        let script = AssertSqlSafe(statement.text.clone());
        if !statement.in_transaction {
            if connection.execute(sqlx::raw_sql(script)).await.is_err() {
                break;
            }
            continue;
        }
        let mut transaction = connection.begin().await.context(failed)?;
        let set = AssertSqlSafe(settings.clone());
        if transaction.execute(sqlx::raw_sql(set)).await.is_err() {
            break;
        }
        let earlier = relations(&mut transaction).await.context(failed)?;
        if transaction.execute(sqlx::raw_sql(script)).await.is_err() {
            break;
        }
        // A COMMIT among the statements ends the transaction that would be asked.
        let Ok(later) = relations(&mut transaction).await else {
            break;
        };
        let Ok(()) = transaction.commit().await else {
            break;
        };
        measured.statements += 1;
        let heavy = later.iter().find_map(|(oid, now)| {
            let was = earlier.get(oid).filter(|_| before.contains_key(oid))?;
            let locks = now.locks.as_deref()?;
            let work = if now.file != was.file {
                "rewrites"
            } else if now.scans > was.scans {
                "reads"
            } else {
                return None;
            };
            Some(format!("{work} `{}` under {locks}", now.name))
        });
        measured.findings.extend(disagreement(statement, heavy));
    }
    Ok(measured)
}

/// What the server said.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    pub(crate) statements: usize,
    pub(crate) findings: Vec<Finding>,
}

fn disagreement(statement: &Statement, heavy: Option<String>) -> Option<Finding> {
    const RULE: &str = "migrations/measured";
    let finding = match (statement.is_heavy()?, heavy) {
        (false, Some(what)) => Finding::error(
            RULE,
            format!("the lint calls it safe, the server heavy: it {what}"),
        )
        .help("write out what a function or a trigger hides, so that it can be read and noted"),
        // A note that turns out to be needless is no danger.
        (true, None) => Finding::warning(
            RULE,
            "the lint calls it heavy, the server safe: it neither reads nor rewrites a table that was there before",
        )
        .help("keep the note: the server was asked about this schema alone"),
        _ => return None,
    };
    Some(finding.at(&statement.file, statement.line))
}
