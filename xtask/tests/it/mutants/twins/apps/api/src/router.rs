//! The whole URL map of `api`.

use axum::Router;
use axum::middleware::from_fn;
use tower::ServiceBuilder;
use tower_http::trace::TraceLayer;
use web::headers::set_headers;
use web::limit::limit_callers;

use crate::state::Api;
use crate::{accounts, audit, kitchen, menu, openapi, orders, payments, sessions};

pub(crate) fn app(state: Api) -> Router {
    Router::new()
        .nest("/v1", version_one(&state))
        .merge(web::health::router())
        .layer(
            ServiceBuilder::new()
                .layer(TraceLayer::new_for_http())
                .layer(from_fn(set_headers))
                .layer(from_fn(limit_callers)),
        )
        .with_state(state)
}

fn version_one(state: &Api) -> Router<Api> {
    Router::new()
        .nest("/accounts", accounts::router(state))
        .nest("/sessions", sessions::router(state))
        .merge(menu::router(state))
        .merge(orders::router(state))
        .nest("/kitchen", kitchen::router(state))
        .nest("/webhooks", payments::router(state))
        .merge(audit::router(state))
        .merge(openapi::router())
}
