//! Tables, their columns, constraints and indexes: what they are after a statement.

use super::{Reader, is_concurrent};
use crate::migrations::lint::catalog::{Check, Column, Index, Table};
use crate::migrations::lint::operations::Op;
use crate::migrations::lint::tree::{
    Kind, Node, beside, child, children, columns, conjuncts, find, has, name, name_of, words,
};
use crate::migrations::lint::types::{Type, is_serial};

impl Reader<'_> {
    pub(super) fn create_table(&mut self, node: &Node) {
        let table = name_of(node, Kind::TABLE_NAME).unwrap_or_default();
        // With IF NOT EXISTS a table that was there stays what it was.
        if has(node, Kind::IF_NOT_EXISTS) && self.catalog.tables.contains_key(&table) {
            return;
        }
        self.catalog.drop_table(&table);
        if let Some(parent) = child(node, Kind::PARTITION_OF) {
            let parent = name(&parent);
            if self.is_old(&parent) {
                self.hit(Op::Partition, node, &*parent);
                self.lock(&parent);
            }
            let of_parent = self
                .catalog
                .tables
                .get(&parent)
                .cloned()
                .unwrap_or_default();
            self.catalog.tables.insert(table.clone(), of_parent);
        } else {
            self.catalog.tables.insert(table.clone(), Table::default());
        }
        self.created.insert(table.clone());
        self.catalog.table_mut(&table).is_partitioned = has(node, Kind::PARTITION_BY);
        let Some(list) = child(node, Kind::TABLE_ARG_LIST) else {
            return;
        };
        for part in list.children() {
            match part.kind() {
                Kind::COLUMN => self.add_column(&table, &part),
                Kind::LIKE_CLAUSE => {
                    let like = self
                        .catalog
                        .tables
                        .get(&name(&part))
                        .cloned()
                        .unwrap_or_default();
                    self.catalog.table_mut(&table).columns.extend(like.columns);
                }
                _ => self.add_constraint(&table, &part, &[]),
            }
        }
    }

    /// Enters a column, with the constraints that stand at it.
    pub(super) fn add_column(&mut self, table: &str, node: &Node) {
        let column = name_of(node, Kind::COLUMN_NAME).unwrap_or_default();
        let is_key = has(node, Kind::PRIMARY_KEY_CONSTRAINT);
        let not_null = is_key
            || has(node, Kind::NOT_NULL_CONSTRAINT)
            || find(node, Kind::GENERATED_IDENTITY).is_some()
            || is_serial(node);
        let entry = Column {
            ty: Type::in_node(node),
            collation: collation(node),
            not_null,
        };
        self.catalog
            .table_mut(table)
            .columns
            .insert(column.clone(), entry);
        for constraint in node.children() {
            self.add_constraint(table, &constraint, std::slice::from_ref(&column));
        }
    }

    /// Enters a constraint. `own`: the column it stands at.
    pub(super) fn add_constraint(&mut self, table: &str, node: &Node, own: &[String]) {
        let known = self.catalog.table_mut(table);
        match node.kind() {
            // Even where the referring table is new.
            Kind::REFERENCES_CONSTRAINT | Kind::FOREIGN_KEY_CONSTRAINT => {
                self.lock(&name_of(node, Kind::TABLE_NAME_REF).unwrap_or_default());
            }
            Kind::CHECK_CONSTRAINT => {
                let mut columns = columns(node);
                columns.sort();
                columns.dedup();
                let name = find(node, Kind::CONSTRAINT_NAME).map_or_else(
                    || match columns.as_slice() {
                        [only] => format!("{table}_{only}_check"),
                        _ => format!("{table}_check"),
                    },
                    |given| name(&given),
                );
                let check = Check {
                    valid: !has(node, Kind::NOT_VALID) && !has(node, Kind::NOT_ENFORCED),
                    not_null: not_null_by(node),
                    columns,
                };
                known.checks.insert(name, check);
            }
            Kind::PRIMARY_KEY_CONSTRAINT | Kind::UNIQUE_CONSTRAINT => {
                let mut key = own.to_vec();
                if let Some(list) = find(node, Kind::CONSTRAINT_COLUMN_REF_LIST) {
                    key = columns(&list);
                } else if let Some(index) = child(node, Kind::USING_INDEX_NAME)
                    && let Some(index) = self.catalog.indexes.remove(&name(&index))
                {
                    key.clone_from(&index.columns);
                    // It is called like the constraint from now on, and goes with it.
                    if let Some(given) = find(node, Kind::CONSTRAINT_NAME) {
                        let renamed = beside(table, &name(&given));
                        self.catalog.indexes.insert(renamed, index);
                    }
                }
                let known = self.catalog.table_mut(table);
                if node.kind() == Kind::PRIMARY_KEY_CONSTRAINT {
                    for column in &key {
                        if let Some(column) = known.columns.get_mut(column) {
                            column.not_null = true;
                        }
                    }
                }
                known.keys.push(key);
            }
            Kind::EXCLUDE_CONSTRAINT => {
                let columns = columns(node);
                let name = find(node, Kind::CONSTRAINT_NAME).map_or_else(
                    || format!("{table}_{}_excl", columns.join("_")),
                    |given| beside(table, &name(&given)),
                );
                let index = Index {
                    table: table.to_owned(),
                    columns,
                    is_computed: true,
                };
                self.catalog.indexes.insert(name, index);
            }
            Kind::NOT_NULL_CONSTRAINT if own.is_empty() && !has(node, Kind::NOT_VALID) => {
                for column in columns(node) {
                    if let Some(column) = known.columns.get_mut(&column) {
                        column.not_null = true;
                    }
                }
            }
            _ => {}
        }
    }

    pub(super) fn alter_table(&mut self, node: &Node) {
        let Some(relation) = child(node, Kind::TABLE_RELATION_NAME) else {
            if let Some(all) = child(node, Kind::ALL_IN_TABLESPACE) {
                self.hit(Op::RewriteTable, &all, "");
            }
            return;
        };
        let table = name(&relation);
        let is_old = self.is_old(&table);
        for action in node
            .children()
            .filter(|action| action.kind() != Kind::TABLE_RELATION_NAME)
        {
            if is_old {
                self.judge_action(&table, &action);
            }
            self.apply_action(&table, &action);
        }
    }

    pub(super) fn apply_action(&mut self, table: &str, action: &Node) {
        let column = name_of(action, Kind::COLUMN_NAME_REF).unwrap_or_default();
        match action.kind() {
            Kind::ADD_COLUMN => {
                let column = name_of(action, Kind::COLUMN_NAME).unwrap_or_default();
                if has(action, Kind::IF_NOT_EXISTS) && self.catalog.column(table, &column).is_some()
                {
                    return;
                }
                self.add_column(table, action);
                self.added.insert((table.to_owned(), column));
            }
            Kind::ADD_CONSTRAINT => {
                if let Some(constraint) = action.last_child() {
                    self.add_constraint(table, &constraint, &[]);
                }
            }
            Kind::VALIDATE_CONSTRAINT => {
                let constraint = name_of(action, Kind::CONSTRAINT_NAME_REF).unwrap_or_default();
                if let Some(check) = self.catalog.table_mut(table).checks.get_mut(&constraint) {
                    check.valid = true;
                }
            }
            Kind::DROP_CONSTRAINT => {
                let constraint = name_of(action, Kind::CONSTRAINT_NAME_REF).unwrap_or_default();
                self.catalog.table_mut(table).checks.remove(&constraint);
                self.catalog.indexes.remove(&beside(table, &constraint));
            }
            Kind::ALTER_COLUMN => {
                let change = child(action, Kind::SET_TYPE);
                let Some(known) = self.catalog.column_mut(table, &column) else {
                    return;
                };
                if has(action, Kind::SET_NOT_NULL) {
                    known.not_null = true;
                } else if has(action, Kind::DROP_NOT_NULL) {
                    known.not_null = false;
                } else if let Some(change) = change {
                    known.ty = Type::in_node(&change);
                    known.collation = collation(&change);
                }
            }
            Kind::DROP_COLUMN => self.catalog.drop_column(table, &column),
            Kind::RENAME_COLUMN => {
                let to = name_of(action, Kind::COLUMN_NAME).unwrap_or_default();
                self.catalog.rename_column(table, &column, &to);
                if self.added.remove(&(table.to_owned(), column)) {
                    self.added.insert((table.to_owned(), to));
                }
            }
            Kind::TABLE_RENAME_TO => {
                let to = beside(
                    table,
                    &name_of(action, Kind::TABLE_NAME).unwrap_or_default(),
                );
                self.catalog.rename_table(table, &to);
                if self.created.remove(table) {
                    self.created.insert(to);
                }
            }
            Kind::RENAME_CONSTRAINT => {
                let from = name_of(action, Kind::CONSTRAINT_NAME_REF).unwrap_or_default();
                let to = name_of(action, Kind::CONSTRAINT_NAME).unwrap_or_default();
                let checks = &mut self.catalog.table_mut(table).checks;
                if let Some(check) = checks.remove(&from) {
                    checks.insert(to, check);
                }
            }
            _ => {}
        }
    }

    pub(super) fn create_index(&mut self, node: &Node) {
        let table = name_of(node, Kind::TABLE_RELATION_NAME).unwrap_or_default();
        let index = name_of(node, Kind::INDEX).map(|index| beside(&table, &index));
        let is_there = index
            .as_ref()
            .is_some_and(|index| self.catalog.indexes.contains_key(index));
        if has(node, Kind::IF_NOT_EXISTS) && is_there {
            return;
        }
        let on_parent_alone = child(node, Kind::TABLE_RELATION_NAME)
            .is_some_and(|name| has(&name, Kind::ONLY_KW))
            && self
                .catalog
                .tables
                .get(&table)
                .is_some_and(|table| table.is_partitioned);
        if !is_concurrent(node) && self.is_old(&table) && !on_parent_alone {
            self.hit(Op::CreateIndex, node, &*table);
            self.lock(&table);
        }
        let Some(index) = index else {
            return;
        };
        let mut columns = columns(node);
        columns.retain(|column| *column != table);
        let is_expression = |item: Node| {
            item.first_child()
                .is_none_or(|first| !matches!(first.kind(), Kind::NAME_REF | Kind::COLLATE))
        };
        let is_computed = has(node, Kind::WHERE_CLAUSE)
            || child(node, Kind::PARTITION_ITEM_LIST)
                .is_some_and(|list| children(&list, Kind::PARTITION_ITEM).any(is_expression));
        let entry = Index {
            table,
            columns,
            is_computed,
        };
        self.catalog.indexes.insert(index, entry);
    }
}

/// What a column is collated by, where that is not the default of the database.
pub(super) fn collation(column: &Node) -> Option<String> {
    let given = child(column, Kind::COLLATE).map(|collate| name(&collate))?;
    (given != "default" && given != "pg_catalog.default").then_some(given)
}

/// The columns that a CHECK proves not to be null.
pub(super) fn not_null_by(check: &Node) -> Vec<String> {
    let mut proven = Vec::new();
    for expression in check.children().filter(|n| {
        matches!(
            n.kind(),
            Kind::BIN_EXPR | Kind::PAREN_EXPR | Kind::POSTFIX_EXPR
        )
    }) {
        conjuncts(&expression, &mut |part| {
            let words = words(part);
            let is_not_null = matches!(
                words.iter().map(String::as_str).collect::<Vec<_>>()[..],
                [_, "is", "not", "null"] | [_, "notnull"]
            );
            if is_not_null {
                proven.extend(columns(part));
            }
        });
    }
    proven
}
