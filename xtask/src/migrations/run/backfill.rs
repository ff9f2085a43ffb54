//! Moving many rows in small batches, outside of any migration.
//!
//! `migrations/backfills/ENGINE/NAME.sql` is one statement that says which table it walks, by which
//! column, and where the condition of a batch goes:
//!
//! ```sql
//! -- backfill: orders (id)
//! UPDATE orders SET note = 'none' WHERE note IS NULL AND $batch
//! ```
//!
//! Each batch is a transaction that also records how far it came, so a killed run goes on where it
//! stopped and no row is done twice or left out. Rows that are added behind the last one meanwhile
//! are done too; rows that are added before it are the statement's own business, which is why a
//! migration lets new code write the new shape first.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use sqlx::{AssertSqlSafe, Connection as _};

use super::retry::{GaveUp, passing, until_locked};
use super::{Limits, lock, ready};
use crate::cx::Cx;
use crate::database::{Link, Permit, Target, on, roles};
use crate::exit::{Code, Problem};
use crate::migrations::{Engine, files, lint};
use crate::policy::Policy;
use crate::repo;

/// What stands for the condition of a batch.
const BATCH: &str = "$batch";

/// A backfill as its file has it.
#[derive(Debug)]
struct Backfill {
    name: String,
    file: String,
    /// The statement, with [`BATCH`] in it.
    sql: String,
    table: String,
    column: String,
    /// Of the text, in hexadecimal.
    checksum: String,
}

/// How it is walked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Rows of a batch.
    pub(crate) rows: u32,
    /// Between two batches.
    pub(crate) pause: Duration,
}

impl Backfill {
    fn read(root: &Path, engine: Engine, name: &str) -> Result<Self> {
        let file = format!("migrations/backfills/{}/{name}.sql", engine.name());
        if !files::is_name(name) {
            return Err(
                Problem::new(Code::Usage, format!("`{name}` is no name of a backfill"))
                    .help("lower case letters, digits and `_`")
                    .into(),
            );
        }
        let sql = std::fs::read_to_string(root.join(&file)).with_context(|| {
            Problem::precondition(format!("failed to read `{file}`"))
                .help("write it: `-- backfill: TABLE (COLUMN)`, then one statement with `$batch` in its WHERE")
        })?;
        if let Some(repo) = repo::open(root)?
            && repo::ignored(&repo, root, &file)?.contains(&file)
        {
            return Err(Problem::precondition(format!(
                "`{file}` is ignored by git, and so is part of no commit"
            ))
            .help(format!(
                "git add --force {file}, or take it out of what is ignored"
            ))
            .into());
        }
        let wrong = |what: &str| {
            Problem::precondition(format!("`{file}` {what}")).help(
                "`-- backfill: orders (id)`, then one UPDATE, DELETE or INSERT with `… AND $batch`",
            )
        };
        let head = sql
            .lines()
            .find_map(|line| line.trim().strip_prefix("-- backfill:"))
            .with_context(|| wrong("does not say what it walks"))?;
        let (table, column) = head
            .trim()
            .strip_suffix(')')
            .and_then(|head| head.split_once('('))
            .with_context(|| wrong("does not say what it walks"))?;
        let (table, column) = (table.trim().to_owned(), column.trim().to_owned());
        let is_plain = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.')
        };
        if !is_plain(&table) || !is_plain(&column) {
            return Err(wrong("walks a table and one column, each a plain name").into());
        }
        if sql.matches(BATCH).count() != 1 {
            return Err(wrong("needs `$batch` once").into());
        }
        if let Some(fault) = lint::batch_fault(&sql, &table) {
            return Err(wrong(fault).into());
        }
        Ok(Self {
            name: name.to_owned(),
            checksum: marker::hex(&Sha256::digest(&sql)),
            file,
            sql,
            table,
            column,
        })
    }

    /// The statement for the rows after `last` up to `to`, both literals that the database wrote.
    fn batch(&self, last: Option<&str>, to: &str) -> String {
        let column = &self.column;
        let condition = match last {
            None => format!("({column} <= {to})"),
            Some(last) => format!("({column} > {last} and {column} <= {to})"),
        };
        self.sql.replace(BATCH, &condition)
    }

    /// Asks for the last key of the next batch, as a literal; no row behind the last one.
    fn next(&self, engine: Engine, last: Option<&str>, rows: u32) -> String {
        let (table, column) = (&self.table, &self.column);
        let after = last.map_or(String::new(), |last| format!("where {column} > {last}"));
        let quoted = match engine {
            Engine::Postgres => "quote_literal(k::text)",
            Engine::Sqlite => "quote(k)",
        };
        format!(
            "select {quoted} from (select {column} as k from {table} {after} order by {column} limit {rows}) b order by k desc limit 1"
        )
    }
}

/// How far a backfill has come: its row in `_migration_backfill`.
#[derive(Debug, Default)]
struct Walked {
    last: Option<String>,
    rows: i64,
    finished: bool,
}

/// Walks the table to its end. Answers how many rows were changed, by killed runs too; `on_batch` is
/// told the same after each batch. The keys are data: they are kept in the database and said to nobody.
///
/// # Errors
/// Exit 3 when database or file are not what they must be, 75 when another migrator is at work or a
/// lock is not had, 1 when the statement is refused: the batches before it stay, and the next run
/// goes on from there.
pub(crate) async fn run(
    cx: &Cx,
    target: &Target,
    permit: &Permit,
    name: &str,
    pace: Pace,
    on_batch: &mut dyn FnMut(i64),
) -> Result<i64> {
    let backfill = Backfill::read(&cx.root, target.engine(), name)?;
    let mut link = Link::open(target, false).await?;
    let done = walk(
        target, permit, &mut link, &backfill, &cx.policy, pace, on_batch,
    )
    .await;
    link.close().await;
    done
}

async fn walk(
    target: &Target,
    permit: &Permit,
    link: &mut Link,
    backfill: &Backfill,
    policy: &Policy,
    pace: Pace,
    on_batch: &mut dyn FnMut(i64),
) -> Result<i64> {
    let limits = &Limits::from(&policy.migrations);
    let ours = ready::to_write(target, link).await?;
    permit.check(target, &ours.identity)?;
    // One at a time, and none beside a migrator: either may change what the other walks.
    let _lock = lock::take(target, link, limits.migrator, &mut || {}).await?;
    roles::keep(link, &policy.roles, ensure).await?;
    refuse_null(link, backfill).await?;
    let mut walked = read(link, backfill).await?;
    super::step::settings(link, limits.lock, limits.statement).await?;
    while !walked.finished {
        let sql = backfill.next(link.engine(), walked.last.as_deref(), pace.rows);
        let to: Option<String> =
            on!(link, c => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_optional(&mut *c).await)
                .with_context(|| format!("failed to walk `{}`", backfill.table))?;
        batch(link, backfill, &mut walked, to, limits).await?;
        if !walked.finished {
            on_batch(walked.rows);
            tokio::time::sleep(pace.pause).await;
        }
    }
    Ok(walked.rows)
}

/// One batch and the record of it in one transaction. Without `to` there are no more rows.
async fn batch(
    link: &mut Link,
    backfill: &Backfill,
    walked: &mut Walked,
    to: Option<String>,
    limits: &Limits,
) -> Result<()> {
    let done = until_locked(
        limits,
        async || attempt(link, backfill, walked, to.as_deref()).await,
        passing,
        |_| {},
    );
    let rows = done.await.map_err(|GaveUp { error, passing }| {
        let code = passing.map_or(Code::Red, |_| Code::Busy);
        let what = format!(
            "`{}` was refused after {} rows",
            backfill.file, walked.rows
        );
        anyhow::Error::from(error).context(Problem::new(code, what).help(format!(
            "the batches before it stay; run it again and it goes on from there: cargo xtask migrate backfill {}",
            backfill.name
        )))
    })?;
    walked.rows += i64::try_from(rows).unwrap_or(i64::MAX);
    walked.finished = to.is_none();
    walked.last = to.or(walked.last.take());
    Ok(())
}

async fn attempt(
    link: &mut Link,
    backfill: &Backfill,
    walked: &Walked,
    to: Option<&str>,
) -> sqlx::Result<u64> {
    const RECORD: &str =
        "update _migration_backfill set last = $2, rows = $3, finished = $4 where name = $1";
    on!(link, c => {
        let mut transaction = c.begin().await?;
        let rows = match to {
            None => 0,
            Some(to) => {
                let sql = backfill.batch(walked.last.as_deref(), to);
                let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *transaction).await?;
                done.rows_affected()
            }
        };
        sqlx::query(RECORD)
            .bind(&backfill.name)
            .bind(to.or(walked.last.as_deref()))
            .bind(walked.rows + i64::try_from(rows).unwrap_or(i64::MAX))
            .bind(to.is_none())
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(rows)
    })
}

async fn ensure(link: &mut Link) -> Result<()> {
    let sql = "create table if not exists _migration_backfill (
        name text primary key,
        checksum text not null,
        last text,
        rows bigint not null default 0,
        finished boolean not null default false
    )";
    link.execute(sql)
        .await
        .context("failed to create the record of backfills")
}

/// Its row, made where there is none. A file that was edited is another backfill: it begins anew where
/// no row was walked, and is refused where some were.
async fn read(link: &mut Link, backfill: &Backfill) -> Result<Walked> {
    const INSERT: &str = "insert into _migration_backfill (name, checksum) values ($1, $2) 
        on conflict (name) do update set checksum = excluded.checksum, finished = false
        where _migration_backfill.last is null and _migration_backfill.checksum <> excluded.checksum";
    const READ: &str =
        "select checksum, last, rows, finished from _migration_backfill where name = $1";
    let failed = "failed to read the record of backfills";
    on!(link, c => sqlx::query(INSERT)
        .bind(&backfill.name)
        .bind(&backfill.checksum)
        .execute(&mut *c)
        .await
        .map(drop))
    .context(failed)?;
    let (checksum, last, rows, finished): (String, Option<String>, i64, bool) =
        on!(link, c => sqlx::query_as(READ).bind(&backfill.name).fetch_one(&mut *c).await)
            .context(failed)?;
    if checksum != backfill.checksum {
        return Err(Problem::precondition(format!(
            "`{}` was edited after it began, {rows} rows ago",
            backfill.file
        ))
        .help("put the text back; or write the rest as a backfill of another name")
        .into());
    }
    Ok(Walked {
        last,
        rows,
        finished,
    })
}

/// A row without a key would never be walked.
async fn refuse_null(link: &mut Link, backfill: &Backfill) -> Result<()> {
    let (table, column) = (&backfill.table, &backfill.column);
    let sql = format!("select 1 from {table} where {column} is null limit 1");
    let found: Option<i32> =
        on!(link, c => sqlx::query_scalar(AssertSqlSafe(sql)).fetch_optional(&mut *c).await)
            .with_context(|| {
                Problem::precondition(format!("failed to read `{table}.{column}`"))
                    .help(format!("`{}` says what it walks", backfill.file))
            })?;
    match found {
        None => Ok(()),
        Some(_) => Err(Problem::precondition(format!(
            "`{table}.{column}` has NULLs, which are behind no key"
        ))
        .help("walk by a column that has none, such as the primary key")
        .into()),
    }
}
