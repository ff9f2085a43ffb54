//! The audit log: every change, by whom and in which request.

use axum::body::Body;
use axum::http::{Request, header};
use contract::{AuditEvent, OrderStatus, Page};
use jiff::Timestamp;
use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::{TestApp, answer};
use crate::expect::Expect as _;

on_each_engine!(staff_read_who_did_what);
async fn staff_read_who_did_what(database: &Database) {
    let app = TestApp::on(database).await;
    let (ada, staff) = (app.customer("ada").await, app.staff().await);
    let soup = staff.add_meal("Soup", 450).await;
    let order = ada.order(&soup, 1).await;
    staff
        .move_on(&order, OrderStatus::Cooking)
        .await
        .expect(200);
    let event = json!({
        "type": "payment.succeeded",
        "data": {"order_id": order.id, "amount_cents": 450},
    });
    app.provider()
        .send("evt_1", Timestamp::now().as_second(), &event)
        .await
        .expect(200);

    let page: Page<AuditEvent> = staff.get("/v1/audit?limit=4").await.parse(200);
    let seen: Vec<_> = page
        .items
        .iter()
        .map(|event| {
            (
                event.actor.as_str(),
                event.action.as_str(),
                event.subject.as_str(),
            )
        })
        .collect();
    let (order, meal) = (format!("order/{}", order.id), format!("meal/{}", soup.id));
    assert_eq!(
        seen,
        [
            ("payments", "payment.received", order.as_str()),
            (&staff.id, "order.moved", &order),
            (&ada.id, "order.placed", &order),
            (&staff.id, "meal.added", &meal),
        ]
    );
    assert!(page.next_cursor.is_some());
}

#[tokio::test]
async fn an_event_names_its_request() {
    let app = TestApp::new().await;
    let account = json!({"email": "ada@example.test", "name": "Ada", "password": "correct horse"});
    let request = Request::post("/v1/accounts")
        .header(header::CONTENT_TYPE, "application/json")
        .header("x-request-id", "sign-up-0001")
        .body(Body::from(account.to_string()));
    let id = answer(&app.app, request.unwrap()).await.expect(201)["id"].clone();

    let page: Page<AuditEvent> = app.staff().await.get("/v1/audit").await.parse(200);
    let event = page
        .items
        .iter()
        .find(|event| event.request_id == "sign-up-0001")
        .unwrap();
    assert_eq!(json!(event.actor), id);
    assert_eq!(event.action, "account.opened");
}
