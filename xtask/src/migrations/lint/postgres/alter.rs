//! What a change of a table that is there already costs those who use it.

use super::Reader;
use super::tables::collation;
use crate::migrations::lint::operations::Op;
use crate::migrations::lint::tree::{
    Kind, Node, child, children, columns, find, has, name, name_of, words,
};
use crate::migrations::lint::types::{Type, is_serial};

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

impl Reader<'_> {
    /// What an action does to a table that was there before.
    pub(super) fn judge_action(&mut self, table: &str, action: &Node) {
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

    pub(super) fn judge_column(&mut self, table: &str, action: &Node) {
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

    pub(super) fn judge_constraint(&mut self, table: &str, action: &Node, constraint: &Node) {
        let reads_later = has(constraint, Kind::NOT_VALID) || has(constraint, Kind::NOT_ENFORCED);
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

    pub(super) fn judge_type(&mut self, table: &str, column: &str, action: &Node, change: &Node) {
        let subject = format!("{table}.{column}");
        let known = self.catalog.column(table, column);
        let collates = known.is_none_or(|known| known.collation != collation(change));
        let (Some(from), Some(to)) = (
            known.and_then(|known| known.ty.clone()),
            Type::in_node(change),
        ) else {
            return self.hit(Op::ChangeType, action, subject);
        };
        // `USING column::type` says nothing new.
        let using = child(change, Kind::USING_EXPR).map(|using| words(&using)[1..].concat());
        let cast = child(change, Kind::USING_EXPR)
            .and_then(|using| child(&using, Kind::CAST_EXPR))
            .filter(|cast| Type::in_node(cast).as_ref() == Some(&to) && columns(cast) == [column]);
        // But `column::another::type` does.
        let is_plain = match &cast {
            Some(cast) => has(cast, Kind::NAME_REF),
            None => using.as_deref().is_none_or(|using| using == column),
        };
        if from.loses(&to, cast.is_some()) {
            self.hit(Op::LossyType, action, &*subject);
        }
        let op = if !is_plain || !from.keeps_rows(&to, self.is_utc) {
            if is_plain && from.is_timestamp_change(&to) && !self.is_utc {
                Op::ChangeTimestamp
            } else {
                Op::ChangeType
            }
        } else if collates
            && (self.catalog.is_indexed(table, column) || self.catalog.is_checked(table, column))
        {
            Op::ChangeCollation
        } else if self.catalog.is_checked(table, column)
            || self.catalog.is_computed_with(table, column)
            || (from.name != to.name
                && from.is_timestamp_change(&to)
                && self.catalog.is_indexed(table, column))
        {
            Op::ChangeTypeChecked
        } else {
            Op::FreeType
        };
        self.hit(op, action, subject);
    }

    /// Must a default be computed for each row? Yes where a function is not known.
    pub(super) fn is_volatile(&self, default: &Node) -> bool {
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
}
