//! The orders of whoever is signed in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use guard::Identity;
use store::{NewOrder, Order, Store};

use crate::error::{ApiError, check};

/// The caller's own orders: there is no way to name another customer.
pub(crate) async fn mine(
    State(store): State<Store>,
    identity: Identity,
) -> Result<Json<Vec<Order>>, ApiError> {
    Ok(Json(store.orders_of(&identity.subject).await?))
}

/// Places an order for the caller.
pub(crate) async fn place(
    State(store): State<Store>,
    identity: Identity,
    Json(order): Json<NewOrder>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    let mut errors = Vec::new();
    check(
        &mut errors,
        order.meal_id > 0,
        "meal_id",
        "must be the id of a meal",
    );
    check(
        &mut errors,
        (1..=20).contains(&order.quantity),
        "quantity",
        "must be from 1 to 20",
    );
    ApiError::unless_valid(errors)?;
    Ok((
        StatusCode::CREATED,
        Json(store.place_order(&identity.subject, &order).await?),
    ))
}
