//! Signing in, staying so, and leaving.

use axum::http::StatusCode;
use axum::middleware;
use axum::routing::{MethodRouter, delete, post};
use axum::{Json, Router};
use web::auth;

use crate::state::Api;

pub(crate) fn router(state: &Api) -> Router<Api> {
    Router::new()
        .route("/", post(begin))
        .route("/refresh", post(refresh))
        .route("/current", current(state))
}

fn current(state: &Api) -> MethodRouter<Api> {
    delete(end).route_layer(middleware::from_fn_with_state(
        state.clone(),
        auth::require_user,
    ))
}

async fn begin() -> Json<&'static str> {
    Json("token")
}

async fn refresh() -> Json<&'static str> {
    Json("token")
}

async fn end() -> StatusCode {
    StatusCode::NO_CONTENT
}
