//! Statements that read and write rows.

use super::Reader;
use crate::migrations::OWN_TABLES;
use crate::migrations::lint::operations::Op;
use crate::migrations::lint::tree::{
    Kind, Node, child, conjuncts, find, has, name, name_of, words,
};

impl Reader<'_> {
    /// A query, with what its WITH changes, and settings that it sets.
    pub(super) fn query(&mut self, node: &Node) {
        if node.kind() == Kind::SELECT_INTO
            && let Some(into) = find(node, Kind::INTO_CLAUSE)
        {
            self.create_from(node, name(&into));
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

    pub(super) fn change(&mut self, node: &Node) {
        let target = [
            Kind::RELATION_NAME,
            Kind::RELATION_NAME_REF,
            Kind::TABLE_RELATION_NAME,
        ]
        .iter()
        .find_map(|kind| name_of(node, *kind))
        .unwrap_or_default();
        if OWN_TABLES.contains(&target.as_str()) {
            return self.hit(Op::TrackingTable, node, target);
        }
        let catalog = target.strip_prefix("pg_catalog.").unwrap_or(&target);
        if catalog.starts_with("pg_") {
            return self.hit(Op::SystemCatalog, node, target);
        }
        if !self.is_old(&target) {
            if self.reads_old(node) {
                let hit = self.make(Op::BulkInDdl, node, target);
                self.bulk.push(hit);
            }
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
            Kind::INSERT if !self.reads_old(node) => return,
            _ => {}
        }
        if condition.is_some_and(|condition| self.is_by_key(&target, &condition)) {
            return;
        }
        let hit = self.make(Op::BulkInDdl, node, target);
        self.bulk.push(hit);
    }

    /// What is made of a query's rows, if it is made with rows.
    pub(super) fn create_from(&mut self, node: &Node, made: String) {
        if self.reads_old(node) && !has(node, Kind::WITH_NO_DATA) {
            let hit = self.make(Op::BulkInDdl, node, &*made);
            self.bulk.push(hit);
        }
        self.created.insert(made);
    }

    /// Does a statement read what was there before this file?
    pub(super) fn reads_old(&self, node: &Node) -> bool {
        let read: Vec<String> = node
            .descendants()
            .filter(|below| below.kind() == Kind::RELATION_FROM_ITEM)
            .map(|item| name(&item))
            .filter(|read| self.is_old(read) || self.views.contains(read))
            .collect();
        if read.is_empty() {
            return false;
        }
        // Unless it is a query of the same statement that is called so.
        let statement = node
            .ancestors()
            .take_while(|above| above.kind() != Kind::SOURCE_FILE)
            .last();
        let queries: Vec<String> = statement
            .iter()
            .flat_map(Node::descendants)
            .filter(|below| below.kind() == Kind::CTE_NAME)
            .map(|below| name(&below))
            .collect();
        !read.iter().all(|read| queries.contains(read))
    }

    /// Does a condition name rows by a key and constants?
    pub(super) fn is_by_key(&self, table: &str, condition: &Node) -> bool {
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
