//! Preorders, which are not open everywhere.

use contract::{NewOrder, Order};
use jiff::{SignedDuration, Timestamp};
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

fn preorder(meal_id: i64, wanted_at: Timestamp) -> NewOrder {
    NewOrder {
        meal_id,
        quantity: 1,
        wanted_at: Some(wanted_at.to_string()),
    }
}

on_each_engine!(where_preorders_are_open_an_order_says_when);
async fn where_preorders_are_open_an_order_says_when(database: &Database) {
    let app = TestApp::in_env(database, "preview").await;
    let ada = app.customer("ada").await;
    let soup = app.staff().await.add_meal("Soup", 450).await;
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let order: Order = ada
        .post("/v1/orders", preorder(soup.id, tomorrow))
        .await
        .parse(201);
    assert_eq!(order.wanted_at, Some(format!("{tomorrow:.3}")));

    let yesterday = Timestamp::now() - SignedDuration::from_hours(24);
    let answer = ada.post("/v1/orders", preorder(soup.id, yesterday)).await;
    answer.invalid(&[("wanted_at", "must be in the future")]);
}

#[tokio::test]
async fn where_they_are_not_open_any_time_is_refused() {
    let app = TestApp::new().await;
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let answer = app
        .customer("ada")
        .await
        .post("/v1/orders", preorder(1, tomorrow))
        .await;
    answer.invalid(&[("wanted_at", "preorders are not open yet")]);
}
