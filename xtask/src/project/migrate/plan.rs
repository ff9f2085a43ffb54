//! `cargo xtask migrate status` and `plan`: what a database has, and what would be done to it. Both
//! only read, in a transaction that lets nothing be written.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use serde::Serialize;

use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::database::{Link, Target};
use crate::exit::Code;
use crate::migrations::Engine;
use crate::migrations::lint::measure::Statement;
use crate::migrations::lint::operations::Class;
use crate::migrations::run::{Folder, Found, Plan, RESUME, ready};
use crate::report::text;

/// What was read of a database.
struct Read {
    target: Target,
    folder: Folder,
    found: Found,
    plan: Plan,
    sizes: BTreeMap<String, Size>,
}

/// A table of the database, by the planner's estimate.
#[derive(Clone, Copy, Debug, Serialize)]
struct Size {
    rows: i64,
    bytes: i64,
}

fn read(cx: &Cx) -> Result<Read> {
    let target = Target::read(cx)?;
    let mut folder = Folder::read(&cx.root, target.engine())?;
    let (found, plan, sizes) = cx.block_on(Link::look(&target, async |link| {
        read_only(cx, &target, link, &mut folder).await
    }))?;
    Ok(Read {
        target,
        folder,
        found,
        plan,
        sizes,
    })
}

async fn read_only(
    cx: &Cx,
    target: &Target,
    link: &mut Link,
    folder: &mut Folder,
) -> Result<(Found, Plan, BTreeMap<String, Size>)> {
    ready::to_write(target, link).await?;
    let found = Found::read(link).await?;
    let plan = Plan::new(folder, &found, &cx.policy.allow)?;
    let sizes = sizes(link).await?;
    Ok((found, plan, sizes))
}

async fn sizes(link: &mut Link) -> Result<BTreeMap<String, Size>> {
    const SQL: &str = "select relname::text, greatest(reltuples, 0)::int8, pg_relation_size(oid)::int8 from pg_class
        where relkind in ('r', 'p', 'm') and relnamespace not in
            (select oid from pg_namespace where nspname in ('pg_catalog', 'information_schema', 'pg_toast'))";
    let Link::Postgres { connection, .. } = link else {
        return Ok(BTreeMap::new());
    };
    let rows: Vec<(String, i64, i64)> = sqlx::query_as(SQL)
        .fetch_all(connection)
        .await
        .context("failed to read the sizes of the tables")?;
    let size = |(name, rows, bytes)| (name, Size { rows, bytes });
    Ok(rows.into_iter().map(size).collect())
}

#[derive(Serialize)]
struct Line<'a> {
    version: i64,
    file: Option<&'a str>,
    state: &'static str,
}

impl Read {
    /// Every version that a file or the database has.
    fn lines(&self) -> Vec<Line<'_>> {
        let mut lines: Vec<Line<'_>> = Vec::new();
        for (migration, source) in self.folder.migrations.iter().zip(&self.folder.sources) {
            let version = migration.version;
            let is_open = self
                .found
                .journal
                .iter()
                .any(|entry| entry.version == version);
            lines.push(Line {
                version,
                file: Some(&source.file),
                state: match (self.found.is_applied(version), is_open) {
                    (_, true) => "begun",
                    (true, false) => "applied",
                    (false, false) => "pending",
                },
            });
        }
        for applied in &self.found.applied {
            if self.folder.of(applied.version).is_none() {
                lines.push(Line {
                    version: applied.version,
                    file: None,
                    state: "missing",
                });
            }
        }
        lines.sort_by_key(|line| line.version);
        lines
    }

    fn code(&self) -> Code {
        if self.plan.problems.is_empty() && self.found.journal.is_empty() {
            Code::Done
        } else {
            Code::Red
        }
    }

    fn say_problems(&self) -> Result<()> {
        for problem in &self.plan.problems {
            say(format!("problem: {problem}"))?;
        }
        if let Some(entry) = self.found.journal.first() {
            say(format!("problem: {}: {RESUME}", entry.problem()))?;
        }
        Ok(())
    }
}

pub(super) fn status(cx: &Cx, json: bool) -> Result<Code> {
    let read = read(cx)?;
    if json {
        say_json(&serde_json::json!({
            "database": read.target.to_string(),
            "environment": read.target.app_env.as_str(),
            "migrations": read.lines(),
            "problems": read.plan.problems,
            "plan_hash": read.plan.hash,
        }))?;
        return Ok(read.code());
    }
    for line in read.lines() {
        let file = line.file.map_or("no file has it", |file| {
            file.rsplit('/').next().unwrap_or(file)
        });
        say(format!("{:<8} {file}", line.state))?;
    }
    read.say_problems()?;
    say(format!(
        "\n`{}`: {}, {} pending",
        read.target,
        text::plural(read.folder.migrations.len(), "migration"),
        read.plan.pending.len()
    ))?;
    Ok(read.code())
}

/// A statement of the plan.
#[derive(Serialize)]
struct Step<'a> {
    file: &'a str,
    line: usize,
    sql: &'a str,
    in_transaction: bool,
    class: &'static str,
    /// What it does to tables that are there, as the lint knows it.
    locks: Vec<String>,
    /// Tables of the database that it names.
    tables: BTreeMap<String, Size>,
}

impl Read {
    fn steps(&self) -> Vec<Step<'_>> {
        self.plan
            .statements
            .iter()
            .map(|statement| self.step(statement))
            .collect()
    }

    fn step<'a>(&self, statement: &'a Statement) -> Step<'a> {
        let rows: Vec<_> = statement.ops.iter().map(|op| op.row()).collect();
        let classes = [Class::Destructive, Class::Heavy];
        let worst = classes
            .into_iter()
            .find(|class| rows.iter().any(|row| row.class == *class))
            .unwrap_or(Class::Safe);
        let mut locks: Vec<String> = rows
            .iter()
            .map(|row| {
                format!(
                    "{}: {} takes {}, work on rows: {}",
                    row.class.name(),
                    row.statement,
                    row.lock,
                    row.work.name()
                )
            })
            .collect();
        locks.dedup();
        let names = statement
            .text
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .map(str::to_lowercase);
        let tables = names
            .filter_map(|name| Some((name.clone(), *self.sizes.get(&name)?)))
            .collect();
        Step {
            file: &statement.file,
            line: statement.line,
            sql: &statement.text,
            in_transaction: statement.in_transaction,
            class: worst.name(),
            locks,
            tables,
        }
    }
}

pub(super) fn plan(cx: &Cx, json: bool) -> Result<Code> {
    let read = read(cx)?;
    let now = jiff::Timestamp::now();
    let outside_window = read.plan.outside_window(&cx.policy.migrations, now);
    if json {
        say_json(&serde_json::json!({
            "database": read.target.to_string(),
            "environment": read.target.app_env.as_str(),
            "pending": read.plan.pending,
            "steps": read.steps(),
            "problems": read.plan.problems,
            "outside_window": outside_window,
            "plan_hash": read.plan.hash,
        }))?;
        return Ok(read.code());
    }
    for version in &read.plan.pending {
        let Some((migration, source)) = read.folder.of(*version) else {
            continue;
        };
        let how = if migration.no_tx {
            "outside of a transaction"
        } else {
            "in one transaction"
        };
        say(format!("{} ({how})", source.file))?;
        if read.folder.engine == Engine::Sqlite {
            for line in migration.sql.as_str().lines() {
                say(format!("    {line}"))?;
            }
        }
        for step in read.steps().iter().filter(|step| step.file == source.file) {
            for line in step.sql.lines() {
                say(format!("    {line}"))?;
            }
            for lock in &step.locks {
                say(format!("      {lock}"))?;
            }
            for (table, size) in &step.tables {
                say(format!(
                    "      `{table}` has about {} in {} KiB",
                    text::plural(usize::try_from(size.rows).unwrap_or(0), "row"),
                    size.bytes >> 10
                ))?;
            }
        }
        say("")?;
    }
    if let Some(what) = &outside_window {
        say(format!("warn  heavy, {what}"))?;
    }
    read.say_problems()?;
    say(format!(
        "`{}`: {} to apply of {}\nplan {}",
        read.target,
        read.plan.pending.len(),
        text::plural(read.folder.migrations.len(), "migration"),
        read.plan.hash
    ))?;
    Ok(read.code())
}
