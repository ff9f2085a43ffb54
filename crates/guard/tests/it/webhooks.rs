//! What providers send: let in once its signature is right, and counted when it is not.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::body::{Body, Bytes};
use axum::http::{Request, StatusCode};
use guard::{App, Delivery, Deny, GuardedRouter, Guards, WebhookKey, webhook};
use settings::AppEnv;

use crate::{KEY, send, status, text};

/// Longer than the limit of the route.
const LONG: &str = "0123456789012345678901234567890123456789012345678901234567890123456789";

fn key() -> WebhookKey {
    WebhookKey::new(&KEY.into())
}

fn app() -> App {
    GuardedRouter::new()
        .post(
            "/hook",
            webhook("payments").body_limit(64),
            async |delivery: Delivery, body: Bytes| {
                let body = String::from_utf8_lossy(&body).into_owned();
                format!("{} {} {body}", delivery.provider, delivery.id)
            },
        )
        .finish(Guards::new(Deny::Problem, AppEnv::Production).webhook_key("payments", key()))
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_secs().try_into().unwrap()
}

fn delivery(timestamp: i64, signature: &str, body: &'static str) -> Request<Body> {
    Request::post("/hook")
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", timestamp)
        .header("webhook-signature", signature)
        .body(body.into())
        .unwrap()
}

#[tokio::test]
async fn a_signed_delivery_reaches_its_handler_with_its_body_as_it_came() {
    let body = " {\"paid\" : true}\n";
    let signature = key().sign("msg_1", now(), body.as_bytes());
    let answered = send(&app(), delivery(now(), &signature, body)).await;
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!(text(answered).await, format!("payments msg_1 {body}"));
}

#[tokio::test]
async fn what_is_unsigned_old_or_too_long_does_not() {
    let app = app();
    let bare = Request::post("/hook").body("{}".into()).unwrap();
    assert_eq!(status(&app, bare).await, StatusCode::UNAUTHORIZED);
    let signature = key().sign("msg_1", now(), b"{}");
    let changed = delivery(now(), &signature, "{ }");
    assert_eq!(status(&app, changed).await, StatusCode::UNAUTHORIZED);
    for off in [-301, 302] {
        let then = now() + off;
        let old = delivery(then, &key().sign("msg_1", then, b"{}"), "{}");
        assert_eq!(status(&app, old).await, StatusCode::BAD_REQUEST, "{off}");
    }
    let long = delivery(now(), &key().sign("msg_1", now(), LONG.as_bytes()), LONG);
    assert_eq!(status(&app, long).await, StatusCode::PAYLOAD_TOO_LARGE);
}
