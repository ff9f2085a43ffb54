//! What was sent does not come back in an error, and neither does what went wrong inside.

use axum::http::Method;
use guard::Role;
use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

on_each_engine!(a_broken_database_is_our_fault_and_tells_no_detail);
async fn a_broken_database_is_our_fault_and_tells_no_detail(database: &Database) {
    let app = TestApp::on(database).await;
    let ada = app.customer("ada").await;
    database.execute("ALTER TABLE orders RENAME TO lost").await;
    let opaque = json!({"type": "about:blank", "title": "Internal Server Error", "status": 500});
    assert_eq!(ada.get("/v1/orders").await.expect(500), opaque);
}

#[tokio::test]
async fn an_error_does_not_repeat_what_was_sent() {
    const CANARY: &str = "canary-0123456789";

    let app = TestApp::new().await;
    let mut refused = 0;
    for (n, route) in api::records().into_iter().enumerate() {
        // Somebody new each time: one of the routes signs out.
        let chef = app.account(&format!("chef-{n}"), Role::Staff).await;
        let (client, _) = app.signed_in(&chef);
        let method: Method = route.method.parse().unwrap();
        let path = route.path.replace("{id}", CANARY);
        let numbered = route.path.replace("{id}", "1");
        for (path, body) in [
            (path, json!({})),
            (format!("{numbered}?limit={CANARY}"), json!({})),
            (format!("{numbered}?{CANARY}=1"), json!({})),
            (numbered.clone(), json!(CANARY)),
            (numbered.clone(), json!({CANARY: 1})),
            (
                numbered.clone(),
                json!({"name": {CANARY: 1}, "email": 1, "version": CANARY}),
            ),
            (
                numbered,
                json!({"email": CANARY, "password": CANARY, "quantity": CANARY}),
            ),
        ] {
            let answer = client.send(method.clone(), &path, Some(&body)).await;
            assert!(
                !answer.text().contains(CANARY),
                "{method} {path} {body}: {}",
                answer.text()
            );
            // Else its handler has not seen any of it.
            if route.access.starts_with("role:") {
                assert_ne!(answer.status, 401, "{method} {path} {body}");
            }
            refused += u32::from(answer.status.is_client_error());
        }
    }
    assert!(refused > 70, "{refused}");
}
