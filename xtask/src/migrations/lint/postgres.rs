//! What the statements of a PostgreSQL migration do, by its syntax tree and the schema before it.

use std::collections::BTreeSet;

use squawk_syntax::ast::{self, AstNode as _};

use super::catalog::{Catalog, Check, Column, Domain, Index, Table};
use super::operations::Op;
use super::tree::{Kind, Node, at, child, children, columns, find, has, name, name_of, words};
use super::types::{Type, is_serial};

/// One operation of a statement.
#[derive(Clone, Debug)]
pub(super) struct Hit {
    pub(super) op: Op,
    /// Byte offset of the part of the statement that does it.
    pub(super) at: usize,
    /// What it does it to.
    pub(super) subject: String,
}

/// Tables that belong to the migrator and to the marker.
const TRACKING: &[&str] = &["_sqlx_migrations", "env_marker"];

/// Functions of PostgreSQL that a default may call without a value per row.
const STABLE: &str = "\
    abs age array_fill array_to_string ceil ceiling char_length coalesce concat concat_ws \
    convert_from convert_to current_database current_schema current_setting current_user \
    date_part date_trunc decode encode extract floor format greatest hstore int4range \
    int8range json_build_array json_build_object json_object jsonb_build_array \
    jsonb_build_object jsonb_object least length lower make_date make_interval \
    make_timestamp make_timestamptz md5 now nullif numrange pg_current_xact_id replace round \
    row_to_json session_user sha256 split_part statement_timestamp string_to_array strpos \
    substr substring timezone to_char to_date to_json to_jsonb to_number to_timestamp \
    to_tsvector transaction_timestamp trim trunc tsrange tstzrange txid_current upper \
    version";

/// Reads the statements of one file after the other.
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a mut Catalog,
    pub(super) hits: Vec<Hit>,
    in_transaction: bool,
    /// Made in this file: nobody waits for them.
    created: BTreeSet<String>,
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
                self.catalog.tables.remove(&table);
                self.created.insert(table);
            }
            Kind::CREATE_VIEW | Kind::CREATE_MATERIALIZED_VIEW => {
                self.created
                    .insert(name_of(node, Kind::VIEW).unwrap_or_default());
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
                    self.catalog.indexes.insert(name(&action), index);
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
                self.catalog.domains.insert(name, domain);
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
                    if TRACKING.contains(&table.as_str()) {
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
                if TRACKING.contains(&table.as_str()) && has(node, Kind::COPY_FROM) {
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
            Kind::LOCK => {
                let mode = child(node, Kind::LOCK_MODE_CLAUSE).map(|mode| words(&mode).join(" "));
                // What SELECT, INSERT and their like take by themselves keeps nobody out.
                let is_light = matches!(
                    mode.as_deref(),
                    Some("in access share mode" | "in row share mode" | "in row exclusive mode")
                );
                for table in node
                    .descendants()
                    .filter(|n| n.kind() == Kind::RELATION_NAME_REF)
                {
                    let table = name(&table);
                    if !is_light && self.is_old(&table) {
                        self.hit(Op::LockTable, node, &*table);
                        self.lock(&table);
                    }
                }
            }
            Kind::GRANT | Kind::ALTER_DEFAULT_PRIVILEGES => {
                let to_public = |list: Node| words(&list).iter().any(|word| word == "public");
                let is_grant = node.kind() == Kind::GRANT
                    || find(node, Kind::GRANT_DEFAULT_PRIVILEGES).is_some();
                if is_grant
                    && node
                        .descendants()
                        .filter(|n| n.kind() == Kind::ROLE_REF_LIST)
                        .any(to_public)
                {
                    let what = find(node, Kind::ON_PRIVILEGE_OBJECTS_CLAUSE)
                        .map(|on| words(&on)[1..].join(" "));
                    self.hit(Op::GrantPublic, node, what.unwrap_or_default());
                }
            }
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
            Kind::BEGIN
            | Kind::COMMIT_TRANSACTION
            | Kind::COMMIT_PREPARED
            | Kind::ROLLBACK_TRANSACTION
            | Kind::ROLLBACK_TO_SAVEPOINT
            | Kind::ROLLBACK_PREPARED
            | Kind::PREPARE_TRANSACTION
            | Kind::SAVEPOINT_CREATE
            | Kind::RELEASE_SAVEPOINT => {
                self.hit(Op::TransactionControl, node, "");
            }
            Kind::CREATE_FUNCTION => {
                let is_volatile = find(node, Kind::STABLE)
                    .or_else(|| find(node, Kind::IMMUTABLE))
                    .is_none();
                let name = name_of(node, Kind::FUNCTION_NAME).unwrap_or_default();
                self.catalog.functions.insert(name, is_volatile);
            }
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

    fn create_table(&mut self, node: &Node) {
        let table = name_of(node, Kind::TABLE_NAME).unwrap_or_default();
        // With IF NOT EXISTS a table that was there stays what it was.
        if has(node, Kind::IF_NOT_EXISTS) && self.catalog.tables.contains_key(&table) {
            return;
        }
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
    fn add_column(&mut self, table: &str, node: &Node) {
        let column = name_of(node, Kind::COLUMN_NAME).unwrap_or_default();
        let is_key = has(node, Kind::PRIMARY_KEY_CONSTRAINT);
        let not_null = is_key
            || has(node, Kind::NOT_NULL_CONSTRAINT)
            || find(node, Kind::GENERATED_IDENTITY).is_some()
            || is_serial(node);
        let entry = Column {
            ty: Type::in_node(node),
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
    fn add_constraint(&mut self, table: &str, node: &Node, own: &[String]) {
        let known = self.catalog.table_mut(table);
        match node.kind() {
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
                    && let Some(index) = self.catalog.indexes.get(&name(&index))
                {
                    key.clone_from(&index.columns);
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

    fn alter_table(&mut self, node: &Node) {
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

    /// What an action does to a table that was there before.
    fn judge_action(&mut self, table: &str, action: &Node) {
        let of_column = |kind| {
            let column = name_of(action, kind).unwrap_or_default();
            (format!("{table}.{column}"), column)
        };
        // These lock out neither readers nor writers.
        let is_light = match action.kind() {
            Kind::VALIDATE_CONSTRAINT
            | Kind::SET_OPTIONS
            | Kind::RESET_OPTIONS
            | Kind::CLUSTER_ON
            | Kind::ATTACH_PARTITION
            | Kind::IF_EXISTS => true,
            Kind::ALTER_COLUMN => {
                has(action, Kind::SET_STATISTICS) || has(action, Kind::SET_OPTIONS)
            }
            _ => false,
        };
        match action.kind() {
            Kind::ADD_COLUMN => self.judge_column(table, action),
            Kind::ADD_CONSTRAINT => {
                if let Some(constraint) = action.last_child() {
                    self.judge_constraint(table, action, &constraint);
                }
            }
            Kind::ALTER_COLUMN => {
                let (subject, column) = of_column(Kind::COLUMN_NAME_REF);
                if has(action, Kind::SET_NOT_NULL)
                    && !self.catalog.is_proven_not_null(table, &column)
                {
                    self.hit(Op::SetNotNull, action, &*subject);
                }
                if has(action, Kind::SET_EXPRESSION) {
                    self.hit(Op::AddColumnStored, action, &*subject);
                }
                if let Some(change) = child(action, Kind::SET_TYPE) {
                    self.judge_type(table, &column, action, &change);
                }
            }
            Kind::DROP_COLUMN => {
                let (subject, column) = of_column(Kind::COLUMN_NAME_REF);
                if !self.added.contains(&(table.to_owned(), column)) {
                    self.hit(Op::DropColumn, action, subject);
                }
            }
            Kind::RENAME_COLUMN => {
                let (subject, column) = of_column(Kind::COLUMN_NAME_REF);
                if !self.added.contains(&(table.to_owned(), column)) {
                    self.hit(Op::Rename, action, subject);
                }
            }
            Kind::TABLE_RENAME_TO | Kind::SET_SCHEMA => self.hit(Op::Rename, action, table),
            Kind::VALIDATE_CONSTRAINT => {
                let is_held = self.in_transaction && self.locked.contains(table);
                let op = if is_held {
                    Op::ValidateHeld
                } else {
                    Op::Validate
                };
                self.hit(op, action, table);
            }
            Kind::DROP_CONSTRAINT => self.hit(Op::DropIndex, action, table),
            Kind::DISABLE_TRIGGER | Kind::DISABLE_RULE => {
                self.hit(Op::DisableTrigger, action, table);
            }
            Kind::ENABLE_RLS | Kind::DISABLE_RLS | Kind::FORCE_RLS | Kind::NO_FORCE_RLS => {
                self.hit(Op::RowSecurity, action, table);
            }
            Kind::ATTACH_PARTITION => {
                let partition = name_of(action, Kind::TABLE_NAME_REF).unwrap_or_default();
                if self.is_old(&partition) {
                    self.hit(Op::AttachPartition, action, &*partition);
                    self.lock(&partition);
                }
            }
            Kind::DETACH_PARTITION
                if !has(action, Kind::DETACH_CONCURRENTLY)
                    && !has(action, Kind::DETACH_FINALIZE) =>
            {
                self.hit(Op::DetachPartition, action, table);
            }
            Kind::SPLIT_PARTITION | Kind::MERGE_PARTITIONS => {
                self.hit(Op::Partition, action, table);
            }
            Kind::SET_TABLESPACE
            | Kind::SET_LOGGED
            | Kind::SET_UNLOGGED
            | Kind::SET_ACCESS_METHOD => {
                self.hit(Op::RewriteTable, action, table);
            }
            _ => {}
        }
        if !is_light {
            self.lock(table);
        }
    }

    fn judge_column(&mut self, table: &str, action: &Node) {
        let column = name_of(action, Kind::COLUMN_NAME).unwrap_or_default();
        let subject = format!("{table}.{column}");
        if has(action, Kind::IF_NOT_EXISTS) && self.catalog.column(table, &column).is_some() {
            return;
        }
        let default = child(action, Kind::DEFAULT_CONSTRAINT)
            .filter(|default| words(default).last().is_none_or(|word| word != "null"));
        let generated = child(action, Kind::GENERATED_CONSTRAINT);
        let domain =
            Type::in_node(action).and_then(|ty| self.catalog.domains.get(&ty.name).cloned());
        let mut found = Vec::new();
        if is_serial(action) || find(action, Kind::GENERATED_IDENTITY).is_some() {
            found.push(Op::AddColumnSerial);
        } else if generated
            .as_ref()
            .is_some_and(|generated| find(generated, Kind::VIRTUAL).is_none())
        {
            found.push(Op::AddColumnStored);
        } else if default
            .as_ref()
            .is_some_and(|default| self.is_volatile(default))
        {
            found.push(Op::AddColumnVolatile);
        } else if domain.is_some_and(|domain| domain.has_constraints) {
            found.push(Op::AddColumnDomain);
        }
        if has(action, Kind::PRIMARY_KEY_CONSTRAINT) || has(action, Kind::UNIQUE_CONSTRAINT) {
            found.push(Op::AddColumnUnique);
        }
        if children(action, Kind::CHECK_CONSTRAINT).any(|check| !has(&check, Kind::NOT_ENFORCED)) {
            found.push(Op::AddColumnCheck);
        }
        if let Some(reference) = child(action, Kind::REFERENCES_CONSTRAINT) {
            let parent = name_of(&reference, Kind::TABLE_NAME_REF).unwrap_or_default();
            self.lock(&parent);
            // Even `DEFAULT NULL`: that there is a default is all that PostgreSQL looks at.
            if has(action, Kind::DEFAULT_CONSTRAINT) && !has(&reference, Kind::NOT_ENFORCED) {
                found.push(Op::AddColumnReferences);
            }
        }
        if has(action, Kind::NOT_NULL_CONSTRAINT)
            && default.is_none()
            && generated.is_none()
            && !is_serial(action)
        {
            found.push(Op::AddColumnRequired);
        }
        if found.is_empty() {
            found.push(Op::AddColumn);
        }
        for op in found {
            self.hit(op, action, &*subject);
        }
    }

    fn judge_constraint(&mut self, table: &str, action: &Node, constraint: &Node) {
        let reads_later = has(constraint, Kind::NOT_VALID) || has(constraint, Kind::NOT_ENFORCED);
        if constraint.kind() == Kind::FOREIGN_KEY_CONSTRAINT {
            self.lock(&name_of(constraint, Kind::TABLE_NAME_REF).unwrap_or_default());
        }
        let op = match constraint.kind() {
            _ if reads_later => Op::NotValid,
            Kind::CHECK_CONSTRAINT => Op::AddCheck,
            Kind::FOREIGN_KEY_CONSTRAINT => Op::AddForeignKey,
            Kind::NOT_NULL_CONSTRAINT => {
                let proven = columns(constraint)
                    .iter()
                    .all(|column| self.catalog.is_proven_not_null(table, column));
                if proven { Op::NotValid } else { Op::SetNotNull }
            }
            Kind::UNIQUE_CONSTRAINT | Kind::PRIMARY_KEY_CONSTRAINT => {
                match child(constraint, Kind::USING_INDEX_NAME) {
                    None => Op::AddUnique,
                    Some(index) => {
                        let index = self.catalog.indexes.get(&name(&index));
                        let known_nullable = index.is_some_and(|index| {
                            index.columns.iter().any(|column| {
                                self.catalog.column(table, column).is_some()
                                    && !self.catalog.is_proven_not_null(table, column)
                            })
                        });
                        if constraint.kind() == Kind::UNIQUE_CONSTRAINT || !known_nullable {
                            Op::NotValid
                        } else {
                            Op::AddKeyNullable
                        }
                    }
                }
            }
            Kind::EXCLUDE_CONSTRAINT => Op::AddExclude,
            _ => return,
        };
        self.hit(op, action, table);
    }

    fn judge_type(&mut self, table: &str, column: &str, action: &Node, change: &Node) {
        let subject = format!("{table}.{column}");
        if has(change, Kind::COLLATE) {
            return self.hit(Op::ChangeCollation, action, subject);
        }
        let (Some(from), Some(to)) = (
            self.catalog
                .column(table, column)
                .and_then(|column| column.ty.clone()),
            Type::in_node(change),
        ) else {
            return self.hit(Op::ChangeType, action, subject);
        };
        // `USING column::type` says nothing new.
        let using = child(change, Kind::USING_EXPR).map(|using| words(&using)[1..].concat());
        let cast = child(change, Kind::USING_EXPR)
            .and_then(|using| child(&using, Kind::CAST_EXPR))
            .filter(|cast| Type::in_node(cast).as_ref() == Some(&to) && columns(cast) == [column]);
        let is_plain = cast.is_some() || using.as_deref().is_none_or(|using| using == column);
        if from.loses(&to, cast.is_some()) {
            self.hit(Op::LossyType, action, &*subject);
        }
        if !is_plain || !from.keeps_rows(&to, self.is_utc) {
            let op = if is_plain && from.is_timestamp_change(&to) && !self.is_utc {
                Op::ChangeTimestamp
            } else {
                Op::ChangeType
            };
            self.hit(op, action, subject);
        } else if self.catalog.is_checked(table, column)
            || (from.name != to.name
                && from.is_timestamp_change(&to)
                && self.catalog.is_indexed(table, column))
        {
            self.hit(Op::ChangeTypeChecked, action, subject);
        } else {
            self.hit(Op::FreeType, action, subject);
        }
    }

    /// Must a default be computed for each row? Yes where a function is not known.
    fn is_volatile(&self, default: &Node) -> bool {
        default
            .descendants()
            .filter(|below| below.kind() == Kind::CALL_EXPR)
            .any(|call| {
                let Some(function) = call.first_child().filter(|callee| {
                    callee.kind() == Kind::NAME_REF || callee.kind() == Kind::FIELD_EXPR
                }) else {
                    // `extract(…)`, `json_object(…)` and others that have a grammar of their own.
                    return false;
                };
                let function = words(&function).concat();
                let function = function.strip_prefix("pg_catalog.").unwrap_or(&function);
                let function = function.strip_prefix("public.").unwrap_or(function);
                match self.catalog.functions.get(function) {
                    Some(is_volatile) => *is_volatile,
                    None => !STABLE.split_whitespace().any(|stable| stable == function),
                }
            })
    }

    fn apply_action(&mut self, table: &str, action: &Node) {
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
                let to = name_of(action, Kind::TABLE_NAME).unwrap_or_default();
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

    fn alter_view(&mut self, node: &Node) {
        let view = name_of(node, Kind::VIEW_REF).unwrap_or_default();
        if !self.is_old(&view) {
            return;
        }
        for action in node.children() {
            match action.kind() {
                Kind::VIEW_RENAME_TO | Kind::RENAME_COLUMN | Kind::SET_SCHEMA => {
                    self.hit(Op::Rename, &action, &*view);
                }
                Kind::SET_TABLESPACE | Kind::SET_ACCESS_METHOD => {
                    self.hit(Op::RewriteTable, &action, &*view);
                }
                _ => {}
            }
        }
    }

    fn alter_type(&mut self, node: &Node) {
        let ty = name_of(node, Kind::TYPE_NAME_REF).unwrap_or_default();
        let renamed = [
            Kind::TYPE_RENAME_TO,
            Kind::RENAME_VALUE,
            Kind::RENAME_ATTRIBUTE,
            Kind::SET_SCHEMA,
        ];
        if renamed.iter().any(|kind| has(node, *kind)) {
            self.hit(Op::Rename, node, &*ty);
        }
        if has(node, Kind::ADD_VALUE) {
            self.hit(Op::AddValue, node, &*ty);
        }
        if find(node, Kind::DROP_ATTRIBUTE).is_some() {
            self.hit(Op::DropType, node, &*ty);
        }
        if find(node, Kind::ALTER_ATTRIBUTE).is_some() {
            self.hit(Op::ChangeType, node, ty);
        }
    }

    fn alter_domain(&mut self, node: &Node) {
        let domain = name_of(node, Kind::DOMAIN_REF).unwrap_or_default();
        let added = child(node, Kind::ADD_CONSTRAINT).and_then(|action| action.last_child());
        let reads = match &added {
            Some(constraint) => !has(constraint, Kind::NOT_VALID),
            None => has(node, Kind::SET_NOT_NULL) || has(node, Kind::VALIDATE_CONSTRAINT),
        };
        if reads && self.catalog.is_domain_used(&domain, &self.created) {
            self.hit(Op::DomainConstraint, node, &*domain);
        }
        if has(node, Kind::DOMAIN_RENAME_TO) || has(node, Kind::SET_SCHEMA) {
            self.hit(Op::Rename, node, &*domain);
        }
        if added.is_some() || has(node, Kind::SET_NOT_NULL) {
            self.catalog
                .domains
                .entry(domain)
                .or_default()
                .has_constraints = true;
        }
    }

    fn create_index(&mut self, node: &Node) {
        let table = name_of(node, Kind::TABLE_RELATION_NAME).unwrap_or_default();
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
        let mut columns_of = columns(node);
        columns_of.retain(|column| *column != table);
        if let Some(index) = name_of(node, Kind::INDEX) {
            let index_of = Index {
                table,
                columns: columns_of,
            };
            self.catalog.indexes.insert(index, index_of);
        }
    }

    fn drop(&mut self, node: &Node, op: Op, kind: Kind) {
        for dropped in children(node, kind) {
            let dropped = name(&dropped);
            let is_old = self.is_old(&dropped);
            if is_old {
                self.hit(op, node, &*dropped);
                if op == Op::DropTable {
                    self.lock(&dropped);
                }
            }
            self.catalog.tables.remove(&dropped);
            self.catalog.domains.remove(&dropped);
            self.created.remove(&dropped);
        }
    }

    fn set(&mut self, node: &Node) {
        let words = words(node);
        let mut rest = words.iter().map(String::as_str).skip(1);
        let mut word = rest.next().unwrap_or_default();
        if matches!(word, "local" | "session") {
            word = rest.next().unwrap_or_default();
        }
        let value = words
            .iter()
            .rfind(|word| *word != ";")
            .map(|word| word.trim_matches('\'').to_lowercase())
            .unwrap_or_default();
        match word {
            "session_replication_role" if value != "origin" && value != "default" => {
                self.hit(Op::DisableTrigger, node, "");
            }
            "timezone" | "time" => {
                self.is_utc = matches!(value.as_str(), "utc" | "gmt" | "etc/utc" | "0");
            }
            _ => {}
        }
    }

    /// A query, with what its WITH changes, and settings that it sets.
    fn query(&mut self, node: &Node) {
        if node.kind() == Kind::SELECT_INTO
            && let Some(into) = find(node, Kind::INTO_CLAUSE)
        {
            self.created.insert(name(&into));
        }
        for below in node.descendants() {
            match below.kind() {
                Kind::INSERT | Kind::UPDATE | Kind::DELETE | Kind::MERGE => self.change(&below),
                Kind::CALL_EXPR => {
                    let call = words(&below);
                    let sets = call.first().is_some_and(|name| name == "set_config");
                    if sets && call.iter().any(|word| word == "'session_replication_role'") {
                        self.hit(Op::DisableTrigger, &below, "");
                    }
                }
                _ => {}
            }
        }
    }

    fn change(&mut self, node: &Node) {
        let target = [
            Kind::RELATION_NAME,
            Kind::RELATION_NAME_REF,
            Kind::TABLE_RELATION_NAME,
        ]
        .iter()
        .find_map(|kind| name_of(node, *kind))
        .unwrap_or_default();
        if TRACKING.contains(&target.as_str()) {
            return self.hit(Op::TrackingTable, node, target);
        }
        if !self.is_old(&target) {
            return;
        }
        let condition = child(node, Kind::WHERE_CLAUSE).filter(|clause| {
            !matches!(
                words(clause).join(" ").as_str(),
                "where true" | "where 1 = 1"
            )
        });
        let everything = condition.is_none() && !has(node, Kind::WHERE_CURRENT_OF);
        match node.kind() {
            Kind::DELETE if everything => return self.hit(Op::DeleteAll, node, target),
            Kind::UPDATE if everything => {
                let set: Vec<String> = find(node, Kind::SET_CLAUSE)
                    .map(|clause| {
                        clause
                            .descendants()
                            .filter(|below| below.kind() == Kind::COLUMN_TARGET)
                            .map(|below| name(&below))
                            .collect()
                    })
                    .unwrap_or_default();
                // A column that this file added holds nothing that could be overwritten.
                let all_new = set
                    .iter()
                    .all(|column| self.added.contains(&(target.clone(), column.clone())));
                if !all_new {
                    return self.hit(Op::UpdateAll, node, target);
                }
            }
            Kind::INSERT => {
                let reads = node
                    .descendants()
                    .filter(|below| below.kind() == Kind::RELATION_FROM_ITEM)
                    .any(|item| self.is_old(&name(&item)));
                if !reads {
                    return;
                }
            }
            _ => {}
        }
        if condition.is_some_and(|condition| self.is_by_key(&target, &condition)) {
            return;
        }
        let hit = self.make(Op::BulkInDdl, node, target);
        self.bulk.push(hit);
    }

    /// Does a condition name rows by a key and constants?
    fn is_by_key(&self, table: &str, condition: &Node) -> bool {
        let mut named = Vec::new();
        if let Some(expression) = condition.last_child() {
            conjuncts(&expression, &mut |part| {
                let mut sides = part.children().filter(|side| side.kind() != Kind::OP);
                let (Some(left), Some(right)) = (sides.next(), sides.next()) else {
                    return;
                };
                let is_equal = has(part, Kind::EQ) || has(part, Kind::IN_KW);
                let is_constant = right.descendants().all(|n| {
                    matches!(
                        n.kind(),
                        Kind::LITERAL | Kind::TUPLE_EXPR | Kind::PAREN_EXPR | Kind::PREFIX_EXPR
                    )
                });
                if is_equal && is_constant && left.kind() == Kind::NAME_REF {
                    named.push(name(&left));
                }
            });
        }
        self.catalog.tables.get(table).is_some_and(|table| {
            table
                .keys
                .iter()
                .any(|key| !key.is_empty() && key.iter().all(|column| named.contains(column)))
        })
    }
}

/// `CONCURRENTLY`, wherever the statement has it.
pub(super) fn is_concurrent(node: &Node) -> bool {
    node.descendants_with_tokens()
        .any(|below| below.kind() == Kind::CONCURRENTLY_KW)
}

/// The parts of an expression that all must hold.
fn conjuncts(expression: &Node, each: &mut dyn FnMut(&Node)) {
    match expression.kind() {
        Kind::PAREN_EXPR => expression
            .children()
            .for_each(|inner| conjuncts(&inner, each)),
        Kind::BIN_EXPR if has(expression, Kind::AND_KW) => {
            expression
                .children()
                .for_each(|side| conjuncts(&side, each));
        }
        _ => each(expression),
    }
}

/// The columns that a CHECK proves not to be null.
fn not_null_by(check: &Node) -> Vec<String> {
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
