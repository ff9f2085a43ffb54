//! The whole URL map of `client`.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use tower_http::trace::TraceLayer;
use web::auth::{Keys, require_user};
use web::headers::{name_build, set_headers};
use web::limit::limit_callers;

use crate::{menu, orders, sign_up};

pub(crate) fn app(keys: Keys) -> Router {
    let mut app = Router::new();
    app = app.merge(for_customers(&keys));
    app = app.merge(web::sign_in::router());
    app = app.route(sign_up::PATH, get(sign_up::show).post(sign_up::submit));
    app = app.merge(web::assets::router());
    app = app.merge(web::health::router());
    app = app.layer(from_fn(limit_callers));
    app = app.layer(from_fn(name_build));
    app = app.layer(from_fn(set_headers));
    app = app.layer(TraceLayer::new_for_http());
    app.with_state(keys)
}

fn for_customers(keys: &Keys) -> Router<Keys> {
    Router::new()
        .route("/", get(menu::show))
        .route("/orders", post(menu::order))
        .merge(orders::router())
        .route_layer(from_fn_with_state(keys.clone(), require_user))
}
