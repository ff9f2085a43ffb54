//! One difference at a time, in requests and in answers.

use serde_json::{Value, json};

use super::super::Level;
use super::compare;

/// A document with one operation, its request and answer of the same schema.
fn document(schema: &Value) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": {"title": "t", "version": "1"},
        "paths": {"/a": {"post": {
            "requestBody": {"required": true, "content": {"application/json": {"schema": schema}}},
            "responses": {"200": {"description": "d"}},
        }}},
        "components": {"schemas": {
            "Leaf": {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}},
            "Tree": {"type": "object", "properties": {
                "name": {"type": "string"},
                "inner": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
            }},
        }},
    })
}

fn answering(schema: &Value) -> Value {
    let mut document = document(&json!({}));
    document["paths"]["/a"]["post"]["responses"]["200"]["content"] =
        json!({"application/json": {"schema": schema}});
    document
}

/// The levels found; `None` where the comparison fails.
fn levels(before: &Value, after: &Value) -> Option<Vec<Level>> {
    let found = compare(&before.to_string(), &after.to_string()).ok()?;
    Some(found.into_iter().map(|found| found.level).collect())
}

/// The levels of a change of a schema: sent, and answered.
fn change(before: &Value, after: &Value) -> (Vec<Level>, Vec<Level>) {
    (
        levels(&document(before), &document(after)).unwrap(),
        levels(&answering(before), &answering(after)).unwrap(),
    )
}

#[test]
fn schemas() {
    use Level::{Breaking, Feature};
    let one = |level: Level| vec![level];
    let object = |properties: Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required});
    let (a, ab) = (json!({"a": {}}), json!({"a": {}, "b": {"type": "string"}}));
    let leaf = json!({"$ref": "#/components/schemas/Leaf", "description": "d"});
    for (what, before, after, sent, answered) in [
        (
            "a property is new",
            object(a.clone(), &[]),
            object(ab.clone(), &[]),
            Feature,
            Feature,
        ),
        (
            "and required",
            object(a.clone(), &[]),
            object(ab.clone(), &["b"]),
            Breaking,
            Feature,
        ),
        (
            "a property is gone",
            object(ab.clone(), &[]),
            object(a.clone(), &[]),
            Breaking,
            Breaking,
        ),
        (
            "required now",
            object(a.clone(), &[]),
            object(a.clone(), &["a"]),
            Breaking,
            Feature,
        ),
        (
            "optional now",
            object(a.clone(), &["a"]),
            object(a.clone(), &[]),
            Feature,
            Breaking,
        ),
        (
            "another type",
            json!({"type": "string"}),
            json!({"type": "integer"}),
            Breaking,
            Breaking,
        ),
        (
            "a wider type",
            json!({"type": "integer"}),
            json!({"type": "number"}),
            Feature,
            Breaking,
        ),
        (
            "null too",
            json!({"type": "string"}),
            json!({"type": ["string", "null"]}),
            Feature,
            Breaking,
        ),
        (
            "null no more",
            json!({"type": "string", "nullable": true}),
            json!({"type": "string"}),
            Breaking,
            Breaking,
        ),
        (
            "a type at all",
            json!({}),
            json!({"type": "string"}),
            Breaking,
            Breaking,
        ),
        (
            "a word more",
            json!({"enum": ["a"]}),
            json!({"enum": ["a", "b"]}),
            Feature,
            Feature,
        ),
        (
            "a word less",
            json!({"enum": ["a", "b"]}),
            json!({"enum": ["a"]}),
            Breaking,
            Breaking,
        ),
        (
            "only words",
            json!({}),
            json!({"const": "a"}),
            Breaking,
            Breaking,
        ),
        (
            "a lower maximum",
            json!({"maximum": 10}),
            json!({"maximum": 9}),
            Breaking,
            Feature,
        ),
        (
            "a higher maximum",
            json!({"maximum": 10}),
            json!({"maximum": 11}),
            Feature,
            Breaking,
        ),
        (
            "a lower minimum",
            json!({"minLength": 2}),
            json!({"minLength": 1}),
            Feature,
            Breaking,
        ),
        (
            "a pattern",
            json!({}),
            json!({"pattern": "a"}),
            Breaking,
            Feature,
        ),
        (
            "another format",
            json!({"format": "int32"}),
            json!({"format": "int64"}),
            Breaking,
            Breaking,
        ),
        (
            "closed",
            json!({}),
            json!({"additionalProperties": false}),
            Breaking,
            Feature,
        ),
        (
            "open",
            json!({"additionalProperties": false}),
            json!({}),
            Feature,
            Feature,
        ),
        (
            "in a list",
            json!({"items": {"maximum": 2}}),
            json!({"items": {"maximum": 1}}),
            Breaking,
            Feature,
        ),
        (
            "null beside a reference",
            leaf.clone(),
            json!({"oneOf": [{"type": "null"}, leaf]}),
            Feature,
            Breaking,
        ),
        (
            "an alternative less",
            json!({"oneOf": [{"type": "null"}, leaf]}),
            leaf.clone(),
            Breaking,
            Breaking,
        ),
        (
            "a part of a whole",
            json!({"allOf": [leaf, object(a.clone(), &[])]}),
            json!({"allOf": [leaf, object(ab.clone(), &[])]}),
            Feature,
            Feature,
        ),
        (
            "deprecated",
            json!({}),
            json!({"deprecated": true}),
            Feature,
            Feature,
        ),
    ] {
        assert_eq!(
            change(&before, &after),
            (one(sent), one(answered)),
            "{what}"
        );
    }
}

#[test]
fn what_no_caller_notices() {
    let leaf = json!({"$ref": "#/components/schemas/Leaf"});
    for (before, after) in [
        (
            json!({"description": "a"}),
            json!({"description": "b", "title": "t", "x-y": 1}),
        ),
        (
            json!({"type": "string", "nullable": true}),
            json!({"type": ["null", "string"]}),
        ),
        (leaf.clone(), json!({"allOf": [leaf], "description": "d"})),
        (
            leaf.clone(),
            json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}),
        ),
        (json!({"enum": ["a"]}), json!({"const": "a"})),
        (
            json!({"not": {"type": "string"}}),
            json!({"not": {"type": "string"}, "title": "t"}),
        ),
    ] {
        assert_eq!(
            change(&before, &after),
            (vec![], vec![]),
            "{before} {after}"
        );
    }
}

/// A tree contains itself; a change deep in it is found once.
#[test]
fn cycles_end() {
    let tree = json!({"$ref": "#/components/schemas/Tree"});
    let before = answering(&tree);
    let mut after = before.clone();
    after["components"]["schemas"]["Tree"]["properties"]["name"]["type"] = json!("integer");
    assert_eq!(levels(&before, &after), Some(vec![Level::Breaking]));
    let mut after = before.clone();
    after["components"]["schemas"]["Tree"] = json!({"allOf": [tree]});
    assert_eq!(levels(&before, &after), None, "it consists of itself");
}

#[test]
fn a_chain_of_many_schemas_is_no_end_of_the_stack() {
    let mut before = answering(&json!({"$ref": "#/components/schemas/S0"}));
    let schemas = before["components"]["schemas"].as_object_mut().unwrap();
    for number in 0..10_000 {
        let next = format!("#/components/schemas/S{}", number + 1);
        schemas.insert(format!("S{number}"), json!({"items": {"$ref": next}}));
    }
    schemas.insert("S10000".to_owned(), json!({}));
    let mut after = before.clone();
    after["info"]["version"] = json!("2");
    assert_eq!(levels(&before, &after), None);
}

#[test]
fn operations() {
    use Level::{Breaking, Feature};
    let before = document(&json!({}));
    let at = |pointer: &str, value: Value| {
        let mut after = before.clone();
        let (holder, key) = pointer.rsplit_once('/').unwrap();
        let holder = after.pointer_mut(holder).unwrap().as_object_mut().unwrap();
        if value.is_null() {
            holder.remove(key);
        } else {
            holder.insert(key.to_owned(), value);
        }
        after
    };
    let q = |required: bool| json!([{"name": "q", "in": "query", "required": required}]);
    for (what, after, there, back) in [
        (
            "a method",
            at("/paths/~1a/get", json!({"responses": {}})),
            Feature,
            Breaking,
        ),
        ("a path", at("/paths/~1b", json!({})), Feature, Breaking),
        (
            "a body less",
            at("/paths/~1a/post/requestBody", Value::Null),
            Breaking,
            Breaking,
        ),
        (
            "a body that is optional",
            at("/paths/~1a/post/requestBody/required", json!(false)),
            Feature,
            Breaking,
        ),
        (
            "a media type",
            at("/paths/~1a/post/requestBody/content/a~1b", json!({})),
            Feature,
            Breaking,
        ),
        (
            "an answer",
            at("/paths/~1a/post/responses/404", json!({"description": "d"})),
            Feature,
            Breaking,
        ),
        (
            "a header",
            at("/paths/~1a/post/responses/200/headers", json!({"x-a": {}})),
            Feature,
            Breaking,
        ),
        (
            "a parameter",
            at("/paths/~1a/post/parameters", q(false)),
            Feature,
            Breaking,
        ),
        (
            "a parameter that is required",
            at("/paths/~1a/post/parameters", q(true)),
            Breaking,
            Breaking,
        ),
        (
            "a parameter of the path",
            at("/paths/~1a/parameters", q(true)),
            Breaking,
            Breaking,
        ),
        (
            "security",
            at("/paths/~1a/post/security", json!([{"bearer": []}])),
            Breaking,
            Breaking,
        ),
        (
            "security of all",
            at("/security", json!([{"bearer": []}])),
            Breaking,
            Breaking,
        ),
    ] {
        assert_eq!(levels(&before, &after), Some(vec![there]), "{what}");
        assert_eq!(
            levels(&after, &before),
            Some(vec![back]),
            "{what}, taken away"
        );
    }
    let notes = at("/paths/~1a/post/operationId", json!("other"));
    assert_eq!(levels(&before, &notes), Some(vec![]));
}

#[test]
fn what_is_not_known_is_not_the_same() {
    let before = document(&json!({"not": {"$ref": "#/components/schemas/Leaf"}}));
    assert_eq!(levels(&before, &before), Some(vec![]), "the same document");
    let mut after = before.clone();
    after["components"]["schemas"]["Leaf"]["type"] = json!("string");
    assert_eq!(levels(&before, &after), None, "what `not` refers to");
    let plain = document(&json!({}));
    for schema in [
        json!({"if": {}}),
        json!({"$ref": "other.json#/A"}),
        json!({"$ref": "#/components/schemas/Nobody"}),
        json!({"allOf": [{"type": "string"}, {"type": "integer"}]}),
        json!(false),
        json!(1),
    ] {
        assert_eq!(levels(&plain, &document(&schema)), None, "{schema}");
    }
    let mut hooks = plain.clone();
    hooks["webhooks"] = json!({"a": {}});
    assert_eq!(levels(&plain, &hooks), None);
    assert!(compare("{", "{}").is_err());
    assert!(compare(r#"{"swagger": "2.0"}"#, r#"{"swagger": "2.0"}"#).is_err());
}

/// One matching alternative is another promise than any number of them.
#[test]
fn one_of_is_not_any_of() {
    let choices =
        |key: &str| json!({key: [{"type": "string"}, {"$ref": "#/components/schemas/Leaf"}]});
    let breaks = vec![Level::Breaking];
    for (before, after) in [("oneOf", "anyOf"), ("anyOf", "oneOf")] {
        let found = change(&choices(before), &choices(after));
        assert_eq!(found, (breaks.clone(), breaks.clone()), "{before} {after}");
    }
    let list = &choices("oneOf")["oneOf"];
    for both in [
        json!({"oneOf": list, "anyOf": list}),
        json!({"allOf": [{"oneOf": list}, {"anyOf": list}]}),
    ] {
        assert_eq!(levels(&document(&json!({})), &document(&both)), None);
    }
}
