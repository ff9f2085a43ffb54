//! What supervisors, load balancers and monitoring ask.

use axum::Json;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new()
        .route("/livez", get(|| async { "ok" }))
        .route("/readyz", get(ready))
        .route("/health", get(health))
}

pub async fn ready() -> StatusCode {
    StatusCode::NO_CONTENT
}

async fn health() -> Json<&'static str> {
    Json(env!("CARGO_PKG_VERSION"))
}
