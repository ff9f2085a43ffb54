//! The board of the kitchen.

use axum::extract::Path;
use axum::response::{Html, Redirect};

pub(crate) async fn show() -> Html<&'static str> {
    Html("<h1>Kitchen</h1>")
}

pub(crate) async fn advance(Path(_): Path<u64>) -> Redirect {
    Redirect::to("/")
}
