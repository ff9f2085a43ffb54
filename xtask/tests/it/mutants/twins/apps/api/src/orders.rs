//! Orders of whoever is signed in.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use web::auth::require_user;

use crate::state::Api;

pub(crate) fn router(state: &Api) -> Router<Api> {
    Router::new()
        .route("/orders", get(list).post(place))
        .route("/orders/{id}", get(one))
        .route("/orders/{id}/cancel", post(cancel))
        .route_layer(from_fn_with_state(state.clone(), require_user))
}

async fn list() -> StatusCode {
    StatusCode::OK
}

async fn place() -> StatusCode {
    StatusCode::CREATED
}

async fn one(Path(id): Path<u64>) -> StatusCode {
    if id == 0 {
        StatusCode::NOT_FOUND
    } else {
        StatusCode::OK
    }
}

async fn cancel(Path(_): Path<u64>) -> StatusCode {
    StatusCode::NO_CONTENT
}
