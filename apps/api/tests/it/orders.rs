//! The orders of whoever is signed in.

use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::{Actor, TestApp};

const ADA: Actor = Actor::Customer("ada");

async fn meal_id(app: &TestApp) -> i64 {
    let soup = json!({"name": "Soup", "price_cents": 450});
    let (_, meal) = app.post(Actor::Staff, "/v1/menu", soup).await;
    meal["id"].as_i64().unwrap()
}

on_each_engine!(customers_see_their_own_orders_and_no_others);
async fn customers_see_their_own_orders_and_no_others(database: &Database) {
    let app = TestApp::on(database).await;
    let order = json!({"meal_id": meal_id(&app).await, "quantity": 2});
    let (status, placed) = app.post(ADA, "/v1/orders", order).await;
    assert_eq!(status, 201);
    assert_eq!(placed["customer"], "ada");
    assert_eq!(placed["quantity"], 2);
    assert_eq!(placed["status"], "placed");
    assert_eq!(app.get(ADA, "/v1/orders").await, (200, json!([placed])));
    assert_eq!(
        app.get(Actor::Customer("bob"), "/v1/orders").await,
        (200, json!([]))
    );
}

on_each_engine!(nobody_orders_without_signing_in);
async fn nobody_orders_without_signing_in(database: &Database) {
    let app = TestApp::on(database).await;
    let order = json!({"meal_id": meal_id(&app).await, "quantity": 1});
    assert_eq!(app.post(Actor::Nobody, "/v1/orders", order).await.0, 401);
    assert_eq!(app.get(Actor::Nobody, "/v1/orders").await.0, 401);
}

on_each_engine!(a_meal_that_is_not_there_is_not_found);
async fn a_meal_that_is_not_there_is_not_found(database: &Database) {
    let app = TestApp::on(database).await;
    let (status, problem) = app
        .post(ADA, "/v1/orders", json!({"meal_id": 4711, "quantity": 1}))
        .await;
    assert_eq!((status, &problem["title"]), (404, &json!("Not Found")));
}

on_each_engine!(every_field_that_is_wrong_is_named);
async fn every_field_that_is_wrong_is_named(database: &Database) {
    let app = TestApp::on(database).await;
    for quantity in [0, 21] {
        let order = json!({"meal_id": -1, "quantity": quantity});
        let (status, problem) = app.post(ADA, "/v1/orders", order).await;
        assert_eq!(status, 422);
        assert_eq!(
            problem["errors"],
            json!([
                {"field": "meal_id", "message": "must be the id of a meal"},
                {"field": "quantity", "message": "must be from 1 to 20"},
            ])
        );
    }
}

on_each_engine!(nobody_orders_in_anothers_name);
async fn nobody_orders_in_anothers_name(database: &Database) {
    let app = TestApp::on(database).await;
    let order = json!({"meal_id": meal_id(&app).await, "quantity": 1, "customer": "bob"});
    assert_eq!(app.post(ADA, "/v1/orders", order).await.0, 422);
}
