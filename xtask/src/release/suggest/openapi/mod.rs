//! What differs between two OpenAPI 3 documents for those who call the API. What the comparison does
//! not know is an error, never "the same".

mod flat;
mod operation;
mod schema;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail};
use serde_json::{Map, Value};

use super::{Evidence, Level};

/// Keys that tell people something and bind no caller.
const NOTES: &[&str] = &[
    "$comment",
    "description",
    "example",
    "examples",
    "externalDocs",
    "info",
    "operationId",
    "summary",
    "tags",
    "title",
];

/// Who sends what a schema describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Request,
    Response,
}

/// Something that was so and is otherwise.
#[derive(Clone, Copy)]
struct Pair<'a> {
    before: &'a Value,
    after: &'a Value,
}

/// Two documents, and what was found so far.
struct Comparison<'a> {
    documents: Pair<'a>,
    found: Vec<Evidence>,
    /// Schemas that were compared, by where they lie in memory: they may contain themselves.
    seen: BTreeSet<(usize, usize, Way)>,
    /// Schemas around the one that is compared.
    depth: usize,
}

/// Every difference that a caller can notice.
///
/// # Errors
/// A text that is no OpenAPI 3 document, or has something that cannot be compared.
pub(super) fn compare(before: &str, after: &str) -> Result<Vec<Evidence>> {
    let parse = |text: &str, which: &str| {
        let value: Value = serde_json::from_str(text)
            .with_context(|| format!("failed to read the JSON of {which}"))?;
        let version = value.get("openapi").and_then(Value::as_str);
        if !version.is_some_and(|version| version.starts_with("3.")) {
            bail!("{which} is no OpenAPI 3 document");
        }
        Ok(value)
    };
    let before = parse(before, "the last release")?;
    let after = parse(after, "HEAD")?;
    if before == after {
        return Ok(Vec::new());
    }
    let mut comparison = Comparison {
        documents: Pair {
            before: &before,
            after: &after,
        },
        found: Vec::new(),
        seen: BTreeSet::new(),
        depth: 0,
    };
    comparison.document()?;
    Ok(comparison.found)
}

impl<'a> Comparison<'a> {
    fn note(&mut self, level: Level, place: &str, text: impl AsRef<str>) {
        self.found.push(Evidence::new(level, place, text.as_ref()));
    }

    fn document(&mut self) -> Result<()> {
        let whole = self.documents;
        let known = ["openapi", "paths", "components", "security"];
        same_rest("the document", whole, &known)?;
        self.schemes()?;
        for (path, sides) in union(whole.part("paths")?)? {
            match sides {
                _ if is_note(path) => {}
                (Some(_), None) => self.note(Level::Breaking, path, "the path is gone"),
                (None, Some(_)) => self.note(Level::Feature, path, "the path is new"),
                (Some(before), Some(after)) => self.path(path, Pair { before, after })?,
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// How callers prove who they are.
    fn schemes(&mut self) -> Result<()> {
        let all = self.documents.part("components")?.part("securitySchemes")?;
        for (name, sides) in union(all)? {
            if let (Some(before), Some(after)) = sides
                && bare(before) != bare(after)
            {
                let place = format!("securitySchemes {name}");
                self.note(Level::Breaking, &place, "it is another one");
            }
        }
        Ok(())
    }

    /// What a value refers to, at each end; itself where it refers to nothing.
    fn resolved(&self, pair: Pair<'a>) -> Result<Pair<'a>> {
        Ok(Pair {
            before: target(self.documents.before, pair.before)?,
            after: target(self.documents.after, pair.after)?,
        })
    }
}

impl<'a> Pair<'a> {
    /// A member of both objects; null where there is none.
    fn part(self, key: &str) -> Result<Self> {
        let of = |value: &'a Value| match value {
            Value::Object(map) => Ok(map.get(key).unwrap_or(&Value::Null)),
            Value::Null => Ok(&Value::Null),
            _ => bail!("`{key}` is looked for in what is no object"),
        };
        Ok(Self {
            before: of(self.before)?,
            after: of(self.after)?,
        })
    }

    /// A member that is true at either end; absent is false.
    fn flag(self, key: &str) -> (bool, bool) {
        let of = |value: &Value| value.get(key).and_then(Value::as_bool).unwrap_or(false);
        (of(self.before), of(self.after))
    }
}

type Sides<'a> = (Option<&'a Value>, Option<&'a Value>);

/// The members of two objects by name; null is an object without any.
fn union(pair: Pair<'_>) -> Result<BTreeMap<&str, Sides<'_>>> {
    let mut all: BTreeMap<&str, Sides<'_>> = BTreeMap::new();
    for (key, value) in members(pair.before)? {
        all.entry(key).or_default().0 = Some(value);
    }
    for (key, value) in members(pair.after)? {
        all.entry(key).or_default().1 = Some(value);
    }
    Ok(all)
}

fn members(value: &Value) -> Result<impl Iterator<Item = (&String, &Value)>> {
    match value {
        Value::Object(map) => Ok(Some(map).into_iter().flatten()),
        Value::Null => Ok(None.into_iter().flatten()),
        _ => bail!("`{value}` stands where an object is wanted"),
    }
}

/// Refuses members that differ and are not `known`; a reference in them may hide what differs.
fn same_rest(place: &str, pair: Pair<'_>, known: &[&str]) -> Result<()> {
    for (key, (before, after)) in union(pair)? {
        let is_known = known.contains(&key) || is_note(key);
        let refers = before.is_some_and(refers) || after.is_some_and(refers);
        if !is_known && (before != after || refers) {
            bail!("{place} has `{key}`, which this comparison does not know");
        }
    }
    Ok(())
}

fn refers(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.contains_key("$ref") || map.values().any(refers),
        Value::Array(list) => list.iter().any(refers),
        _ => false,
    }
}

/// Without what only people read.
fn bare(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.iter()
                .filter(|(key, _)| !is_note(key))
                .map(|(key, value)| (key.clone(), bare(value)))
                .collect(),
        ),
        value => value.clone(),
    }
}

fn is_note(key: &str) -> bool {
    NOTES.contains(&key) || key.starts_with("x-")
}

/// Follows `$ref` as long as nothing else stands beside it that binds.
fn target<'a>(document: &'a Value, value: &'a Value) -> Result<&'a Value> {
    let mut at = value;
    for _ in 0..64 {
        let Some(pointer) = reference(at) else {
            return Ok(at);
        };
        at = followed(document, pointer)?;
    }
    bail!("`{value}` refers to itself")
}

/// The pointer of an object that is a reference and nothing more.
fn reference(value: &Value) -> Option<&str> {
    let map: &Map<String, Value> = value.as_object()?;
    let alone = map.keys().all(|key| key == "$ref" || is_note(key));
    map.get("$ref").filter(|_| alone)?.as_str()
}

fn followed<'a>(document: &'a Value, pointer: &str) -> Result<&'a Value> {
    let inner = pointer
        .strip_prefix('#')
        .with_context(|| format!("`{pointer}` leads out of the document"))?;
    let inner = percent_encoding::percent_decode_str(inner).decode_utf8_lossy();
    document
        .pointer(&inner)
        .with_context(|| format!("`{pointer}` leads nowhere"))
}
