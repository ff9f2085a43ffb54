//! The pages by HTTP through the finished app, and the binary.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod binary;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::response::Parts;
use axum::http::{Request, header};
use guard::{Carrier, Role, SignedTokens};
use serve::Health;
use settings::AppEnv;
use tower::ServiceExt;

const KEY: &str = "a-key-that-nothing-but-tests-knows";

async fn get(path: &str, role: Option<Role>) -> (Parts, String) {
    let key = KEY.to_owned().into();
    let app = admin::app(&key, &Health::new("", Vec::new()), AppEnv::Production);
    let mut request = Request::get(path);
    if let Some(role) = role {
        let sessions = SignedTokens::new(&key, Carrier::Cookie(admin::SESSION_COOKIE));
        let session = sessions
            .issue("<ada>", role, Duration::from_mins(1))
            .unwrap();
        request = request.header(
            header::COOKIE,
            format!("{}={session}", admin::SESSION_COOKIE),
        );
    }
    let response = app
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    (parts, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn the_signed_out_are_sent_to_sign_in() {
    let (response, _) = get("/", None).await;
    assert_eq!(response.status, 303);
    assert_eq!(response.headers[header::LOCATION], "/sign-in");
    let (response, html) = get("/sign-in", None).await;
    assert_eq!(response.status, 200);
    assert!(html.contains("<h1>Sign in</h1>"), "{html}");
}

#[tokio::test]
async fn the_home_page_greets_whoever_is_signed_in() {
    let (response, html) = get("/", Some(Role::Staff)).await;
    assert_eq!(response.status, 200);
    assert_eq!(response.headers[header::CACHE_CONTROL], "no-store");
    assert!(html.contains("<h1>The pass</h1>"), "{html}");
    assert!(html.contains("Signed in as &lt;ada&gt;."), "{html}");
}

#[tokio::test]
async fn customers_are_shown_that_they_may_not() {
    let (response, html) = get("/", Some(Role::Customer)).await;
    assert_eq!(response.status, 403);
    assert!(html.contains("<h1>Forbidden</h1>"), "{html}");
}

#[tokio::test]
async fn what_is_not_there_is_a_page() {
    let (response, html) = get("/nowhere", None).await;
    assert_eq!(response.status, 404);
    assert!(html.contains("<h1>Not Found</h1>"), "{html}");
}
