//! Paths and operations: parameters, bodies, answers, and who may call.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::super::Level;
use super::{Comparison, Pair, Way, is_note, same_rest, target, union};

const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace",
];

/// Parameters by where they stand and their name.
type Parameters<'a> = BTreeMap<(&'a str, &'a str), &'a Value>;

impl<'a> Comparison<'a> {
    pub(super) fn path(&mut self, path: &str, pair: Pair<'a>) -> Result<()> {
        let pair = self.resolved(pair)?;
        same_rest(path, pair, &[METHODS, &["parameters"]].concat())?;
        for method in METHODS {
            let place = format!("{} {path}", method.to_uppercase());
            let operation = pair.part(method)?;
            match (operation.before, operation.after) {
                (Value::Null, Value::Null) => {}
                (_, Value::Null) => self.note(Level::Breaking, &place, "the method is gone"),
                (Value::Null, _) => self.note(Level::Feature, &place, "the method is new"),
                _ => self.operation(&place, pair, operation)?,
            }
        }
        Ok(())
    }

    fn operation(&mut self, place: &str, path: Pair<'a>, operation: Pair<'a>) -> Result<()> {
        let known = [
            "parameters",
            "requestBody",
            "responses",
            "security",
            "deprecated",
        ];
        same_rest(place, operation, &known)?;
        self.deprecation(place, operation);
        let whole = self.documents;
        let security = |document: &Value, operation: &Value| {
            let own = operation.get("security").or(document.get("security"));
            let list = own.and_then(Value::as_array).into_iter().flatten();
            list.map(Value::to_string).collect::<BTreeSet<_>>()
        };
        if security(whole.before, operation.before) != security(whole.after, operation.after) {
            self.note(Level::Breaking, place, "`security` is another one");
        }
        self.parameters(place, path, operation)?;
        let body = operation.part("requestBody")?;
        self.request(&format!("{place} request"), self.resolved(body)?)?;
        for (status, sides) in union(operation.part("responses")?)? {
            let place = format!("{place} {status}");
            match sides {
                _ if is_note(status) => {}
                (Some(_), None) => self.note(Level::Breaking, &place, "the response is gone"),
                (None, Some(_)) => self.note(Level::Feature, &place, "the response is new"),
                (Some(before), Some(after)) => {
                    let pair = self.resolved(Pair { before, after })?;
                    self.response(&place, pair)?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    pub(super) fn deprecation(&mut self, place: &str, pair: Pair<'_>) {
        if pair.flag("deprecated") == (false, true) {
            self.note(Level::Feature, place, "it is deprecated now");
        }
    }

    fn parameters(&mut self, place: &str, path: Pair<'a>, operation: Pair<'a>) -> Result<()> {
        let documents = self.documents;
        let before = parameters(documents.before, path.before, operation.before)?;
        let after = parameters(documents.after, path.after, operation.after)?;
        let names: BTreeSet<_> = before.keys().chain(after.keys()).copied().collect();
        for (location, name) in names {
            let place = format!("{place} {location} `{name}`");
            match (
                before.get(&(location, name)).copied(),
                after.get(&(location, name)).copied(),
            ) {
                (Some(_), None) => self.note(Level::Breaking, &place, "the parameter is gone"),
                (None, Some(new)) if is_required(new) => {
                    self.note(
                        Level::Breaking,
                        &place,
                        "the parameter is new, and required",
                    );
                }
                (None, Some(_)) => self.note(Level::Feature, &place, "the parameter is new"),
                (Some(before), Some(after)) => {
                    let pair = Pair { before, after };
                    let known = ["name", "in", "required", "deprecated", "schema", "content"];
                    same_rest(&place, pair, &known)?;
                    self.deprecation(&place, pair);
                    self.required(&place, pair);
                    self.schema(&place, Way::Request, pair.part("schema")?)?;
                    self.content(&place, Way::Request, pair.part("content")?)?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }

    /// A parameter or a body that callers must send now, or need not any more.
    fn required(&mut self, place: &str, pair: Pair<'_>) {
        match pair.flag("required") {
            (false, true) => self.note(Level::Breaking, place, "it is required now"),
            (true, false) => self.note(Level::Feature, place, "it is optional now"),
            _ => {}
        }
    }

    fn request(&mut self, place: &str, pair: Pair<'a>) -> Result<()> {
        match (pair.before, pair.after) {
            (Value::Null, Value::Null) => Ok(()),
            (_, Value::Null) => {
                self.note(Level::Breaking, place, "the body is gone");
                Ok(())
            }
            (Value::Null, new) => {
                let (level, text) = if is_required(new) {
                    (Level::Breaking, "the body is new, and required")
                } else {
                    (Level::Feature, "the body is new")
                };
                self.note(level, place, text);
                Ok(())
            }
            _ => {
                same_rest(place, pair, &["required", "content"])?;
                self.required(place, pair);
                self.content(place, Way::Request, pair.part("content")?)
            }
        }
    }

    fn response(&mut self, place: &str, pair: Pair<'a>) -> Result<()> {
        same_rest(place, pair, &["headers", "content"])?;
        for (name, sides) in union(pair.part("headers")?)? {
            let place = format!("{place} header `{name}`");
            match sides {
                (Some(_), None) => self.note(Level::Breaking, &place, "the header is gone"),
                (None, Some(_)) => self.note(Level::Feature, &place, "the header is new"),
                (Some(before), Some(after)) => {
                    let pair = self.resolved(Pair { before, after })?;
                    same_rest(&place, pair, &["required", "deprecated", "schema"])?;
                    self.deprecation(&place, pair);
                    if pair.flag("required") == (true, false) {
                        self.note(Level::Breaking, &place, "it may be absent now");
                    }
                    self.schema(&place, Way::Response, pair.part("schema")?)?;
                }
                (None, None) => {}
            }
        }
        self.content(place, Way::Response, pair.part("content")?)
    }

    /// A schema for each media type.
    fn content(&mut self, place: &str, way: Way, pair: Pair<'a>) -> Result<()> {
        for (media, sides) in union(pair)? {
            let place = format!("{place} {media}");
            match sides {
                (Some(_), None) => self.note(Level::Breaking, &place, "the media type is gone"),
                (None, Some(_)) => self.note(Level::Feature, &place, "the media type is new"),
                (Some(before), Some(after)) => {
                    let pair = Pair { before, after };
                    same_rest(&place, pair, &["schema"])?;
                    self.schema(&place, way, pair.part("schema")?)?;
                }
                (None, None) => {}
            }
        }
        Ok(())
    }
}

fn is_required(value: &Value) -> bool {
    value.get("required").and_then(Value::as_bool) == Some(true)
}

/// The parameters of an operation: its path's, and over them its own.
fn parameters<'a>(
    document: &'a Value,
    path: &'a Value,
    operation: &'a Value,
) -> Result<Parameters<'a>> {
    let mut all = Parameters::new();
    for holder in [path, operation] {
        let list = holder.get("parameters").and_then(Value::as_array);
        for parameter in list.into_iter().flatten() {
            let parameter = target(document, parameter)?;
            let text = |key: &str| {
                let value = parameter.get(key).and_then(Value::as_str);
                value.with_context(|| format!("a parameter has no `{key}`"))
            };
            all.insert((text("in")?, text("name")?), parameter);
        }
    }
    Ok(all)
}
