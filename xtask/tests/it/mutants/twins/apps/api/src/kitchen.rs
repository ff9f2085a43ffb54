//! What the kitchen sees.

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, patch};
use web::auth;

use crate::state::Api;

pub(crate) fn router(state: &Api) -> Router<Api> {
    let routes = Router::new()
        .route("/orders", get(list))
        .route("/orders/{id}", patch(move_on));
    for_staff(routes, state)
}

fn for_staff(routes: Router<Api>, state: &Api) -> Router<Api> {
    routes.route_layer(from_fn_with_state(state.clone(), auth::require_staff))
}

async fn list() -> StatusCode {
    StatusCode::OK
}

async fn move_on(Path(_): Path<u64>) -> StatusCode {
    StatusCode::NO_CONTENT
}
