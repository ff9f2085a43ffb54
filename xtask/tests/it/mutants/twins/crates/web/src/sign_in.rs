//! Signing in and out.

use axum::Form;
use axum::Router;
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use serde::Deserialize;

pub const PATH: &str = "/sign-in";

#[derive(Deserialize)]
pub struct Credentials {
    pub email: String,
    pub password: String,
}

pub fn router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    Router::new()
        .route(PATH, get(show).post(submit))
        .route("/sign-out", post(end))
}

pub async fn show() -> Html<&'static str> {
    Html("<form method=post></form>")
}

pub async fn submit(Form(credentials): Form<Credentials>) -> Redirect {
    let _ = (credentials.email, credentials.password);
    Redirect::to("/")
}

pub async fn end() -> Redirect {
    Redirect::to(PATH)
}
