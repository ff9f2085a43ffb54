//! The menu: read by everyone, written by staff.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use web::auth::require_staff;

use crate::state::Api;

pub(crate) fn router(state: &Api) -> Router<Api> {
    let staff = from_fn_with_state(state.clone(), require_staff);
    Router::new()
        .route("/menu", post(add).layer(staff.clone()).get(list))
        .route("/menu/all", get(list_all).layer(staff.clone()))
        .route("/menu/{id}", patch(change).layer(staff))
}

pub(crate) async fn list() -> Json<Vec<String>> {
    Json(Vec::new())
}

async fn list_all() -> Json<Vec<String>> {
    Json(Vec::new())
}

async fn add(Json(meal): Json<String>) -> StatusCode {
    let _ = meal;
    StatusCode::CREATED
}

async fn change(Path(id): Path<u64>) -> StatusCode {
    let _ = id;
    StatusCode::NO_CONTENT
}
