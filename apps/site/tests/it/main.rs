//! The pages by HTTP through the finished app, and the binary.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod binary;
mod serving;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use serve::Health;
use settings::AppEnv;
use tower::ServiceExt;

async fn get(path: &str) -> (u16, String) {
    let app = site::app(&Health::new("", Vec::new()), AppEnv::Production);
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn everyone_sees_the_pages() {
    let (status, html) = get("/").await;
    assert_eq!(status, 200);
    assert!(html.contains("href=\"/menu\""), "{html}");
    let (status, html) = get("/menu").await;
    assert_eq!(status, 200);
    assert!(html.contains("<li>Lentil soup with lemon</li>"), "{html}");
    assert_eq!(get("/style.css").await.0, 200);
}

#[tokio::test]
async fn what_is_not_there_is_a_page() {
    let (status, html) = get("/nowhere").await;
    assert_eq!(status, 404);
    assert!(html.contains("<h1>Not Found</h1>"), "{html}");
}
