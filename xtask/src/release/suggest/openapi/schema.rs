//! Schemas. What is sent may be narrowed by nobody, what is answered widened by nobody; a property or
//! a word of an `enum` may come anew in either.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use serde_json::{Map, Value};

use super::super::Level;
use super::flat::{Flat, covers, listed};
use super::{Comparison, Pair, Way, same_rest};

/// What is not said of a value: it may be any.
pub(super) static ANY: Value = Value::Bool(true);
/// Deeper than anybody writes, and far from the end of the stack.
const DEEPEST: usize = 200;
/// Numbers that a value may not be below, and not above.
const LOWER: &[&str] = &[
    "minimum",
    "exclusiveMinimum",
    "minLength",
    "minItems",
    "minProperties",
];
const UPPER: &[&str] = &[
    "maximum",
    "exclusiveMaximum",
    "maxLength",
    "maxItems",
    "maxProperties",
];
/// Conditions that hold or do not, and are not more or less strict than another.
const FACETS: &[&str] = &[
    "format",
    "pattern",
    "multipleOf",
    "uniqueItems",
    "contentEncoding",
    "contentMediaType",
];
const COMPARED: &[&str] = &["additionalProperties", "default", "deprecated", "items"];

/// A change that allows less, more, or something else.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    Less,
    More,
    Other,
}

impl<'a> Comparison<'a> {
    /// Null and an absent schema are any value.
    pub(super) fn schema(&mut self, place: &str, way: Way, pair: Pair<'a>) -> Result<()> {
        let or_any = |value: &'a Value| if value.is_null() { &ANY } else { value };
        let written = Pair {
            before: or_any(pair.before),
            after: or_any(pair.after),
        };
        let pair = self.resolved(written)?;
        let address = |value: &Value| std::ptr::from_ref(value).addr();
        let is_new = self
            .seen
            .insert((address(pair.before), address(pair.after), way));
        if !is_new {
            return Ok(());
        }
        if self.depth > DEEPEST {
            bail!("{place} is nested deeper than {DEEPEST} schemas");
        }
        self.depth += 1;
        let done = self.alike(place, way, written, pair);
        self.depth -= 1;
        done
    }

    /// Two schemas, as they are `written` and what they refer to.
    fn alike(&mut self, place: &str, way: Way, written: Pair<'a>, pair: Pair<'a>) -> Result<()> {
        let before = Flat::of(place, self.documents.before, pair.before)?;
        let after = Flat::of(place, self.documents.after, pair.after)?;
        if before.choices.is_some() != after.choices.is_some() {
            let old = before.alone(place, written.before)?;
            let new = after.alone(place, written.after)?;
            return self.choices(place, way, (&old, &new));
        }
        if let (Some((was, before)), Some((is, after))) = (before.choices, after.choices) {
            if was != is {
                let text = format!("it has to match `{is}`, it was `{was}`");
                self.note(Level::Breaking, place, text);
            }
            let all = |list: &'a Vec<Value>| list.iter().collect::<Vec<_>>();
            self.choices(place, way, (&all(before), &all(after)))?;
        }
        self.types(place, way, &before, &after);
        self.words(place, way, &before, &after);
        self.properties(place, way, &before, &after)?;
        self.rest(place, way, &before, &after)
    }

    fn turned(&mut self, place: &str, way: Way, turn: Turn, text: &str) {
        let level = match (way, turn) {
            (Way::Request, Turn::More) | (Way::Response, Turn::Less) => Level::Feature,
            _ => Level::Breaking,
        };
        self.note(level, place, text);
    }

    fn types(&mut self, place: &str, way: Way, before: &Flat<'a>, after: &Flat<'a>) {
        let (old, new) = (before.all_types(), after.all_types());
        if old == new {
            return;
        }
        let (old, new) = (old.as_ref(), new.as_ref());
        let text = format!("the type is {}, it was {}", listed(new), listed(old));
        // A caller that relies on one type is lost with fewer and with more of them.
        let is_wider = way == Way::Request && covers(new, old);
        let level = if is_wider {
            Level::Feature
        } else {
            Level::Breaking
        };
        self.note(level, place, text);
    }

    fn words(&mut self, place: &str, way: Way, before: &Flat<'a>, after: &Flat<'a>) {
        match (&before.words, &after.words) {
            (None, None) => {}
            (None, Some(_)) => self.note(Level::Breaking, place, "`enum` narrows it"),
            (Some(_), None) => self.turned(place, way, Turn::More, "`enum` narrows it no more"),
            (Some(old), Some(new)) => {
                for word in old.difference(new) {
                    let text = format!("`{word}` is gone from `enum`");
                    self.note(Level::Breaking, place, text);
                }
                for word in new.difference(old) {
                    self.note(Level::Feature, place, format!("`{word}` is new in `enum`"));
                }
            }
        }
    }

    fn properties(
        &mut self,
        place: &str,
        way: Way,
        before: &Flat<'a>,
        after: &Flat<'a>,
    ) -> Result<()> {
        let names: BTreeSet<&str> = (before.properties.keys())
            .chain(after.properties.keys())
            .chain(&before.required)
            .chain(&after.required)
            .copied()
            .collect();
        for name in names {
            let place = format!("{place} `{name}`");
            let was_required = before.required.contains(name);
            let is_required = after.required.contains(name);
            match (before.properties.get(name), after.properties.get(name)) {
                (Some(_), None) => {
                    self.note(Level::Breaking, &place, "the property is gone");
                    continue;
                }
                (None, Some(_)) if way == Way::Request && is_required => {
                    self.note(Level::Breaking, &place, "the property is new, and required");
                    continue;
                }
                (None, Some(_)) => {
                    self.note(Level::Feature, &place, "the property is new");
                    continue;
                }
                (Some(before), Some(after)) => {
                    self.schema(&place, way, Pair { before, after })?;
                }
                (None, None) => {}
            }
            match (was_required, is_required) {
                (false, true) => self.turned(&place, way, Turn::Less, "it is required now"),
                (true, false) => self.turned(&place, way, Turn::More, "it is optional now"),
                _ => {}
            }
        }
        Ok(())
    }

    /// Alternatives: those that refer to the same, or say the same, belong together.
    fn choices(
        &mut self,
        place: &str,
        way: Way,
        (before, after): (&[&'a Value], &[&'a Value]),
    ) -> Result<()> {
        let name = |value: &Value| value.get("$ref").map(Value::to_string);
        let mut new = after.to_vec();
        let mut old = Vec::new();
        for before in before.iter().copied() {
            let same = |after: &&Value| match (name(before), name(after)) {
                (Some(before), Some(after)) => before == after,
                (None, None) => before == *after,
                _ => false,
            };
            match new.iter().position(same) {
                Some(at) => {
                    let after = new.remove(at);
                    self.schema(place, way, Pair { before, after })?;
                }
                None => old.push(before),
            }
        }
        if let ([before], [after]) = (old.as_slice(), new.as_slice()) {
            return self.schema(place, way, Pair { before, after });
        }
        for _ in old {
            self.note(Level::Breaking, place, "an alternative is gone");
        }
        for _ in new {
            self.turned(place, way, Turn::More, "an alternative is new");
        }
        Ok(())
    }

    fn rest(&mut self, place: &str, way: Way, before: &Flat<'a>, after: &Flat<'a>) -> Result<()> {
        let (old, new) = (&before.rest, &after.rest);
        for key in LOWER.iter().chain(UPPER) {
            let (Some(turn), text) = bound(place, key, old.get(*key), new.get(*key))? else {
                continue;
            };
            self.turned(place, way, turn, &text);
        }
        for key in FACETS {
            let turn = match (old.get(*key), new.get(*key)) {
                (None, Some(_)) => Turn::Less,
                (Some(_), None) => Turn::More,
                (old, new) if old == new => continue,
                _ => Turn::Other,
            };
            let text = format!("`{key}` is {}", was(new.get(*key), old.get(*key)));
            self.turned(place, way, turn, &text);
        }
        let (default, was_default) = (new.get("default"), old.get("default"));
        if way == Way::Request && default != was_default {
            let turn = match (default, was_default) {
                (Some(_), None) => Turn::More,
                _ => Turn::Other,
            };
            let text = format!("`default` is {}", was(default, was_default));
            self.turned(place, way, turn, &text);
        }
        let is_deprecated = |map: &Map<String, Value>| map.get("deprecated") == Some(&ANY);
        if is_deprecated(new) && !is_deprecated(old) {
            self.note(Level::Feature, place, "it is deprecated now");
        }
        let items = Pair {
            before: before.items.unwrap_or(&ANY),
            after: after.items.unwrap_or(&ANY),
        };
        self.schema(&format!("{place}[]"), way, items)?;
        self.additional(place, way, before, after)?;
        let (old, new) = (Value::Object(old.clone()), Value::Object(new.clone()));
        let pair = Pair {
            before: &old,
            after: &new,
        };
        same_rest(place, pair, &[LOWER, UPPER, FACETS, COMPARED].concat())
    }

    /// Properties without a name of their own.
    fn additional(
        &mut self,
        place: &str,
        way: Way,
        before: &Flat<'a>,
        after: &Flat<'a>,
    ) -> Result<()> {
        let closed = Value::Bool(false);
        let (before, after) = (
            before.additional.unwrap_or(&ANY),
            after.additional.unwrap_or(&ANY),
        );
        match (*before == closed, *after == closed) {
            (true, true) => Ok(()),
            (false, true) => {
                let text = "other properties are refused now";
                self.turned(place, way, Turn::Less, text);
                Ok(())
            }
            // A new property may come in an answer; so may one without a name.
            (true, false) => {
                self.note(Level::Feature, place, "other properties may come now");
                Ok(())
            }
            (false, false) => {
                let place = format!("{place} `*`");
                self.schema(&place, way, Pair { before, after })
            }
        }
    }
}

fn was(new: Option<&Value>, old: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), |v| format!("`{v}`"));
    format!("{}, it was {}", shown(new), shown(old))
}

/// How a bound turned, and the words for it.
fn bound(
    place: &str,
    key: &str,
    old: Option<&Value>,
    new: Option<&Value>,
) -> Result<(Option<Turn>, String)> {
    let text = format!("`{key}` is {}", was(new, old));
    let turn = match (old, new) {
        (None, None) => None,
        (None, Some(_)) => Some(Turn::Less),
        (Some(_), None) => Some(Turn::More),
        (Some(old), Some(new)) if old == new => None,
        (Some(old), Some(new)) => {
            let (Some(old), Some(new)) = (old.as_f64(), new.as_f64()) else {
                bail!("{place} has a `{key}` that is no number");
            };
            let is_less = (new > old) == LOWER.contains(&key);
            Some(if is_less { Turn::Less } else { Turn::More })
        }
    };
    Ok((turn, text))
}
