//! Each policy's deny and allow, and what every answer carries, by HTTP through a finished app.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod access;
mod answers;
mod limits;
mod logs;
mod recorder;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use guard::{App, Carrier, Role, SignedTokens};
use tower::ServiceExt;

const KEY: &str = "a-key-that-nothing-but-tests-knows";

fn tokens(carrier: Carrier) -> SignedTokens {
    SignedTokens::new(&KEY.to_owned().into(), carrier)
}

fn bearer(role: Role) -> String {
    let hour = std::time::Duration::from_hours(1);
    format!(
        "Bearer {}",
        tokens(Carrier::Bearer).issue("ada", role, hour).unwrap()
    )
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn get_as(role: Role, path: &str) -> Request<Body> {
    let request = Request::get(path).header(header::AUTHORIZATION, bearer(role));
    request.body(Body::empty()).unwrap()
}

async fn send(app: &App, request: Request<Body>) -> Response {
    app.clone().oneshot(request).await.unwrap()
}

async fn status(app: &App, request: Request<Body>) -> StatusCode {
    send(app, request).await.status()
}

async fn text(response: Response) -> String {
    let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn json(response: Response) -> serde_json::Value {
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    serde_json::from_str(&text(response).await).unwrap()
}
