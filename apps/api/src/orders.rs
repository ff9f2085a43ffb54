//! The orders of whoever is signed in.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use contract::{Cancel, NewOrder, Order, OrderStatus, Page, PageQuery};
use flags::Flag;
use jiff::{SignedDuration, Timestamp};
use store::StoreError;

use crate::error::ApiError;
use crate::idempotency::IdempotencyKey;
use crate::pages::Window;
use crate::state::{Api, Caller};
use crate::valid::{Id, Valid, ValidQuery};

const LONGEST_AHEAD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Lists the caller's own orders: there is no way to name another customer.
#[utoipa::path(
    get,
    path = "/v1/orders",
    params(PageQuery),
    responses((status = 200, description = "a page of orders, newest first", body = Page<Order>)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    caller: Caller,
    ValidQuery(query): ValidQuery<PageQuery>,
) -> Result<Json<Page<Order>>, ApiError> {
    let window = Window::new(&query);
    let orders = api.store.orders_of(caller.id(), window.rows()).await?;
    Ok(Json(window.page(orders, to_contract, |order| order.id)))
}

/// Places an order.
///
/// A preorder names a time, within 14 days; where preorders are not open yet, any time is refused.
///
/// With an `idempotency-key`, asking again gives the order that was placed then.
#[utoipa::path(
    post,
    path = "/v1/orders",
    params(IdempotencyKey),
    request_body = NewOrder,
    responses(
        (status = 201, description = "the order", body = Order),
        (status = 404, description = "there is no such meal, or it cannot be ordered now"),
        (status = 409, description = "the key was used for another order"),
    ),
)]
pub(crate) async fn place(
    State(api): State<Api>,
    caller: Caller,
    IdempotencyKey { key }: IdempotencyKey,
    Valid(order): Valid<NewOrder>,
) -> Result<(StatusCode, Json<Order>), ApiError> {
    let wanted_at = match order.wanted_at {
        Some(_) if !api.flags.is_on(Flag::Preorders) => {
            return Err(ApiError::invalid("wanted_at", "preorders are not open yet"));
        }
        Some(text) => Some(preordered(&text, Timestamp::now())?),
        None => None,
    };
    let order = store::NewOrder {
        meal_id: order.meal_id,
        quantity: order.quantity,
        wanted_at,
        key: key.as_deref(),
    };
    let placed = api.store.place_order(&caller.by(), &order).await;
    let order = placed.map_err(|error| match error {
        StoreError::NotFound(_) => {
            ApiError::not_found("there is no such meal, or it cannot be ordered now")
        }
        StoreError::Conflict(_) => {
            ApiError::conflict("this `idempotency-key` was used for another order")
        }
        other => other.into(),
    })?;
    Ok((StatusCode::CREATED, Json(to_contract(order))))
}

/// Reads when a preorder is wanted.
fn preordered(text: &str, now: Timestamp) -> Result<Timestamp, ApiError> {
    let invalid = |message| ApiError::invalid("wanted_at", message);
    let wanted: Timestamp = text
        .parse()
        .map_err(|_| invalid("must be a time such as 2026-11-21T08:01:00Z"))?;
    let ahead = wanted.duration_since(now);
    if ahead <= SignedDuration::ZERO {
        return Err(invalid("must be in the future"));
    }
    if ahead > LONGEST_AHEAD {
        return Err(invalid("must be within 14 days"));
    }
    Ok(wanted)
}

/// Shows one of the caller's own orders.
#[utoipa::path(
    get,
    path = "/v1/orders/{id}",
    params(("id" = i64, Path, description = "the order's number", minimum = 1)),
    responses(
        (status = 200, description = "the order", body = Order),
        (status = 404, description = "the caller has no such order"),
    ),
)]
pub(crate) async fn get(
    State(api): State<Api>,
    Id(id): Id,
    caller: Caller,
) -> Result<Json<Order>, ApiError> {
    Ok(Json(to_contract(own(&api, id, &caller).await?)))
}

/// Cancels one of the caller's own orders, while it is only placed.
#[utoipa::path(
    post,
    path = "/v1/orders/{id}/cancel",
    params(("id" = i64, Path, description = "the order's number", minimum = 1)),
    request_body = Cancel,
    responses(
        (status = 200, description = "the order, cancelled", body = Order),
        (status = 404, description = "the caller has no such order"),
        (status = 409, description = "it is too late, or it was changed since the version sent"),
    ),
)]
pub(crate) async fn cancel(
    State(api): State<Api>,
    Id(id): Id,
    caller: Caller,
    Valid(Cancel { version }): Valid<Cancel>,
) -> Result<Json<Order>, ApiError> {
    use store::OrderStatus::{Cancelled, Placed};

    let status = own(&api, id, &caller).await?.status;
    if status != Placed {
        return Err(ApiError::conflict(format!(
            "the order is `{}`: only while it is `placed` can it be cancelled",
            status.as_str()
        )));
    }
    let by = caller.by();
    let order = api
        .store
        .move_order(&by, id, version, Placed, Cancelled)
        .await?;
    Ok(Json(to_contract(order)))
}

/// Another's order is as good as none: its number tells nothing.
async fn own(api: &Api, id: i64, caller: &Caller) -> Result<store::Order, ApiError> {
    let order = api.store.order(id).await?;
    order
        .filter(|order| order.customer == caller.id())
        .ok_or_else(|| ApiError::not_found("you have no such order"))
}

pub(crate) fn to_contract(order: store::Order) -> Order {
    Order {
        id: order.id,
        customer: order.customer,
        customer_name: order.customer_name,
        meal_id: order.meal_id,
        meal: order.meal,
        quantity: order.quantity,
        total_cents: order.total_cents,
        status: match order.status {
            store::OrderStatus::Placed => OrderStatus::Placed,
            store::OrderStatus::Cooking => OrderStatus::Cooking,
            store::OrderStatus::Ready => OrderStatus::Ready,
            store::OrderStatus::Delivered => OrderStatus::Delivered,
            store::OrderStatus::Cancelled => OrderStatus::Cancelled,
        },
        version: order.version,
        placed_at: order.placed_at,
        wanted_at: order.wanted_at,
        paid_at: order.paid_at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        let now = "2026-11-21T08:00:00Z".parse().unwrap();
        let wanted = preordered(text, now).ok().map(|wanted| wanted.to_string());
        assert_eq!(wanted.as_deref(), expected, "{text}");
    }

    #[test]
    fn a_preorder_is_for_the_next_14_days() {
        check("2026-11-21T08:00:00Z", None);
        check("2026-11-21T08:00:00.001Z", Some("2026-11-21T08:00:00.001Z"));
        check("2026-11-22T19:30:00+02:00", Some("2026-11-22T17:30:00Z"));
        check("2026-12-05T08:00:00Z", Some("2026-12-05T08:00:00Z"));
        check("2026-12-05T08:00:01Z", None);
        check("2020-01-01T00:00:00Z", None);
        check("9999-12-31T23:59:59Z", None);
    }

    #[test]
    fn a_time_without_an_offset_is_none() {
        for text in ["", "tomorrow", "2026-11-22", "2026-11-22T19:30:00"] {
            check(text, None);
        }
    }
}
