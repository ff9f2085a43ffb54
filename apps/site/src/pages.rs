//! The pages of `site`.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::IntoResponse;
use bff::ApiError;
use contract::Meal;

use crate::PROFILE;
use crate::menu::MenuCache;

#[derive(Template)]
#[template(path = "home.html")]
struct Home;

#[derive(Template)]
#[template(path = "menu.html")]
struct Menu<'a> {
    meals: &'a [Meal],
}

/// The front page.
pub(crate) async fn home() -> impl IntoResponse {
    PROFILE.page("A kitchen around the corner", Home)
}

/// What can be ordered today.
pub(crate) async fn menu(
    State(menu): State<Arc<MenuCache>>,
) -> Result<impl IntoResponse, ApiError> {
    let meals = menu.meals().await?;
    Ok(PROFILE.page("Menu", Menu { meals: &meals }).into_response())
}
