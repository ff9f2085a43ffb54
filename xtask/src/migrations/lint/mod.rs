//! What is wrong with migrations before any database is asked: text that no migrator should be
//! given, statements that lose something or hold others up, and traps of each engine.
//!
//! squawk gives the syntax tree and nothing else. Its rules would take the comment
//! `-- squawk-ignore` for an answer, without a reason, and know nothing of the files before.

mod catalog;
pub(crate) mod measure;
mod nesting;
mod notes;
pub(crate) mod operations;
mod outside;
mod postgres;
pub(crate) mod sqlite;
#[cfg(test)]
mod tests;
mod text;
mod transaction;
mod tree;
mod types;

use std::thread::{Scope, ScopedJoinHandle};

use anyhow::{Context as _, Result};
use squawk_syntax::syntax_error::SyntaxError;
use squawk_syntax::{Parse, SourceFile};

use super::Engine;
use crate::report::Finding;
pub(crate) use outside::{index_name, kind as outside};
pub(crate) use sqlite::{Commits, batch_fault, commits};
pub(crate) use text::NO_TRANSACTION;
pub(crate) use transaction::TRANSACTION;

use catalog::Catalog;
use measure::Statement;
use notes::{Note, Word};
use operations::{Class, Op};
use postgres::{Hit, Reader};
use tree::{Kind, Node, at};

/// A migration file as it lies in its folder.
#[derive(Debug)]
pub(crate) struct Sql {
    /// From the root.
    pub(crate) file: String,
    pub(crate) engine: Engine,
    pub(crate) bytes: Vec<u8>,
    /// Not merged yet. What is merged is history: it is read for the schema that it makes.
    pub(crate) is_new: bool,
}

/// What was read, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Linted {
    pub(crate) findings: Vec<Finding>,
    /// How many there are in all files, merged or not.
    pub(crate) statements: usize,
    /// Those of new PostgreSQL files, to be measured.
    pub(crate) fresh: Vec<Statement>,
}

/// Enough for the deepest nest that is given to a parser, with the large frames of a debug build.
const STACK: usize = 1 << 28;

/// Reads `files`, which are in the order of their versions, and judges the new ones.
pub(crate) fn lint(files: &[Sql]) -> Result<Linted> {
    // Each file is parsed for itself, and judged on top of those before it.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let chunks = files.chunks(files.len().div_ceil(threads).max(1));
    std::thread::scope(|scope| {
        let parsers: Vec<_> = chunks
            .map(|chunk| deep(scope, || chunk.iter().map(Source::read).collect::<Vec<_>>()))
            .collect::<Result<_>>()?;
        let sources: Vec<Source<'_>> = parsers.into_iter().flat_map(joined).collect();
        Ok(joined(deep(scope, || judge_all(sources))?))
    })
}

/// Starts `work` on a thread with a stack for the deepest nest.
fn deep<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    std::thread::Builder::new()
        .stack_size(STACK)
        .spawn_scoped(scope, work)
        .context("failed to start a thread for the lint of the migrations")
}

fn joined<T>(worker: ScopedJoinHandle<'_, T>) -> T {
    worker
        .join()
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

fn judge_all(sources: Vec<Source<'_>>) -> Linted {
    let mut linted = Linted::default();
    let (mut postgres, mut sqlite) = (Postgres::default(), sqlite::Schema::default());
    for source in sources {
        let Source {
            sql,
            text,
            parsed,
            mut findings,
        } = source;
        if let Some(text) = text {
            linted.statements += match parsed {
                Some(parsed) => postgres.file(sql, text, &parsed, &mut findings),
                None => sqlite.file(sql, text, &mut findings),
            };
        }
        if sql.engine == Engine::Postgres {
            postgres
                .versions
                .extend(version(&sql.file).map(str::to_owned));
        }
        if sql.is_new {
            linted.findings.append(&mut findings);
        }
    }
    linted.fresh = postgres.fresh;
    linted
}

/// A file as far as it can be read without those before it.
struct Source<'a> {
    sql: &'a Sql,
    /// None when there is nothing to go on with.
    text: Option<&'a str>,
    /// Of PostgreSQL's files, where there is a text.
    parsed: Option<Parsed>,
    findings: Vec<Finding>,
}

/// The syntax tree, and what PostgreSQL would refuse of a new file.
struct Parsed {
    tree: Parse<SourceFile>,
    errors: Vec<SyntaxError>,
}

impl<'a> Source<'a> {
    fn read(sql: &'a Sql) -> Self {
        let mut findings = Vec::new();
        let text = text::read(sql, &mut findings);
        let text_of_postgres = text.filter(|_| sql.engine == Engine::Postgres);
        let parsed = text_of_postgres.map(|text| {
            let tree = SourceFile::parse(text);
            let errors = if sql.is_new {
                tree.errors()
            } else {
                Vec::new()
            };
            Parsed { tree, errors }
        });
        Self {
            sql,
            text,
            parsed,
            findings,
        }
    }
}

/// The PostgreSQL files one after the other.
#[derive(Debug, Default)]
struct Postgres {
    catalog: Catalog,
    versions: Vec<String>,
    fresh: Vec<Statement>,
}

impl Postgres {
    /// Answers how many statements there are.
    fn file(
        &mut self,
        sql: &Sql,
        text: &str,
        parsed: &Parsed,
        findings: &mut Vec<Finding>,
    ) -> usize {
        let root = parsed.tree.syntax_node();
        let statements: Vec<Node> = root
            .children()
            .filter(|node| node.kind() != Kind::EMPTY_STMT)
            .collect();
        let in_transaction = !text.starts_with(NO_TRANSACTION);
        let hits = Reader::new(&mut self.catalog, in_transaction).file(&statements);
        if !sql.is_new {
            return statements.len();
        }
        // What the parser made of a file that it did not understand is no ground for more.
        if let Some(error) = parsed.errors.first() {
            let finding = Finding::error("migrations/syntax", error.message())
                .at(&sql.file, line(text, usize::from(error.range().start())))
                .help(
                    "PostgreSQL would refuse it; psql's own commands (`\\i`, `\\copy`) are no SQL",
                );
            findings.push(finding);
            return statements.len();
        }
        self.fresh.extend(
            statements
                .iter()
                .map(|node| fresh(sql, text, node, &hits, in_transaction)),
        );
        transaction::judge(sql, text, &statements, in_transaction, findings);
        let notes = notes::read(&root, &statements);
        judge(
            sql,
            text,
            &statements,
            &hits,
            &notes,
            &self.versions,
            findings,
        );
        statements.len()
    }
}

/// A statement with what it does.
fn fresh(sql: &Sql, text: &str, node: &Node, hits: &[Hit], in_transaction: bool) -> Statement {
    let (start, end) = (at(node), usize::from(node.text_range().end()));
    let ops: Vec<Op> = hits
        .iter()
        .filter(|hit| (start..end).contains(&hit.at))
        .map(|hit| hit.op)
        .collect();
    Statement {
        file: sql.file.clone(),
        line: line(text, start),
        text: text[start..end].to_owned(),
        ops,
        in_transaction: in_transaction && !transaction::is_outside_only(node),
    }
}

/// Holds the operations of a file against its notes.
fn judge(
    sql: &Sql,
    text: &str,
    statements: &[Node],
    hits: &[Hit],
    notes: &[Note],
    earlier: &[String],
    findings: &mut Vec<Finding>,
) {
    let mut used = vec![false; notes.len()];
    for hit in hits {
        let row = hit.op.row();
        let statement = statements
            .iter()
            .rposition(|statement| at(statement) <= hit.at)
            .unwrap_or(0);
        let wanted: &[Word] = match row.class {
            Class::Destructive => &[Word::Destructive, Word::ContractOf],
            Class::Heavy => &[Word::Heavy],
            Class::Safe => continue,
        };
        let mut missing = Vec::new();
        for word in wanted {
            let covering = notes
                .iter()
                .enumerate()
                .filter(|(_, note)| note.word == *word && note.covers(statement));
            let mut is_there = false;
            for (index, _) in covering {
                used[index] = true;
                is_there = true;
            }
            if !is_there {
                missing.push(word.usage());
            }
        }
        if missing.is_empty() {
            continue;
        }
        let subject = if hit.subject.is_empty() {
            String::new()
        } else {
            format!("`{}`: ", hit.subject)
        };
        let finding = Finding::error(
            &format!("migrations/{}", row.class.name()),
            format!("{subject}{} {}", row.statement, row.why),
        )
        .at(&sql.file, line(text, hit.at))
        .help(format!(
            "{}; where it is meant, write {} above the statement",
            row.instead,
            missing.join(" and ")
        ));
        findings.push(finding);
    }
    for (note, used) in notes.iter().zip(used) {
        let word = note.word.name();
        let complaint = if used {
            note.complaint(earlier)
        } else {
            Some((
                format!("`-- {word}:` covers nothing"),
                format!(
                    "no statement below it is {}: remove the note",
                    note.word.of()
                ),
            ))
        };
        if let Some((message, help)) = complaint {
            let finding = Finding::error("migrations/note", message)
                .at(&sql.file, line(text, note.at))
                .help(help);
            findings.push(finding);
        }
    }
}

/// The version in a file's name.
fn version(file: &str) -> Option<&str> {
    file.rsplit('/').next()?.split('_').next()
}

/// The line that a byte is on, from 1.
fn line(text: &str, at: usize) -> usize {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    memchr::memchr_iter(b'\n', before).count() + 1
}
