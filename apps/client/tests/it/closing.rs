//! No session stays open at `api` that nobody uses any more.

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use guard::Problem;

use crate::kitchen::COOKIE;
use crate::sessions::opened;
use crate::stub::{CSRF, Stub, session};

const FRESH: Duration = Duration::from_mins(10);
const STALE: Duration = Duration::from_secs(5);
const PROOF: [(&str, &str); 3] = [("csrf", CSRF), ("email", "a@b.test"), ("password", "x y z")];

/// Whose session `api` was asked to close, in its order.
fn closed(stub: &Stub) -> Vec<String> {
    let paths = stub.paths().into_iter();
    paths
        .filter(|(what, _)| what == "DELETE /v1/sessions/current")
        .map(|(_, bearer)| bearer)
        .collect()
}

#[tokio::test]
async fn signing_out_closes_the_session_whether_its_token_has_expired_or_not() {
    let stub = Stub::open(|_, _| None).await;
    let browser = stub.customer(STALE);
    let answer = browser.0.post_form("/sign-out", &[("csrf", CSRF)]).await;
    assert_eq!(answer.header("location"), "/sign-in?done=signed-out");
    assert_eq!(browser.0.cookie(COOKIE), None);
    assert_eq!(closed(&stub), ["the next access token"]);

    let held = session(FRESH);
    browser.0.set_cookie(COOKIE, &held);
    let answer = browser.0.post_form("/sign-out", &[("csrf", CSRF)]).await;
    assert_eq!(answer.header("location"), "/sign-in?done=signed-out");
    let token = opened(&held)["account"]["access_token"].clone();
    assert_eq!(closed(&stub)[1..], [token.as_str().unwrap()]);
}

#[tokio::test]
async fn signing_in_closes_the_session_before() {
    let stub = Stub::open(|_, _| None).await;
    let browser = stub.customer(FRESH);
    let before = opened(&browser.0.cookie(COOKIE).unwrap());
    let answer = browser.0.post_form("/sign-in", &PROOF).await;
    assert_eq!(answer.header("location"), "/");
    let token = before["account"]["access_token"].as_str().unwrap();
    assert_eq!(closed(&stub), [token]);
    let paths = stub.paths();
    let position = |path| paths.iter().position(|(what, _)| what == path);
    assert!(position("POST /v1/sessions") < position("DELETE /v1/sessions/current"));

    // Nor does it matter whether that works.
    let stub = Stub::open(|asked, _| {
        let refused = || Problem::new(StatusCode::SERVICE_UNAVAILABLE).into_response();
        asked.what.starts_with("DELETE").then(refused)
    })
    .await;
    let browser = stub.customer(FRESH);
    let answer = browser.0.post_form("/sign-in", &PROOF).await;
    assert_eq!(answer.header("location"), "/");
    assert_eq!(closed(&stub).len(), 1);
}

#[tokio::test]
async fn a_session_that_nobody_gets_is_closed() {
    let stub = Stub::open(|asked, _| {
        let refused = || Problem::new(StatusCode::SERVICE_UNAVAILABLE).into_response();
        asked.what.starts_with("GET /v1/accounts").then(refused)
    })
    .await;
    let browser = stub.customer(FRESH);
    let answer = browser.0.post_form("/sign-in", &PROOF).await;
    assert_eq!(answer.status, 503);
    // The one before is still theirs.
    assert_eq!(closed(&stub), ["the next access token"]);
}
