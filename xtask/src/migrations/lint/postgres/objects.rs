//! Functions, views, types, domains, privileges and settings; what is dropped or locked by name.

use squawk_syntax::ast::{self, AstNode as _};

use super::Reader;
use crate::migrations::lint::operations::Op;
use crate::migrations::lint::tree::{
    Kind, Node, beside, child, children, find, has, name, name_of, words,
};

impl Reader<'_> {
    pub(super) fn create_function(&mut self, node: &Node) {
        let is_marked = [Kind::STABLE, Kind::IMMUTABLE]
            .iter()
            .any(|kind| find(node, *kind).is_some());
        let is_volatile = !is_marked && !self.is_steady_query(node);
        let name = name_of(node, Kind::FUNCTION_NAME).unwrap_or_default();
        self.catalog.functions.insert(name, is_volatile);
    }

    /// Is it one SELECT of an expression, which PostgreSQL puts in the place of the call?
    fn is_steady_query(&self, function: &Node) -> bool {
        // With SECURITY DEFINER, STRICT or a setting of its own it stays a call.
        let is_plain = child(function, Kind::FUNC_OPTION_LIST).is_some_and(|options| {
            options.children().all(|option| {
                matches!(
                    option.kind(),
                    Kind::AS_FUNC_OPTION | Kind::LANGUAGE_FUNC_OPTION | Kind::PARALLEL_FUNC_OPTION
                )
            })
        });
        let body = ast::CreateFunction::cast(function.clone())
            .and_then(|function| function.sql_body())
            .filter(|body| is_plain && body.errors().is_empty());
        let statements: Vec<Node> = body
            .iter()
            .flat_map(|body| body.syntax().children())
            .collect();
        let [select] = statements.as_slice() else {
            return false;
        };
        let mut clauses = select.children();
        let is_expression = select.kind() == Kind::SELECT
            && clauses.all(|clause| clause.kind() == Kind::SELECT_CLAUSE)
            && find(select, Kind::FROM_CLAUSE).is_none();
        is_expression && !self.is_volatile(select)
    }

    pub(super) fn alter_view(&mut self, node: &Node) {
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

    pub(super) fn alter_type(&mut self, node: &Node) {
        let ty = name_of(node, Kind::TYPE_NAME_REF).unwrap_or_default();
        if let Some(to) = child(node, Kind::TYPE_RENAME_TO) {
            self.rename_type(node, &ty, &name(&to));
        }
        if has(node, Kind::ADD_VALUE) {
            self.hit(Op::AddValue, node, &*ty);
        }
        // Also of a new type: a column that was there before may be of it by now.
        let renamed = [Kind::RENAME_VALUE, Kind::RENAME_ATTRIBUTE, Kind::SET_SCHEMA];
        if renamed.iter().any(|kind| has(node, *kind)) {
            self.hit(Op::Rename, node, &*ty);
        }
        if find(node, Kind::DROP_ATTRIBUTE).is_some() {
            self.hit(Op::DropType, node, &*ty);
        }
        if find(node, Kind::ALTER_ATTRIBUTE).is_some() {
            self.hit(Op::ChangeType, node, ty);
        }
    }

    /// A type or a domain that is called `to` from now on, in the schema where it is.
    fn rename_type(&mut self, node: &Node, from: &str, to: &str) {
        let to = beside(from, to);
        self.catalog.rename_type(from, &to);
        if self.created.remove(from) {
            self.created.insert(to);
        } else {
            self.hit(Op::Rename, node, from);
        }
    }

    pub(super) fn alter_domain(&mut self, node: &Node) {
        let domain = name_of(node, Kind::DOMAIN_REF).unwrap_or_default();
        let added = child(node, Kind::ADD_CONSTRAINT).and_then(|action| action.last_child());
        let reads = match &added {
            Some(constraint) => !has(constraint, Kind::NOT_VALID),
            None => has(node, Kind::SET_NOT_NULL) || has(node, Kind::VALIDATE_CONSTRAINT),
        };
        if reads && self.catalog.is_domain_used(&domain, &self.created) {
            self.hit(Op::DomainConstraint, node, &*domain);
        }
        if let Some(to) = child(node, Kind::DOMAIN_RENAME_TO) {
            self.rename_type(node, &domain, &name(&to));
        }
        if has(node, Kind::SET_SCHEMA) && self.is_old(&domain) {
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

    pub(super) fn drop(&mut self, node: &Node, op: Op, kind: Kind) {
        for dropped in children(node, kind) {
            let dropped = name(&dropped);
            let is_old = self.is_old(&dropped);
            if is_old {
                self.hit(op, node, &*dropped);
                if op == Op::DropTable {
                    self.lock(&dropped);
                }
            }
            self.catalog.drop_table(&dropped);
            self.catalog.domains.remove(&dropped);
            self.created.remove(&dropped);
        }
    }

    pub(super) fn lock_tables(&mut self, node: &Node) {
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

    pub(super) fn grant(&mut self, node: &Node) {
        let to_public = |list: Node| words(&list).iter().any(|word| word == "public");
        let is_grant =
            node.kind() == Kind::GRANT || find(node, Kind::GRANT_DEFAULT_PRIVILEGES).is_some();
        if is_grant
            && node
                .descendants()
                .filter(|n| n.kind() == Kind::ROLE_REF_LIST)
                .any(to_public)
        {
            let what =
                find(node, Kind::ON_PRIVILEGE_OBJECTS_CLAUSE).map(|on| words(&on)[1..].join(" "));
            self.hit(Op::GrantPublic, node, what.unwrap_or_default());
        }
    }

    pub(super) fn set(&mut self, node: &Node) {
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
}
