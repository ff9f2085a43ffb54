//! The orders of whoever is signed in.

use contract::{NewOrder, Order, OrderStatus, Page};
use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

on_each_engine!(customers_see_their_own_orders_and_no_others);
async fn customers_see_their_own_orders_and_no_others(database: &Database) {
    let app = TestApp::on(database).await;
    let (ada, bob) = (app.customer("ada").await, app.customer("bob").await);
    let soup = app.staff().await.add_meal("Soup", 450).await;
    let order = ada.order(&soup, 2).await;
    let expected = Order {
        id: order.id,
        customer: ada.id.clone(),
        customer_name: "ada".to_owned(),
        meal_id: soup.id,
        meal: "Soup".to_owned(),
        quantity: 2,
        total_cents: 900,
        status: OrderStatus::Placed,
        version: 1,
        placed_at: order.placed_at.clone(),
        wanted_at: None,
        paid_at: None,
    };
    assert_eq!(order, expected);
    assert_eq!(ada.items("/v1/orders").await, [json!(order)]);
    let path = format!("/v1/orders/{}", order.id);
    assert_eq!(ada.get(&path).await.parse::<Order>(200), order);

    assert!(bob.items("/v1/orders").await.is_empty());
    bob.get(&path).await.refused(404, "you have no such order");
    bob.cancel(&order)
        .await
        .refused(404, "you have no such order");
}

#[tokio::test]
async fn the_newest_order_comes_first() {
    let app = TestApp::new().await;
    let ada = app.customer("ada").await;
    let soup = app.staff().await.add_meal("Soup", 450).await;
    let [first, second, third] = [
        ada.order(&soup, 1).await,
        ada.order(&soup, 2).await,
        ada.order(&soup, 3).await,
    ];
    let page: Page<Order> = ada.get("/v1/orders?limit=2").await.parse(200);
    assert_eq!(page.items, [third, second]);
    let next = format!("/v1/orders?limit=2&cursor={}", page.next_cursor.unwrap());
    let page: Page<Order> = ada.get(&next).await.parse(200);
    assert_eq!((page.items, page.next_cursor), (vec![first], None));
}

on_each_engine!(customers_cancel_while_the_kitchen_has_not_begun);
async fn customers_cancel_while_the_kitchen_has_not_begun(database: &Database) {
    let app = TestApp::on(database).await;
    let (ada, staff) = (app.customer("ada").await, app.staff().await);
    let soup = staff.add_meal("Soup", 450).await;

    let order = ada.order(&soup, 1).await;
    let cancelled: Order = ada.cancel(&order).await.parse(200);
    assert_eq!(
        (cancelled.status, cancelled.version),
        (OrderStatus::Cancelled, 2)
    );
    let late = "the order is `cancelled`: only while it is `placed` can it be cancelled";
    ada.cancel(&cancelled).await.refused(409, late);

    let order = ada.order(&soup, 1).await;
    let cooking: Order = staff.move_on(&order, OrderStatus::Cooking).await.parse(200);
    let late = "the order is `cooking`: only while it is `placed` can it be cancelled";
    ada.cancel(&cooking).await.refused(409, late);

    let unseen = Order {
        version: 7,
        ..ada.order(&soup, 1).await
    };
    let answer = ada.cancel(&unseen).await;
    answer.refused(409, "it was changed in the meantime: its version is 1 now");
}

#[tokio::test]
async fn a_meal_that_cannot_be_ordered_is_not_found() {
    let app = TestApp::new().await;
    let (ada, staff) = (app.customer("ada").await, app.staff().await);
    let soup = staff.add_meal("Soup", 450).await;
    let off = json!({"description": "", "price_cents": 450, "available": false, "version": 1});
    staff
        .patch(&format!("/v1/menu/{}", soup.id), off)
        .await
        .expect(200);
    for meal_id in [soup.id, 4711] {
        let answer = ada
            .post("/v1/orders", json!({"meal_id": meal_id, "quantity": 1}))
            .await;
        answer.refused(404, "there is no such meal, or it cannot be ordered now");
    }
}

#[tokio::test]
async fn an_id_that_is_no_number_names_nothing() {
    let app = TestApp::new().await;
    let ada = app.customer("ada").await;
    for id in ["x", "1.5", "%FF", "99999999999999999999"] {
        let answer = ada.get(&format!("/v1/orders/{id}")).await;
        answer.refused(404, "there is nothing with this id");
    }
    for id in ["-1", "0", "9223372036854775807"] {
        let answer = ada.get(&format!("/v1/orders/{id}")).await;
        answer.refused(404, "you have no such order");
    }
}

#[tokio::test]
async fn every_field_that_is_wrong_is_named() {
    let app = TestApp::new().await;
    let ada = app.customer("ada").await;
    for (quantity, message) in [(0, "lower than 1"), (21, "greater than 20")] {
        let order = json!({"meal_id": -1, "quantity": quantity});
        let answer = ada.post("/v1/orders", order).await;
        answer.invalid(&[("meal_id", "lower than 1"), ("quantity", message)]);
    }
}

#[tokio::test]
async fn nobody_orders_in_anothers_name() {
    let app = TestApp::new().await;
    let (ada, bob) = (app.customer("ada").await, app.customer("bob").await);
    let order = json!({"meal_id": 1, "quantity": 1, "customer": bob.id});
    let known = "unknown field, expected one of `meal_id`, `quantity`, `wanted_at`";
    ada.post("/v1/orders", order).await.invalid(&[("", known)]);
}

on_each_engine!(with_a_key_an_order_is_placed_once);
async fn with_a_key_an_order_is_placed_once(database: &Database) {
    const KEY: &str = "kAdM6ou4-qP0_7xZ";
    let app = TestApp::on(database).await;
    let (ada, bob) = (app.customer("ada").await, app.customer("bob").await);
    let soup = app.staff().await.add_meal("Soup", 450).await;
    let order = |quantity| NewOrder {
        meal_id: soup.id,
        quantity,
        wanted_at: None,
    };
    let first: Order = ada.order_once(KEY, &order(2)).await.parse(201);
    let again: Order = ada.order_once(KEY, &order(2)).await.parse(201);
    assert_eq!(again, first);
    assert_eq!(ada.items("/v1/orders").await.len(), 1);
    ada.order_once(KEY, &order(3))
        .await
        .refused(409, "this `idempotency-key` was used for another order");
    // Another customer's key is another key.
    let theirs: Order = bob.order_once(KEY, &order(3)).await.parse(201);
    assert_ne!(theirs.id, first.id);
}

#[tokio::test]
async fn a_key_that_is_none_is_refused() {
    let app = TestApp::new().await;
    let ada = app.customer("ada").await;
    let soup = app.staff().await.add_meal("Soup", 450).await;
    let order = NewOrder {
        meal_id: soup.id,
        quantity: 1,
        wanted_at: None,
    };
    for key in [
        "",
        "short",
        "sixteen and more, but with spaces",
        &"x".repeat(65),
    ] {
        ada.order_once(key, &order).await.invalid(&[(
            "idempotency-key",
            "must be 16 to 64 letters, digits, `-` and `_`",
        )]);
    }
    assert!(ada.items("/v1/orders").await.is_empty());
}
