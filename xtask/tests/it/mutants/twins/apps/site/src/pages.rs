//! The pages.

use axum::response::Html;

pub(crate) async fn home() -> Html<&'static str> {
    Html("<h1>Corner Kitchen</h1>")
}

pub(crate) async fn menu() -> Html<&'static str> {
    Html("<h1>Menu</h1>")
}
