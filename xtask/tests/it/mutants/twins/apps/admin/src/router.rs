//! The whole URL map of `admin`.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::trace::TraceLayer;
use web::auth::{Keys, require_staff};
use web::headers::set_headers;
use web::limit::limit_callers;

use crate::{audit, board, menu};

pub(crate) fn app(keys: Keys) -> Router {
    let open = Router::new()
        .merge(web::sign_in::router())
        .merge(web::assets::router())
        .merge(web::health::router());
    let staff = Router::new()
        .route("/", get(board::show))
        .route("/orders/{id}", post(board::advance))
        .route("/menu", get(menu::show).post(menu::add))
        .route("/menu/{id}", post(menu::change))
        .layer(TraceLayer::new_for_http())
        .route_layer(from_fn_with_state(keys.clone(), require_staff));
    dress(open.merge(staff).route("/audit", get(audit::list))).with_state(keys)
}

/// What every answer passes.
fn dress(router: Router<Keys>) -> Router<Keys> {
    router
        .layer(from_fn(limit_callers))
        .layer(from_fn(set_headers))
}
