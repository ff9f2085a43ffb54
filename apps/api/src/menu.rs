//! The menu.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use contract::{Meal, MealChange, NewMeal, Page, PageQuery};
use store::StoreError;

use crate::error::ApiError;
use crate::pages::Window;
use crate::state::{Api, Caller};
use crate::valid::{Id, Valid, ValidQuery};

/// Lists the meals that can be ordered.
#[utoipa::path(
    get,
    path = "/v1/menu",
    params(PageQuery),
    responses((status = 200, description = "a page of meals", body = Page<Meal>)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    ValidQuery(query): ValidQuery<PageQuery>,
) -> Result<Json<Page<Meal>>, ApiError> {
    let window = Window::new(&query);
    let meals = api.store.menu(window.rows()).await?;
    Ok(Json(window.page(meals, to_contract, |meal| meal.id)))
}

/// Lists all meals, those included that cannot be ordered now.
#[utoipa::path(
    get,
    path = "/v1/menu/all",
    params(PageQuery),
    responses((status = 200, description = "a page of meals", body = Page<Meal>)),
)]
pub(crate) async fn list_all(
    State(api): State<Api>,
    ValidQuery(query): ValidQuery<PageQuery>,
) -> Result<Json<Page<Meal>>, ApiError> {
    let window = Window::new(&query);
    let meals = api.store.meals(window.rows()).await?;
    Ok(Json(window.page(meals, to_contract, |meal| meal.id)))
}

/// Adds a meal.
#[utoipa::path(
    post,
    path = "/v1/menu",
    request_body = NewMeal,
    responses(
        (status = 201, description = "the meal", body = Meal),
        (status = 409, description = "there is a meal with this name"),
    ),
)]
pub(crate) async fn add(
    State(api): State<Api>,
    caller: Caller,
    Valid(meal): Valid<NewMeal>,
) -> Result<(StatusCode, Json<Meal>), ApiError> {
    let meal = store::NewMeal {
        name: &meal.name,
        description: &meal.description,
        price_cents: meal.price_cents,
    };
    let added = api.store.add_meal(&caller.by(), &meal).await;
    let meal = added.map_err(|error| match error {
        StoreError::Conflict(_) => ApiError::conflict("there is a meal with this name already"),
        other => other.into(),
    })?;
    Ok((StatusCode::CREATED, Json(to_contract(meal))))
}

/// Changes a meal.
#[utoipa::path(
    patch,
    path = "/v1/menu/{id}",
    params(("id" = i64, Path, description = "the meal's number", minimum = 1)),
    request_body = MealChange,
    responses(
        (status = 200, description = "the meal as it is now", body = Meal),
        (status = 404, description = "there is no such meal"),
        (status = 409, description = "it was changed since the version that was sent"),
    ),
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Id(id): Id,
    caller: Caller,
    Valid(change): Valid<MealChange>,
) -> Result<Json<Meal>, ApiError> {
    let change = store::MealChange {
        description: &change.description,
        price_cents: change.price_cents,
        available: change.available,
        version: change.version,
    };
    let meal = api.store.change_meal(&caller.by(), id, &change).await?;
    Ok(Json(to_contract(meal)))
}

fn to_contract(meal: store::Meal) -> Meal {
    Meal {
        id: meal.id,
        name: meal.name,
        description: meal.description,
        price_cents: meal.price_cents,
        available: meal.available,
        version: meal.version,
    }
}
