//! The two engines held against each other: what one migration does on PostgreSQL, its twin does on
//! SQLite, as far as the apps can tell.

use std::collections::BTreeSet;
use std::fmt::Debug;

use super::logical::{Column, Index, Logical, Reference, Table};
use crate::migrations::Engine;
use crate::migrations::lint::Sql;
use crate::report::{Finding, text};

/// What a type holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Integer,
    Boolean,
    Real,
    Decimal,
    Text,
    Time,
    Blob,
}

/// What PostgreSQL's types may be on SQLite. Any other is a text.
const TYPES: &[(&[&str], &[Class])] = &[
    (&["int2", "int4", "int8"], &[Class::Integer]),
    (&["bool"], &[Class::Boolean]),
    (&["float4", "float8"], &[Class::Real]),
    // A REAL would round it.
    (&["numeric"], &[Class::Decimal, Class::Text]),
    (
        &["date", "time", "timetz", "timestamp", "timestamptz"],
        &[Class::Text, Class::Time],
    ),
    (&["uuid"], &[Class::Text, Class::Blob]),
    (&["bytea"], &[Class::Blob]),
];

fn classes(base: &str) -> &'static [Class] {
    let row = TYPES.iter().find(|(names, _)| names.contains(&base));
    row.map_or(&[Class::Text], |(_, classes)| classes)
}

/// SQLite goes by what is in a type's name; so do the apps' decoders, for two more.
fn class(base: &str) -> Class {
    let has = |parts: &[&str]| parts.iter().any(|part| base.contains(part));
    if has(&["int"]) {
        Class::Integer
    } else if has(&["bool"]) {
        Class::Boolean
    } else if has(&["date", "time"]) {
        Class::Time
    } else if has(&["char", "clob", "text"]) {
        Class::Text
    } else if base.is_empty() || has(&["blob"]) {
        Class::Blob
    } else if has(&["real", "floa", "doub"]) {
        Class::Real
    } else {
        Class::Decimal
    }
}

/// What differs, each at the newest of `files` that names it. Compared is what an app notices:
/// not defaults, not lengths, not the order of columns, no index but an ordered one. A CHECK more on
/// SQLite may stand for a type that it lacks.
pub(crate) fn parity(postgres: &Logical, sqlite: &Logical, files: &[Sql]) -> Vec<Finding> {
    let mut differences = Vec::new();
    for (name, engine) in only(postgres.tables.keys(), sqlite.tables.keys()) {
        differences.push(Difference::table(
            name,
            format!("the table `{name}` is on {engine} only"),
        ));
    }
    for (name, engine) in only(&postgres.views, &sqlite.views) {
        differences.push(Difference::table(
            name,
            format!("the view `{name}` is on {engine} only"),
        ));
    }
    for (name, here) in &postgres.tables {
        if let Some(there) = sqlite.tables.get(name) {
            compare(name, here, there, &mut differences);
        }
    }
    differences
        .into_iter()
        .map(|difference| difference.finding(files))
        .collect()
}

fn compare(name: &str, postgres: &Table, sqlite: &Table, differences: &mut Vec<Difference>) {
    let names = |table: &Table| -> BTreeSet<String> {
        table.columns.iter().map(|c| c.name.clone()).collect()
    };
    for (column, engine) in only(&names(postgres), &names(sqlite)) {
        let message = format!("`{name}.{column}` is on {engine} only");
        differences.push(Difference::column(name, column, message));
    }
    for here in &postgres.columns {
        let there = sqlite.columns.iter().find(|there| there.name == here.name);
        for what in there.into_iter().flat_map(|there| unlike(here, there)) {
            let message = format!("`{name}.{}` {what}", here.name);
            differences.push(Difference::column(name, &here.name, message));
        }
    }
    let mut of_table = |message| differences.push(Difference::table(name, message));
    if postgres.key != sqlite.key {
        of_table(format!(
            "the primary key of `{name}` is ({}) on PostgreSQL and ({}) on SQLite",
            postgres.key.join(", "),
            sqlite.key.join(", ")
        ));
    }
    if postgres.checks > sqlite.checks {
        of_table(format!(
            "`{name}` has {} on PostgreSQL and {} on SQLite",
            text::plural(postgres.checks, "CHECK"),
            text::plural(sqlite.checks, "CHECK")
        ));
    }
    for (
        Index {
            columns,
            unique,
            partial,
        },
        engine,
    ) in only(&postgres.indexes, &sqlite.indexes)
    {
        let (kind, part) = (
            ["", "unique "][usize::from(*unique)],
            ["", " of some rows"][usize::from(*partial)],
        );
        let message = format!(
            "the {kind}index of `{name}` ({}){part} is on {engine} only",
            columns.join(", ")
        );
        differences.push(Difference::columns(name, columns, message));
    }
    for (reference, engine) in only(&postgres.references, &sqlite.references) {
        let Reference {
            columns,
            table,
            targets,
            on_delete,
            on_update,
        } = reference;
        let message = format!(
            "the reference of `{name}` ({}) to `{table}` ({}) ON DELETE {on_delete} ON UPDATE {on_update} is on {engine} only",
            columns.join(", "),
            targets.join(", ")
        );
        differences.push(Difference::columns(name, columns, message));
    }
}

/// What an app would notice of a column.
fn unlike(postgres: &Column, sqlite: &Column) -> Vec<String> {
    let mut unlike = Vec::new();
    if !classes(&postgres.base).contains(&class(&sqlite.base)) {
        unlike.push(format!(
            "is `{}` on PostgreSQL and `{}` on SQLite",
            postgres.shown, sqlite.shown
        ));
    }
    match (postgres.nullable, sqlite.nullable) {
        (true, false) => unlike.push("may be null on PostgreSQL only".to_owned()),
        // A primary key too, where nothing says NOT NULL.
        (false, true) => unlike.push("may be null on SQLite only".to_owned()),
        _ => {}
    }
    if postgres.numbered && !sqlite.numbered {
        unlike.push(
            "numbers itself on PostgreSQL only: SQLite needs `INTEGER PRIMARY KEY`".to_owned(),
        );
    }
    if postgres.computed != sqlite.computed {
        let engine = [Engine::Sqlite, Engine::Postgres][usize::from(postgres.computed)];
        unlike.push(format!("is computed on {} only", engine.title()));
    }
    unlike
}

/// What one of the two has, with the name of that one.
fn only<'a, T: Ord + Debug + 'a>(
    postgres: impl IntoIterator<Item = &'a T>,
    sqlite: impl IntoIterator<Item = &'a T>,
) -> Vec<(&'a T, &'static str)> {
    let (postgres, sqlite): (BTreeSet<_>, BTreeSet<_>) =
        (postgres.into_iter().collect(), sqlite.into_iter().collect());
    let here = postgres
        .difference(&sqlite)
        .map(|it| (*it, Engine::Postgres.title()));
    let there = sqlite
        .difference(&postgres)
        .map(|it| (*it, Engine::Sqlite.title()));
    here.chain(there).collect()
}

struct Difference {
    /// The table, then its columns.
    names: Vec<String>,
    message: String,
}

impl Difference {
    fn table(table: &str, message: String) -> Self {
        Self::columns(table, &[], message)
    }

    fn column(table: &str, column: &str, message: String) -> Self {
        Self::columns(table, &[column.to_owned()], message)
    }

    fn columns(table: &str, columns: &[String], message: String) -> Self {
        let names = std::iter::once(table.to_owned());
        Self {
            names: names.chain(columns.iter().cloned()).collect(),
            message,
        }
    }

    fn finding(self, files: &[Sql]) -> Finding {
        let finding = Finding::error("migrations/parity", self.message).help(
            "a migration does the same on both engines; mend it with a new one where it is merged",
        );
        match newest(files.iter(), &self.names) {
            Some((file, line)) => finding.at(file, line),
            None => finding,
        }
    }
}

/// The newest file with all of the names, and the line of the last of them.
pub(crate) fn newest<'a>(
    files: impl Iterator<Item = &'a Sql>,
    names: &[String],
) -> Option<(&'a str, usize)> {
    let version = |sql: &Sql| sql.file.rsplit('/').next().map(str::to_owned);
    let mut found: Option<(&Sql, usize)> = None;
    for sql in files {
        if found.is_some_and(|(newest, _)| version(newest) >= version(sql)) {
            continue;
        }
        if let Some(line) = mention(&String::from_utf8_lossy(&sql.bytes), names) {
            found = Some((sql, line));
        }
    }
    found.map(|(sql, line)| (sql.file.as_str(), line))
}

fn mention(text: &str, names: &[String]) -> Option<usize> {
    let lines: Vec<String> = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or("").to_lowercase())
        .collect();
    let has = |line: &String, name: &str| {
        line.split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| word == name)
    };
    let mut at = 0;
    for name in names.iter().filter(|name| *name != "(expression)") {
        let after = lines[at..].iter().position(|line| has(line, name));
        at = match after {
            Some(found) => at + found,
            None => lines.iter().position(|line| has(line, name))?,
        };
    }
    Some(at + 1)
}
