//! What a schema means, whatever the engine: tables, columns, keys, indexes.

mod postgres;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use crate::database::Link;

/// The tables and views of a database, by name in lower case.
#[derive(Debug, Default)]
pub(crate) struct Logical {
    pub(crate) tables: BTreeMap<String, Table>,
    pub(crate) views: BTreeSet<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    /// In the order of the table.
    pub(crate) columns: Vec<Column>,
    /// The columns of the primary key, in its order.
    pub(crate) key: Vec<String>,
    /// Those behind constraints too, but for the primary key's.
    pub(crate) indexes: BTreeSet<Index>,
    pub(crate) references: BTreeSet<Reference>,
    /// How many CHECK constraints it has.
    pub(crate) checks: usize,
}

#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The type as the engine says it, with its length.
    pub(crate) shown: String,
    /// The type below domains, in lower case and without its length; that of an enum is `enum`.
    pub(crate) base: String,
    pub(crate) nullable: bool,
    /// An expression, as the engine says it.
    pub(crate) default: Option<String>,
    /// A row without a value gets the next number.
    pub(crate) numbered: bool,
    /// Its value follows from other columns.
    pub(crate) computed: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Index {
    /// `(expression)` where it is none.
    pub(crate) columns: Vec<String>,
    pub(crate) unique: bool,
    pub(crate) partial: bool,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) columns: Vec<String>,
    pub(crate) table: String,
    pub(crate) targets: Vec<String>,
    /// `NO ACTION`, `CASCADE` and the like.
    pub(crate) on_delete: String,
    pub(crate) on_update: String,
}

impl Logical {
    fn table(&mut self, name: String) -> &mut Table {
        self.tables.entry(name).or_default()
    }
}

impl Logical {
    /// # Errors
    /// What the database says.
    pub(crate) async fn read(link: &mut Link) -> Result<Self> {
        match link {
            Link::Postgres { connection, .. } => Self::postgres(connection).await,
            Link::Sqlite { connection } => Self::sqlite(connection).await,
        }
    }
}
