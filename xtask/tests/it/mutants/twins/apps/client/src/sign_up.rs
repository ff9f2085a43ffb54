//! Opening an account.

use axum::response::{Html, Redirect};

pub(crate) const PATH: &str = "/sign-up";

pub(crate) async fn show() -> Html<&'static str> {
    Html("<form method=post></form>")
}

pub(crate) async fn submit() -> Redirect {
    Redirect::to("/")
}
