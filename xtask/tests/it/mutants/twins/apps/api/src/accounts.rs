//! Accounts of customers.

use axum::extract::Extension;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use web::auth::{User, require_user};

use crate::state::Api;

#[derive(Deserialize)]
pub(crate) struct NewAccount {
    email: String,
    password: String,
}

pub(crate) fn router(state: &Api) -> Router<Api> {
    let guarded = Router::new()
        .route("/me", get(me))
        .route_layer(from_fn_with_state(state.clone(), require_user));
    Router::new().route("/", post(open)).merge(guarded)
}

async fn open(Json(new): Json<NewAccount>) -> StatusCode {
    if new.email.is_empty() || new.password.len() < 12 {
        return StatusCode::UNPROCESSABLE_ENTITY;
    }
    StatusCode::CREATED
}

async fn me(Extension(user): Extension<User>) -> Json<String> {
    Json(user.name)
}
