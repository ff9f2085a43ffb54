//! What the statements of a PostgreSQL migration do, by its syntax tree and the schema before it.

mod alter;
mod objects;
mod rows;
mod tables;

use std::collections::BTreeSet;

use squawk_syntax::ast::{self, AstNode as _};

use crate::migrations::OWN_TABLES;
use crate::migrations::lint::catalog::{Catalog, Domain};
use crate::migrations::lint::operations::Op;
use crate::migrations::lint::tree::{
    Kind, Node, at, beside, child, children, find, has, name, name_of, words,
};

/// One operation of a statement.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) op: Op,
    /// Byte offset of the part of the statement that does it.
    pub(super) at: usize,
    /// What it does it to.
    pub(super) subject: String,
}

/// Reads the statements of one file after the other.
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a mut Catalog,
    pub(super) hits: Vec<Hit>,
    in_transaction: bool,
    /// Made in this file: nobody waits for them.
    created: BTreeSet<String>,
    /// Views made in this file over what was there before it.
    views: BTreeSet<String>,
    /// Columns that this file added to tables that were there before.
    added: BTreeSet<(String, String)>,
    /// Tables that were there before and that the transaction holds a lock on which writers wait for.
    locked: BTreeSet<String>,
    is_utc: bool,
    /// Statements that take as long as there are rows.
    bulk: Vec<Hit>,
    /// Where the statement is, when its own offsets are those of a body within it.
    within: Option<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(catalog: &'a mut Catalog, in_transaction: bool) -> Self {
        Self {
            catalog,
            hits: Vec::new(),
            in_transaction,
            created: BTreeSet::new(),
            views: BTreeSet::new(),
            added: BTreeSet::new(),
            locked: BTreeSet::new(),
            is_utc: false,
            bulk: Vec::new(),
            within: None,
        }
    }

    /// Reads a file's statements in their order and answers what they do.
    pub(super) fn file(mut self, statements: &[Node]) -> Vec<Hit> {
        for node in statements {
            self.statement(node);
        }
        // What a view's name stands for again at the end of the file was replaced, not dropped.
        let created = std::mem::take(&mut self.created);
        self.hits
            .retain(|hit| hit.op != Op::DropView || !created.contains(&hit.subject));
        if self.in_transaction && !self.locked.is_empty() {
            self.hits.append(&mut self.bulk);
        }
        self.hits.sort_by_key(|hit| hit.at);
        self.hits
    }

    fn hit(&mut self, op: Op, node: &Node, subject: impl Into<String>) {
        let hit = self.make(op, node, subject);
        self.hits.push(hit);
    }

    fn make(&self, op: Op, node: &Node, subject: impl Into<String>) -> Hit {
        Hit {
            op,
            at: self.within.unwrap_or_else(|| at(node)),
            subject: subject.into(),
        }
    }

    fn is_old(&self, table: &str) -> bool {
        !self.created.contains(table)
    }

    /// A lock that writers wait for, until the end of the transaction.
    fn lock(&mut self, table: &str) {
        if self.is_old(table) {
            self.locked.insert(table.to_owned());
        }
    }

    fn statement(&mut self, node: &Node) {
        match node.kind() {
            Kind::CREATE_TABLE | Kind::CREATE_FOREIGN_TABLE => self.create_table(node),
            Kind::CREATE_TABLE_AS => {
                let table = name_of(node, Kind::TABLE_NAME).unwrap_or_default();
                let is_there = self.catalog.tables.contains_key(&table);
                if !(has(node, Kind::IF_NOT_EXISTS) && is_there) {
                    self.catalog.drop_table(&table);
                    self.create_from(node, table);
                }
            }
            Kind::CREATE_VIEW => {
                let view = name_of(node, Kind::VIEW).unwrap_or_default();
                if self.reads_old(node) {
                    self.views.insert(view.clone());
                }
                self.created.insert(view);
            }
            Kind::CREATE_MATERIALIZED_VIEW => {
                self.create_from(node, name_of(node, Kind::VIEW).unwrap_or_default());
            }
            Kind::ALTER_TABLE | Kind::ALTER_FOREIGN_TABLE => self.alter_table(node),
            Kind::ALTER_MATERIALIZED_VIEW | Kind::ALTER_VIEW => self.alter_view(node),
            Kind::ALTER_INDEX => {
                if let Some(action) = child(node, Kind::SET_TABLESPACE) {
                    self.hit(
                        Op::RewriteTable,
                        &action,
                        name_of(node, Kind::INDEX_REF).unwrap_or_default(),
                    );
                }
                if let (Some(from), Some(action)) = (
                    name_of(node, Kind::INDEX_REF),
                    child(node, Kind::INDEX_RENAME_TO),
                ) && let Some(index) = self.catalog.indexes.remove(&from)
                {
                    self.catalog
                        .indexes
                        .insert(beside(&from, &name(&action)), index);
                }
            }
            Kind::ALTER_TYPE => self.alter_type(node),
            Kind::ALTER_SCHEMA if has(node, Kind::SCHEMA_RENAME_TO) => {
                self.hit(
                    Op::Rename,
                    node,
                    words(node).get(2).cloned().unwrap_or_default(),
                );
            }
            Kind::CREATE_DOMAIN => {
                let domain = Domain {
                    has_constraints: [Kind::CHECK_CONSTRAINT, Kind::NOT_NULL_CONSTRAINT]
                        .iter()
                        .any(|kind| find(node, *kind).is_some()),
                };
                let name = name_of(node, Kind::DOMAIN).unwrap_or_default();
                self.created.insert(name.clone());
                self.catalog.domains.insert(name, domain);
            }
            // Types and sequences are named in one space with tables.
            Kind::CREATE_TYPE => {
                self.created
                    .insert(name_of(node, Kind::TYPE_NAME).unwrap_or_default());
            }
            Kind::CREATE_SEQUENCE if !has(node, Kind::IF_NOT_EXISTS) => {
                self.created
                    .insert(name_of(node, Kind::SEQUENCE).unwrap_or_default());
            }
            Kind::ALTER_DOMAIN => self.alter_domain(node),
            Kind::CREATE_INDEX => self.create_index(node),
            Kind::REINDEX
                if find(node, Kind::REINDEX_OPTION_CONCURRENTLY).is_none()
                    && !is_concurrent(node) =>
            {
                let subject = name(node.last_child().as_ref().unwrap_or(node));
                if self.is_old(&subject) {
                    self.hit(Op::Reindex, node, subject);
                }
            }
            Kind::DROP_TABLE | Kind::DROP_FOREIGN_TABLE => {
                self.drop(node, Op::DropTable, Kind::TABLE_NAME_REF);
            }
            Kind::DROP_VIEW | Kind::DROP_MATERIALIZED_VIEW => {
                self.drop(node, Op::DropView, Kind::VIEW_REF);
            }
            Kind::DROP_TYPE => self.drop(node, Op::DropType, Kind::TYPE_NAME_REF),
            Kind::DROP_DOMAIN => self.drop(node, Op::DropType, Kind::DOMAIN_REF),
            Kind::DROP_SEQUENCE => self.drop(node, Op::DropType, Kind::SEQUENCE_REF),
            Kind::DROP_SCHEMA => self.drop(node, Op::DropSchema, Kind::SCHEMA_REF),
            Kind::DROP_EXTENSION => self.drop(node, Op::DropSchema, Kind::EXTENSION_REF),
            Kind::DROP_SERVER => self.drop(node, Op::DropSchema, Kind::SERVER_REF),
            Kind::DROP_DATABASE => self.hit(
                Op::DropSchema,
                node,
                words(node).get(2).cloned().unwrap_or_default(),
            ),
            Kind::DROP_INDEX => {
                for index in children(node, Kind::INDEX_REF) {
                    let index = name(&index);
                    self.catalog.indexes.remove(&index);
                    self.hit(Op::DropIndex, node, index);
                }
            }
            Kind::DROP_OWNED => self.hit(
                Op::DropOwned,
                node,
                words(node).get(3).cloned().unwrap_or_default(),
            ),
            Kind::DROP_FUNCTION
            | Kind::DROP_PROCEDURE
            | Kind::DROP_ROUTINE
            | Kind::DROP_AGGREGATE
                if has(node, Kind::CASCADE) =>
            {
                self.hit(
                    Op::DropCascade,
                    node,
                    words(node).get(2).cloned().unwrap_or_default(),
                );
            }
            Kind::TRUNCATE => {
                for table in node
                    .descendants()
                    .filter(|n| n.kind() == Kind::TABLE_NAME_REF)
                {
                    let table = name(&table);
                    if OWN_TABLES.contains(&table.as_str()) {
                        self.hit(Op::TrackingTable, node, table);
                    } else if self.is_old(&table) {
                        self.hit(Op::Truncate, node, &*table);
                        self.lock(&table);
                    }
                }
            }
            Kind::SELECT
            | Kind::SELECT_INTO
            | Kind::COMPOUND_SELECT
            | Kind::INSERT
            | Kind::UPDATE
            | Kind::DELETE
            | Kind::MERGE
            | Kind::EXPLAIN => self.query(node),
            Kind::COPY => {
                let table = find(node, Kind::TABLE_NAME_REF)
                    .map(|table| name(&table))
                    .unwrap_or_default();
                if OWN_TABLES.contains(&table.as_str()) && has(node, Kind::COPY_FROM) {
                    self.hit(Op::TrackingTable, node, table);
                }
            }
            Kind::REFRESH => {
                let view = name_of(node, Kind::VIEW_REF).unwrap_or_default();
                if !is_concurrent(node) && self.is_old(&view) {
                    self.hit(Op::RefreshView, node, view);
                }
            }
            Kind::VACUUM => {
                let is_full = |list: Node| words(&list).iter().any(|word| word == "full");
                if has(node, Kind::FULL_KW)
                    || child(node, Kind::VACUUM_OPTION_LIST).is_some_and(is_full)
                {
                    let table = find(node, Kind::TABLE_NAME_REF).map(|table| name(&table));
                    self.hit(Op::RewriteTable, node, table.unwrap_or_default());
                }
            }
            Kind::CLUSTER | Kind::REPACK => {
                let table = name_of(node, Kind::TABLE_NAME_REF).unwrap_or_default();
                if self.is_old(&table) {
                    self.hit(Op::RewriteTable, node, table);
                }
            }
            Kind::LOCK => self.lock_tables(node),
            Kind::GRANT | Kind::ALTER_DEFAULT_PRIVILEGES => self.grant(node),
            Kind::CREATE_TRIGGER => {
                let table = name_of(node, Kind::ON_RELATION).unwrap_or_default();
                if self.is_old(&table) {
                    self.hit(Op::CreateTrigger, node, &*table);
                    self.lock(&table);
                }
            }
            Kind::SET => self.set(node),
            Kind::DO => self.block(node),
            Kind::CALL | Kind::EXECUTE => self.hit(
                Op::Opaque,
                node,
                words(node).get(1).cloned().unwrap_or_default(),
            ),
            Kind::CREATE_FUNCTION => self.create_function(node),
            Kind::CREATE_SCHEMA => {
                for element in node
                    .children()
                    .filter(|n| matches!(n.kind(), Kind::CREATE_TABLE | Kind::CREATE_INDEX))
                {
                    self.statement(&element);
                }
            }
            _ => {}
        }
    }

    /// The statements of a DO block as if they stood in the file.
    fn block(&mut self, node: &Node) {
        const DYNAMIC: &[Kind] = &[
            Kind::PLPGSQL_DYN_EXECUTE_STMT,
            Kind::PLPGSQL_FOR_DYN_STMT,
            Kind::PLPGSQL_OPEN_EXECUTE,
            Kind::PLPGSQL_RETURN_QUERY_EXECUTE_STMT,
            Kind::PLPGSQL_CALL_STMT,
            Kind::PLPGSQL_DO_STMT,
            Kind::PLPGSQL_COMMIT_STMT,
            Kind::PLPGSQL_ROLLBACK_STMT,
            Kind::ERROR,
        ];
        let body = ast::Do::cast(node.clone()).and_then(|block| block.plpgsql());
        let Some(body) = body.filter(|body| body.errors().is_empty()) else {
            return self.hit(Op::Opaque, node, "");
        };
        let body = body.syntax();
        if body
            .descendants()
            .any(|below| DYNAMIC.contains(&below.kind()))
        {
            self.hit(Op::Opaque, node, "");
        }
        let before = self.within.replace(self.within.unwrap_or_else(|| at(node)));
        for below in body
            .descendants()
            .filter(|below| below.kind() == Kind::PLPGSQL_EXEC_SQL_STMT)
        {
            for statement in below.children() {
                self.statement(&statement);
            }
        }
        self.within = before;
    }
}

/// `CONCURRENTLY`, wherever the statement has it.
pub(super) fn is_concurrent(node: &Node) -> bool {
    node.descendants_with_tokens()
        .any(|below| below.kind() == Kind::CONCURRENTLY_KW)
}
