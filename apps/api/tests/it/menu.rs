//! The menu.

use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::{Actor, TestApp};

on_each_engine!(staff_add_meals_that_everyone_sees);
async fn staff_add_meals_that_everyone_sees(database: &Database) {
    let app = TestApp::on(database).await;
    assert_eq!(app.get(Actor::Nobody, "/v1/menu").await, (200, json!([])));

    let soup = json!({"name": "Soup", "price_cents": 450});
    let (status, meal) = app.post(Actor::Staff, "/v1/menu", soup).await;
    assert_eq!(status, 201);
    let expected = json!({
        "id": meal["id"],
        "name": "Soup",
        "description": "",
        "price_cents": 450,
        "available": true,
    });
    assert_eq!(meal, expected);
    assert_eq!(
        app.get(Actor::Nobody, "/v1/menu").await,
        (200, json!([expected]))
    );
}

on_each_engine!(only_staff_add_meals);
async fn only_staff_add_meals(database: &Database) {
    let app = TestApp::on(database).await;
    let soup = json!({"name": "Soup", "price_cents": 450});
    let denied = app.post(Actor::Nobody, "/v1/menu", soup.clone()).await;
    assert_eq!((denied.0, &denied.1["status"]), (401, &json!(401)));
    assert_eq!(
        app.post(Actor::Customer("ada"), "/v1/menu", soup).await.0,
        403
    );
    assert_eq!(app.get(Actor::Nobody, "/v1/menu").await, (200, json!([])));
}

on_each_engine!(a_name_that_is_taken_conflicts);
async fn a_name_that_is_taken_conflicts(database: &Database) {
    let app = TestApp::on(database).await;
    let soup = || json!({"name": "Soup", "price_cents": 450});
    assert_eq!(app.post(Actor::Staff, "/v1/menu", soup()).await.0, 201);
    let (status, problem) = app.post(Actor::Staff, "/v1/menu", soup()).await;
    assert_eq!(status, 409);
    assert_eq!(problem["title"], "Conflict");
}

on_each_engine!(every_field_that_is_wrong_is_named);
async fn every_field_that_is_wrong_is_named(database: &Database) {
    let app = TestApp::on(database).await;
    let bad = json!({"name": " ", "description": "x".repeat(501), "price_cents": 0});
    let (status, problem) = app.post(Actor::Staff, "/v1/menu", bad).await;
    assert_eq!(status, 422);
    assert_eq!(
        problem["errors"],
        json!([
            {"field": "name", "message": "must not be empty"},
            {"field": "description", "message": "must have at most 500 characters"},
            {"field": "price_cents", "message": "must be from 1 to 100000"},
        ])
    );
    let long = json!({"name": "x".repeat(81), "price_cents": 100_001});
    let (_, problem) = app.post(Actor::Staff, "/v1/menu", long).await;
    assert_eq!(problem["errors"].as_array().unwrap().len(), 2);
}

on_each_engine!(control_characters_are_refused);
async fn control_characters_are_refused(database: &Database) {
    let app = TestApp::on(database).await;
    let bad = json!({"name": "So\0up", "description": "hot\r", "price_cents": 450});
    let (status, problem) = app.post(Actor::Staff, "/v1/menu", bad).await;
    assert_eq!(status, 422);
    assert_eq!(
        problem["errors"],
        json!([
            {"field": "name", "message": "must have no control characters"},
            {"field": "description", "message": "must have no control characters but line breaks"},
        ])
    );
    let lines = json!({"name": "Soup", "description": "hot\nor cold", "price_cents": 450});
    assert_eq!(app.post(Actor::Staff, "/v1/menu", lines).await.0, 201);
}

on_each_engine!(a_body_of_another_shape_is_explained);
async fn a_body_of_another_shape_is_explained(database: &Database) {
    let app = TestApp::on(database).await;
    let (status, problem) = app
        .post(Actor::Staff, "/v1/menu", json!({"name": "Soup"}))
        .await;
    assert_eq!(status, 422);
    assert!(
        problem["detail"]
            .as_str()
            .unwrap()
            .contains("missing field `price_cents`")
    );
}

on_each_engine!(health_lists_the_database);
async fn health_lists_the_database(database: &Database) {
    let app = TestApp::on(database).await;
    let (status, report) = app.get(Actor::Nobody, "/health").await;
    assert_eq!(
        (status, &report["services"]),
        (200, &json!({"database": "connected"}))
    );
    assert_eq!(report["sha"], "abc123");
}

on_each_engine!(a_broken_database_is_our_fault_and_tells_no_detail);
async fn a_broken_database_is_our_fault_and_tells_no_detail(database: &Database) {
    let app = TestApp::on(database).await;
    database.execute("DROP TABLE orders").await;
    let (status, problem) = app.get(Actor::Customer("ada"), "/v1/orders").await;
    assert_eq!(status, 500);
    let opaque = json!({"type": "about:blank", "title": "Internal Server Error", "status": 500});
    assert_eq!(problem, opaque);
}
