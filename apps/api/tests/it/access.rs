//! Who is let in where: from the table of routes, so no route is forgotten.

use axum::http::Method;
use guard::Role;
use serde_json::json;

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

/// Any number does: access is decided before anything is looked up.
fn path_of(pattern: &str) -> String {
    pattern.replace("{id}", "1")
}

#[tokio::test]
async fn without_credentials_only_public_routes_answer() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let mut denied = 0;
    for route in api::records() {
        let method: Method = route.method.parse().unwrap();
        let path = path_of(&route.path);
        let answer = anonymous
            .client()
            .send(method, &path, Some(&json!({})))
            .await;
        let status = answer.status.as_u16();
        if route.access == "public" {
            assert!(
                ![401, 403].contains(&status),
                "{} {path}: {status}",
                route.method
            );
        } else {
            assert!(
                [401, 403].contains(&status),
                "{} {path}: {status}",
                route.method
            );
            assert_eq!(answer.header("content-type"), "application/problem+json");
            denied += 1;
        }
    }
    assert!(denied > 10, "{denied}");
}

#[tokio::test]
async fn a_customer_is_no_staff() {
    let app = TestApp::new().await;
    let ada = app.customer("ada").await;
    let mut denied = 0;
    for route in api::records() {
        if route.access == format!("role:{}", Role::Staff) {
            let method: Method = route.method.parse().unwrap();
            let path = path_of(&route.path);
            let answer = ada.client().send(method, &path, Some(&json!({}))).await;
            answer.refused(403, "your role does not allow this");
            denied += 1;
        }
    }
    assert!(denied > 4, "{denied}");
}

#[tokio::test]
async fn an_error_has_all_the_headers() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    for (method, path, status) in [
        (Method::GET, "/v1/orders", 401),
        (Method::GET, "/v1/nowhere", 404),
        (Method::PUT, "/v1/menu", 405),
        (Method::OPTIONS, "/v1/menu", 405),
        (Method::POST, "/v1/sessions", 422),
    ] {
        let answer = anonymous
            .client()
            .send(method, path, Some(&json!({})))
            .await;
        assert_eq!(answer.expect(status)["status"], status);
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(
            answer
                .header("content-security-policy")
                .contains("default-src 'none'")
        );
        assert!(
            answer
                .header("strict-transport-security")
                .starts_with("max-age=")
        );
        assert!(!answer.header("x-request-id").is_empty());
    }
}
