//! Each policy's deny and allow, and what every answer carries, by HTTP through a finished app.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod access;
mod answers;
mod forms;
mod limits;
mod logs;
mod recorder;
mod shared_rates;
mod webhooks;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use axum::response::Response;
use guard::{App, Deny, Guards, Identity, Role, SignedTokens};
use settings::AppEnv;
use tower::ServiceExt;

const KEY: &str = "a-key-that-nothing-but-tests-knows";

fn tokens() -> SignedTokens {
    SignedTokens::new(&[KEY.into()])
}

fn guards(deny: Deny, env: AppEnv) -> Guards {
    Guards::new(deny, env).authenticator(tokens())
}

fn ada(role: Role) -> Identity {
    Identity {
        subject: "ada".into(),
        role,
        session: None,
    }
}

fn bearer(role: Role) -> String {
    let hour = std::time::Duration::from_hours(1);
    format!("Bearer {}", tokens().issue(&ada(role), hour).unwrap())
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
