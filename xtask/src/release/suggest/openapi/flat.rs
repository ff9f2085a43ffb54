//! A schema with what it refers to, and all parts of its `allOf`, as one.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::schema::ANY;
use super::{followed, is_note, target};

pub(super) type Types<'a> = BTreeSet<&'a str>;

#[derive(Debug, Default)]
pub(super) struct Flat<'a> {
    /// `None` is any type.
    pub(super) types: Option<Types<'a>>,
    pub(super) is_nullable: bool,
    pub(super) properties: BTreeMap<&'a str, &'a Value>,
    pub(super) required: BTreeSet<&'a str>,
    /// `enum`, or `const` as the only one, as JSON.
    pub(super) words: Option<BTreeSet<String>>,
    /// `oneOf` or `anyOf`, and what it lists.
    pub(super) choices: Option<(&'a str, &'a Vec<Value>)>,
    pub(super) rest: Map<String, Value>,
    pub(super) items: Option<&'a Value>,
    pub(super) additional: Option<&'a Value>,
}

impl<'a> Flat<'a> {
    /// # Errors
    /// A schema that consists of itself, leads nowhere, or says two things of one key.
    pub(super) fn of(place: &str, document: &'a Value, schema: &'a Value) -> Result<Self> {
        let mut flat = Self::default();
        flat.add(place, document, schema, 0)?;
        Ok(flat)
    }

    fn add(
        &mut self,
        place: &str,
        document: &'a Value,
        schema: &'a Value,
        depth: usize,
    ) -> Result<()> {
        let schema = target(document, schema)?;
        let map = match schema {
            Value::Bool(true) => return Ok(()),
            Value::Object(map) if depth < 64 => map,
            Value::Object(_) => bail!("{place} consists of itself"),
            other => bail!("{place} has the schema `{other}`, which this comparison does not know"),
        };
        let twice = |key: &str| format!("{place} says two things of `{key}`");
        for (key, value) in map {
            match (key.as_str(), value) {
                ("$ref", Value::String(pointer)) => {
                    self.add(place, document, followed(document, pointer)?, depth + 1)?;
                }
                ("allOf", Value::Array(parts)) => {
                    for part in parts {
                        self.add(place, document, part, depth + 1)?;
                    }
                }
                ("type", value) => {
                    let words = match value {
                        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
                        value => value.as_str().into_iter().collect(),
                    };
                    if self
                        .types
                        .replace(words)
                        .is_some_and(|old| Some(old) != self.types)
                    {
                        bail!(twice(key));
                    }
                }
                ("nullable", value) => self.is_nullable |= *value == ANY,
                ("properties", Value::Object(properties)) => {
                    for (name, value) in properties {
                        let old = self.properties.insert(name, value);
                        if old.is_some_and(|old| old != value) {
                            bail!(twice(name));
                        }
                    }
                }
                ("required", Value::Array(names)) => {
                    self.required.extend(names.iter().filter_map(Value::as_str));
                }
                ("enum" | "const", value) => {
                    let words = match (key.as_str(), value) {
                        ("enum", Value::Array(words)) => {
                            words.iter().map(Value::to_string).collect()
                        }
                        _ => BTreeSet::from([value.to_string()]),
                    };
                    if self
                        .words
                        .replace(words)
                        .is_some_and(|old| Some(old) != self.words)
                    {
                        bail!(twice(key));
                    }
                }
                ("oneOf" | "anyOf", Value::Array(list)) => {
                    let choices = (key.as_str(), list);
                    let old = self.choices.replace(choices);
                    if old.is_some_and(|old| old != choices) {
                        bail!(twice(key));
                    }
                }
                ("items", value) => {
                    if self.items.replace(value).is_some_and(|old| old != value) {
                        bail!(twice(key));
                    }
                }
                ("additionalProperties", value) => {
                    if self
                        .additional
                        .replace(value)
                        .is_some_and(|old| old != value)
                    {
                        bail!(twice(key));
                    }
                }
                (key, _) if is_note(key) => {}
                (key, value) => {
                    let old = self.rest.insert(key.to_owned(), value.clone());
                    if old.is_some_and(|old| old != *value) {
                        bail!(twice(key));
                    }
                }
            }
        }
        Ok(())
    }

    /// Its alternatives; itself, where it has none.
    pub(super) fn alone(&self, place: &str, schema: &'a Value) -> Result<Vec<&'a Value>> {
        let Some((_, choices)) = self.choices else {
            return Ok(vec![schema]);
        };
        let says_more = self.types.is_some()
            || self.words.is_some()
            || !self.properties.is_empty()
            || self.rest.keys().any(|key| key != "discriminator");
        if says_more {
            bail!("{place} has alternatives beside other conditions at one end only");
        }
        Ok(choices.iter().collect())
    }

    /// With `null` where it is nullable; `None` is any.
    pub(super) fn all_types(&self) -> Option<Types<'a>> {
        let mut types = self.types.clone()?;
        if self.is_nullable {
            types.insert("null");
        }
        Some(types)
    }
}

/// Whether every value of the types `old` is one of `new`.
pub(super) fn covers(new: Option<&Types<'_>>, old: Option<&Types<'_>>) -> bool {
    match (new, old) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(new), Some(old)) => old
            .iter()
            .all(|name| new.contains(name) || (*name == "integer" && new.contains("number"))),
    }
}

pub(super) fn listed(types: Option<&Types<'_>>) -> String {
    types.map_or_else(
        || "any".to_owned(),
        |types| {
            let names: Vec<_> = types.iter().map(|name| format!("`{name}`")).collect();
            names.join(" or ")
        },
    )
}
