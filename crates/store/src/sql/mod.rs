//! Every statement of the store: a constant of the same name for each engine.
//!
//! [`all`] is what a check prepares against a freshly migrated database of each engine.

/// Makes a constant of each statement, and the list of them all.
macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $sql:expr;)*) => {
        $($(#[$doc])* pub const $name: &str = $sql;)*

        /// Name and text of every statement above.
        pub const ALL: &[(&str, &str)] = &[$((stringify!($name), $name)),*];

        /// Where they are written, from the root of the workspace.
        pub(super) const FILE: &str = file!();
    };
}
use statements;

pub mod postgres;
pub mod sqlite;

use crate::Engine;

/// A statement, and where it is written.
#[derive(Debug, Clone, Copy)]
pub struct Statement {
    /// The engine whose dialect it is in.
    pub engine: Engine,
    /// Unique within the engine; the other one has the same.
    pub name: &'static str,
    /// Its text.
    pub sql: &'static str,
    /// From the root of the workspace.
    pub file: &'static str,
}

/// Every statement of both engines.
pub fn all() -> impl Iterator<Item = Statement> {
    let of = |engine, file, all: &'static [(&str, &str)]| {
        all.iter().map(move |&(name, sql)| Statement {
            engine,
            name,
            sql,
            file,
        })
    };
    of(Engine::Postgres, postgres::FILE, postgres::ALL).chain(of(
        Engine::Sqlite,
        sqlite::FILE,
        sqlite::ALL,
    ))
}
