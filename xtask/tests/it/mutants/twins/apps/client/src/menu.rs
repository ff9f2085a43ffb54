//! The menu, and ordering from it.

use axum::response::{Html, Redirect};

pub(crate) async fn show() -> Html<&'static str> {
    Html("<h1>Menu</h1>")
}

pub(crate) async fn order() -> Redirect {
    Redirect::to("/orders")
}
