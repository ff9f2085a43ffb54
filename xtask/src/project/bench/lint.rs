//! `cargo xtask bench --lint`: the lint of migrations on a thousand files.

use anyhow::Result;

use super::{Figure, measure};
use crate::cli::{say, say_json};
use crate::exit::Code;
use crate::migrations::Engine;
use crate::migrations::lint::{Sql, lint};

const FILES: usize = 1000;

pub(super) fn run(runs: u32, json: bool) -> Result<Code> {
    let files: Vec<Sql> = (0..FILES).map(file).collect();
    let mut statements = 0;
    let figure = measure("lint, 1000 migrations", runs.max(1), || {
        statements = lint(&files)?.statements;
        Ok(())
    })?;
    if json {
        say_json(&[figure])?;
        return Ok(Code::Done);
    }
    let Figure { what, wall_ms, .. } = figure;
    say(format!(
        "{what:<24} {wall_ms:>8.1} ms, {statements} statements"
    ))?;
    Ok(Code::Done)
}

/// A migration as people write them: a table, and changes of the one before.
fn file(n: usize) -> Sql {
    let before = n.saturating_sub(1);
    let text = format!(
        "-- Why it is needed.\nCREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL UNIQUE CHECK (name <> ''), \
         at timestamptz NOT NULL DEFAULT now());\nALTER TABLE t{before} ADD COLUMN c{n} varchar(20) DEFAULT 'none';\n\
         ALTER TABLE t{before} ADD CONSTRAINT c{n}_is_short CHECK (length(c{n}) < 10) NOT VALID;\n\
         INSERT INTO t{n} (id, name) VALUES (1, 'one') ON CONFLICT DO NOTHING;\n"
    );
    Sql {
        file: format!(
            "migrations/postgres/{:014}_t{n}.sql",
            20_260_101_000_000 + n
        ),
        engine: Engine::Postgres,
        bytes: text.into_bytes(),
        is_new: true,
    }
}
