//! The OpenAPI document says what the app does.

use std::collections::BTreeSet;

use contract::{NewAccount, NewMeal, NewOrder};
use serde_json::{Value, json};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

fn document() -> Value {
    serde_json::from_str(&api::openapi_json()).unwrap()
}

fn operations(document: &Value) -> impl Iterator<Item = (String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    paths.iter().flat_map(|(path, item)| {
        let operations = item.as_object().unwrap().iter();
        operations.map(move |(method, operation)| {
            (format!("{} {path}", method.to_uppercase()), operation)
        })
    })
}

#[tokio::test]
async fn it_is_served() {
    let app = TestApp::new().await;
    let answer = app.anonymous().get("/v1/openapi.json").await;
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.expect(200), document());
}

#[test]
fn it_has_every_route_and_no_other() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let described: BTreeSet<_> = operations(&document).map(|(name, _)| name).collect();
    let registered = api::records()
        .into_iter()
        .filter(|route| route.path.starts_with("/v1/"))
        .map(|route| format!("{} {}", route.method, route.path));
    assert_eq!(described, registered.collect());
}

#[test]
fn it_asks_for_credentials_where_the_policy_does() {
    let document = document();
    for (name, operation) in operations(&document) {
        let route = api::records()
            .into_iter()
            .find(|route| name == format!("{} {}", route.method, route.path))
            .unwrap();
        let scheme = match route.access.as_str() {
            "public" => Value::Null,
            "webhook:payments" => json!([{"webhook": []}]),
            _ => json!([{"bearer": []}]),
        };
        assert_eq!(operation["security"], scheme, "{name}");
        let responses = operation["responses"].as_object().unwrap();
        assert_eq!(
            responses.contains_key("403"),
            route.access.starts_with("role:"),
            "{name}"
        );
        assert!(responses.contains_key("429"), "{name}");
    }
}

#[test]
fn every_operation_has_a_name_of_its_own_and_a_summary() {
    let document = document();
    let mut names = BTreeSet::new();
    for (name, operation) in operations(&document) {
        assert!(
            names.insert(operation["operationId"].as_str().unwrap()),
            "{name}"
        );
        assert!(!operation["summary"].as_str().unwrap().is_empty(), "{name}");
    }
}

/// The constraints stand twice in `contract`: what one end refuses, the other must describe.
#[test]
fn it_describes_what_is_refused() {
    use garde::Validate as _;

    let document = document();
    let allowed = |schema: &str, field: &str, value: &Value| {
        let property = &document["components"]["schemas"][schema]["properties"][field];
        assert!(property.is_object(), "{schema}.{field}");
        let length = value.as_str().map(|text| text.chars().count() as u64);
        let number = value.as_i64();
        property["maxLength"]
            .as_u64()
            .is_none_or(|max| length <= Some(max))
            && property["minLength"]
                .as_u64()
                .is_none_or(|min| length >= Some(min))
            && property["maximum"]
                .as_i64()
                .is_none_or(|max| number <= Some(max))
            && property["minimum"]
                .as_i64()
                .is_none_or(|min| number >= Some(min))
    };
    for quantity in [-1, 0, 1, 20, 21] {
        let order = NewOrder {
            meal_id: 1,
            quantity,
            wanted_at: None,
        };
        let is_allowed = allowed("NewOrder", "quantity", &json!(quantity));
        assert_eq!(order.validate().is_ok(), is_allowed, "{quantity}");
    }
    for price_cents in [0, 1, 100_000, 100_001] {
        let meal = NewMeal {
            name: "Soup".to_owned(),
            description: String::new(),
            price_cents,
        };
        let is_allowed = allowed("NewMeal", "price_cents", &json!(price_cents));
        assert_eq!(meal.validate().is_ok(), is_allowed, "{price_cents}");
    }
    for length in [11, 12, 128, 129] {
        let password = "é".repeat(length);
        let is_allowed = allowed("NewAccount", "password", &json!(password));
        let [email, name] = ["ada@example.test", "Ada"].map(str::to_owned);
        let account = NewAccount {
            email,
            name,
            password,
        };
        assert_eq!(account.validate().is_ok(), is_allowed, "{length}");
    }
}
