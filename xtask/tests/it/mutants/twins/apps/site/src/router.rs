//! The whole URL map of `site`.

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::get;
use web::headers::set_headers;
use web::limit::limit_callers;

use crate::pages;

pub(crate) fn app() -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/menu", get(pages::menu))
        .merge(web::assets::router())
        .merge(web::health::router())
        .layer((from_fn(set_headers), from_fn(limit_callers)))
}
