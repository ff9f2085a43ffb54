//! The menu as staff see it.

use axum::extract::Path;
use axum::response::{Html, Redirect};

pub(crate) async fn show() -> Html<&'static str> {
    Html("<h1>Menu</h1>")
}

pub(crate) async fn add() -> Redirect {
    Redirect::to("/menu")
}

pub(crate) async fn change(Path(_): Path<u64>) -> Redirect {
    Redirect::to("/menu")
}
