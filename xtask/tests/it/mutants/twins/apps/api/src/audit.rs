//! Who changed what.

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::get;

use crate::state::Api;

pub(crate) fn router(state: &Api) -> Router<Api> {
    let guard = from_fn_with_state(state.clone(), web::auth::require_staff);
    Router::new().route("/audit", get(list)).route_layer(guard)
}

async fn list() -> StatusCode {
    StatusCode::OK
}
