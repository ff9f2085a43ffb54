//! The menu.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use store::{Meal, NewMeal, Store};

use crate::error::{ApiError, check};

const MAX_NAME: usize = 80;
const MAX_DESCRIPTION: usize = 500;
/// A thousand in the currency of the house: more is a slip of the finger.
const MAX_PRICE_CENTS: i32 = 100_000;

/// The meals that can be ordered.
pub(crate) async fn list(State(store): State<Store>) -> Result<Json<Vec<Meal>>, ApiError> {
    Ok(Json(store.menu().await?))
}

/// Adds a meal.
pub(crate) async fn add(
    State(store): State<Store>,
    Json(meal): Json<NewMeal>,
) -> Result<(StatusCode, Json<Meal>), ApiError> {
    validate(&meal)?;
    Ok((StatusCode::CREATED, Json(store.add_meal(&meal).await?)))
}

fn validate(meal: &NewMeal) -> Result<(), ApiError> {
    let NewMeal {
        name,
        description,
        price_cents,
    } = meal;
    let mut errors = Vec::new();
    check(
        &mut errors,
        !name.trim().is_empty(),
        "name",
        "must not be empty",
    );
    check(
        &mut errors,
        name.chars().count() <= MAX_NAME,
        "name",
        "must have at most 80 characters",
    );
    check(
        &mut errors,
        !name.contains(char::is_control),
        "name",
        "must have no control characters",
    );
    let short = description.chars().count() <= MAX_DESCRIPTION;
    check(
        &mut errors,
        short,
        "description",
        "must have at most 500 characters",
    );
    check(
        &mut errors,
        !description.contains(|c: char| c.is_control() && c != '\n'),
        "description",
        "must have no control characters but line breaks",
    );
    let sane = (1..=MAX_PRICE_CENTS).contains(price_cents);
    check(&mut errors, sane, "price_cents", "must be from 1 to 100000");
    ApiError::unless_valid(errors)
}
