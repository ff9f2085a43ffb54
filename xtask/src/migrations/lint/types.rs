//! Column types, as far as it takes to say whether a change of one rewrites the table.

use super::tree::{Kind, Node, child, words};

/// A type by its catalog's name: `character varying(30)` is `varchar` with `[30]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Type {
    pub(super) name: String,
    args: Vec<u32>,
    array: bool,
}

/// The kinds of the nodes that are a type.
const KINDS: &[Kind] = &[
    Kind::ARRAY_TYPE,
    Kind::PATH_TYPE,
    Kind::VARCHAR_TYPE,
    Kind::CHARACTER_TYPE,
    Kind::BIT_TYPE,
    Kind::BIT_VARYING_TYPE,
    Kind::DOUBLE_TYPE,
    Kind::TIME_TYPE,
    Kind::TIMESTAMP_TYPE,
    Kind::INTERVAL_TYPE,
];

impl Type {
    /// The type that is a child of this node.
    pub(super) fn in_node(node: &Node) -> Option<Type> {
        let found = KINDS.iter().find_map(|kind| child(node, *kind))?;
        Some(Self::of(&found))
    }

    fn of(node: &Node) -> Type {
        let (mut name, mut args, mut depth, mut array) = (Vec::new(), Vec::new(), 0, false);
        for word in words(node) {
            match word.as_str() {
                "(" => depth += 1,
                ")" => depth -= 1,
                "[" | "array" => array = true,
                _ if depth > 0 => args.extend(word.parse::<u32>().ok()),
                "]" | "," | "setof" => {}
                _ if array => {}
                _ => name.push(word),
            }
        }
        let name = name.join(" ").replace(" . ", ".");
        let name = ["pg_catalog.", "public."]
            .iter()
            .find_map(|schema| name.strip_prefix(schema))
            .unwrap_or(&name);
        let name = match name {
            "int" | "integer" | "serial" | "serial4" => "int4",
            "bigint" | "bigserial" | "serial8" => "int8",
            "smallint" | "smallserial" | "serial2" => "int2",
            "character varying" | "char varying" => "varchar",
            "character" | "char" => "bpchar",
            "decimal" | "dec" => "numeric",
            "double precision" | "float" => "float8",
            "real" => "float4",
            "boolean" => "bool",
            "bit varying" => "varbit",
            "timestamp without time zone" => "timestamp",
            "timestamp with time zone" => "timestamptz",
            "time without time zone" => "time",
            "time with time zone" => "timetz",
            other => other,
        }
        .to_owned();
        Type { name, args, array }
    }

    pub(super) fn is_timestamp_change(&self, to: &Type) -> bool {
        let pair = [self.name.as_str(), to.name.as_str()];
        !self.array
            && !to.array
            && (pair == ["timestamp", "timestamptz"] || pair == ["timestamptz", "timestamp"])
    }

    /// Does a column keep its rows as they are stored? `utc`: the session's time zone is UTC.
    pub(super) fn keeps_rows(&self, to: &Type, utc: bool) -> bool {
        let plain = |t: &Type| t.args.is_empty();
        // Nothing is more than any number of characters, digits or fractions of a second.
        let grows = plain(to) || (!plain(self) && self.args[0] <= to.args[0]);
        if self == to {
            return true;
        }
        if self.array || to.array {
            return false;
        }
        match (self.name.as_str(), to.name.as_str()) {
            ("varchar", "varchar") | ("varbit", "varbit") => grows,
            ("varchar" | "xml", "text") | ("cidr", "inet") => true,
            ("text", "varchar") => plain(to),
            ("numeric", "numeric") => {
                let scale = |t: &Type| t.args.get(1).copied().unwrap_or(0);
                plain(to) || (grows && scale(self) == scale(to))
            }
            ("timestamp", "timestamptz") | ("timestamptz", "timestamp") => {
                utc && self.fractions_grow(to)
            }
            ("time", "time")
            | ("timetz", "timetz")
            | ("timestamp", "timestamp")
            | ("timestamptz", "timestamptz")
            | ("interval", "interval") => self.fractions_grow(to),
            _ => false,
        }
    }

    /// Six digits are what is stored where none are asked for.
    fn fractions_grow(&self, to: &Type) -> bool {
        let digits = |t: &Type| t.args.first().copied().unwrap_or(6);
        digits(self) <= digits(to)
    }

    /// Is something of what is stored rounded or cut, without an error? `cast`: USING says
    /// `column::type`, which cuts text where an assignment would refuse it.
    pub(super) fn loses(&self, to: &Type, cast: bool) -> bool {
        let is_one = |t: &Type, names: &[&str]| !t.array && names.contains(&t.name.as_str());
        let number = |t: &Type| t.args.first().copied();
        let is_int = is_one(to, &["int2", "int4", "int8"]);
        let is_text = |t: &Type| is_one(t, &["varchar", "bpchar", "text"]);
        (is_one(self, &["numeric", "float4", "float8"]) && is_int)
            || (self.name == "float8" && to.name == "float4")
            || (is_one(self, &["timestamp", "timestamptz"])
                && is_one(to, &["date", "time", "timetz"]))
            || (self.name == "numeric"
                && to.name == "numeric"
                && !to.args.is_empty()
                && (self.args.is_empty()
                    || self.args.get(1).unwrap_or(&0) > to.args.get(1).unwrap_or(&0)))
            || (self.name == to.name
                && is_one(self, &["time", "timetz", "timestamp", "timestamptz"])
                && !self.fractions_grow(to))
            || (cast
                && is_text(self)
                && is_text(to)
                && number(to).is_some_and(|to| number(self).is_none_or(|from| from > to)))
    }
}

/// `serial` and its like: a column with a sequence of its own.
pub(super) fn is_serial(node: &Node) -> bool {
    child(node, Kind::PATH_TYPE).is_some_and(|found| {
        matches!(
            words(&found).concat().as_str(),
            "serial" | "serial2" | "serial4" | "serial8" | "bigserial" | "smallserial"
        )
    })
}
