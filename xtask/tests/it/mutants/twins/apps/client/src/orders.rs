//! The orders of a customer.

use axum::Router;
use axum::extract::Path;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use web::auth::Keys;

pub(crate) fn router() -> Router<Keys> {
    Router::new().route("/orders", get(list)).nest(
        "/orders/{id}",
        Router::new()
            .route("/", get(one))
            .route("/cancel", post(cancel)),
    )
}

async fn list() -> Html<&'static str> {
    Html("<h1>Your orders</h1>")
}

async fn one(Path(id): Path<u64>) -> Html<String> {
    Html(format!("<h1>Order {id}</h1>"))
}

async fn cancel(Path(_): Path<u64>) -> Redirect {
    Redirect::to("/orders")
}
