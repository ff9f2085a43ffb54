//! Statements that read and write rows.

use super::{Reader, TRACKING};
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

    pub(super) fn change(&mut self, node: &Node) {
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
