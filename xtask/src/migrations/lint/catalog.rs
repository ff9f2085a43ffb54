//! The schema that earlier files make, as far as the rules ask for it.

use std::collections::{BTreeMap, BTreeSet};

use super::types::Type;

#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// Without an entry nothing is known of a table; what is not known is taken to be in use.
    pub(super) tables: BTreeMap<String, Table>,
    pub(super) indexes: BTreeMap<String, Index>,
    pub(super) domains: BTreeMap<String, Domain>,
    /// Whether a function of this name is volatile.
    pub(super) functions: BTreeMap<String, bool>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    pub(super) columns: BTreeMap<String, Column>,
    pub(super) checks: BTreeMap<String, Check>,
    /// Columns of primary keys and unique constraints.
    pub(super) keys: Vec<Vec<String>>,
    pub(super) is_partitioned: bool,
}

#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) ty: Option<Type>,
    /// `None` is the default of the database.
    pub(super) collation: Option<String>,
    pub(super) not_null: bool,
}

/// A CHECK constraint.
#[derive(Clone, Debug)]
pub(super) struct Check {
    pub(super) valid: bool,
    pub(super) columns: Vec<String>,
    /// The columns that it proves not to be null.
    pub(super) not_null: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Index {
    pub(super) table: String,
    /// Also those that it only computes with.
    pub(super) columns: Vec<String>,
    /// It has an expression or a condition, and so is built anew whenever the type of a column changes.
    pub(super) is_computed: bool,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Domain {
    pub(super) has_constraints: bool,
}

impl Catalog {
    pub(super) fn column(&self, table: &str, column: &str) -> Option<&Column> {
        self.tables.get(table)?.columns.get(column)
    }

    pub(super) fn column_mut(&mut self, table: &str, column: &str) -> Option<&mut Column> {
        self.tables.get_mut(table)?.columns.get_mut(column)
    }

    pub(super) fn table_mut(&mut self, table: &str) -> &mut Table {
        self.tables.entry(table.to_owned()).or_default()
    }

    /// Is it known without reading the table that the column holds no NULL?
    pub(super) fn is_proven_not_null(&self, table: &str, column: &str) -> bool {
        let Some(table) = self.tables.get(table) else {
            return false;
        };
        table
            .columns
            .get(column)
            .is_some_and(|column| column.not_null)
            || table
                .checks
                .values()
                .any(|check| check.valid && check.not_null.iter().any(|name| name == column))
    }

    pub(super) fn is_indexed(&self, table: &str, column: &str) -> bool {
        let in_key = |table: &Table| table.keys.iter().flatten().any(|name| name == column);
        self.tables.get(table).is_some_and(in_key)
            || self
                .indexes
                .values()
                .any(|index| index.table == table && index.columns.iter().any(|c| c == column))
    }

    pub(super) fn is_computed_with(&self, table: &str, column: &str) -> bool {
        self.indexes.values().any(|index| {
            index.is_computed && index.table == table && index.columns.iter().any(|c| c == column)
        })
    }

    pub(super) fn is_checked(&self, table: &str, column: &str) -> bool {
        self.tables.get(table).is_some_and(|table| {
            table
                .checks
                .values()
                .any(|check| check.columns.iter().any(|name| name == column))
        })
    }

    /// Is a column of this domain in a table that is not in `except`? Yes where it is not known.
    pub(super) fn is_domain_used(&self, domain: &str, except: &BTreeSet<String>) -> bool {
        !self.domains.contains_key(domain)
            || self.tables.iter().any(|(name, table)| {
                !except.contains(name)
                    && table
                        .columns
                        .values()
                        .any(|column| column.ty.as_ref().is_none_or(|ty| ty.name == domain))
            })
    }

    pub(super) fn drop_column(&mut self, table: &str, column: &str) {
        if let Some(known) = self.tables.get_mut(table) {
            known.columns.remove(column);
            known
                .checks
                .retain(|_, check| !check.columns.iter().any(|c| c == column));
            known.keys.retain(|key| !key.iter().any(|c| c == column));
        }
        self.indexes
            .retain(|_, index| index.table != table || !index.columns.iter().any(|c| c == column));
    }

    pub(super) fn rename_column(&mut self, table: &str, from: &str, to: &str) {
        let rename = |name: &mut String| {
            if name == from {
                to.clone_into(name);
            }
        };
        if let Some(known) = self.tables.get_mut(table) {
            if let Some(column) = known.columns.remove(from) {
                known.columns.insert(to.to_owned(), column);
            }
            for check in known.checks.values_mut() {
                check.columns.iter_mut().for_each(rename);
                check.not_null.iter_mut().for_each(rename);
            }
            known.keys.iter_mut().flatten().for_each(rename);
        }
        for index in self
            .indexes
            .values_mut()
            .filter(|index| index.table == table)
        {
            index.columns.iter_mut().for_each(rename);
        }
    }

    pub(super) fn drop_table(&mut self, table: &str) {
        self.tables.remove(table);
        self.indexes.retain(|_, index| index.table != table);
    }

    /// Renames a type or a domain, with its schema, wherever a column is of it.
    pub(super) fn rename_type(&mut self, from: &str, to: &str) {
        if let Some(domain) = self.domains.remove(from) {
            self.domains.insert(to.to_owned(), domain);
        }
        self.tables
            .values_mut()
            .flat_map(|table| table.columns.values_mut())
            .filter_map(|column| column.ty.as_mut())
            .filter(|ty| ty.name == from)
            .for_each(|ty| to.clone_into(&mut ty.name));
    }

    /// `ALTER TABLE … RENAME` takes an index too.
    pub(super) fn rename_table(&mut self, from: &str, to: &str) {
        if let Some(index) = self.indexes.remove(from) {
            self.indexes.insert(to.to_owned(), index);
        }
        if let Some(table) = self.tables.remove(from) {
            self.tables.insert(to.to_owned(), table);
        }
        for index in self
            .indexes
            .values_mut()
            .filter(|index| index.table == from)
        {
            to.clone_into(&mut index.table);
        }
    }
}
