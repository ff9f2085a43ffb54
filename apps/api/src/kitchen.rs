//! The orders of everybody, as the kitchen sees them.

use axum::Json;
use axum::extract::State;
use contract::{Move, Order, OrderStatus, OrdersQuery, Page, PageQuery};

use crate::error::ApiError;
use crate::orders::to_contract;
use crate::pages::Window;
use crate::state::{Api, Caller};
use crate::valid::{Id, Valid, ValidQuery};

/// Lists orders.
#[utoipa::path(
    get,
    path = "/v1/kitchen/orders",
    params(OrdersQuery),
    responses((status = 200, description = "a page of orders, newest first", body = Page<Order>)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    ValidQuery(OrdersQuery {
        status,
        cursor,
        limit,
    }): ValidQuery<OrdersQuery>,
) -> Result<Json<Page<Order>>, ApiError> {
    let window = Window::new(&PageQuery { cursor, limit });
    let orders = api
        .store
        .orders(status.map(to_store), window.rows())
        .await?;
    Ok(Json(window.page(orders, to_contract, |order| order.id)))
}

/// Moves an order on.
#[utoipa::path(
    patch,
    path = "/v1/kitchen/orders/{id}",
    params(("id" = i64, Path, description = "the order's number", minimum = 1)),
    request_body = Move,
    responses(
        (status = 200, description = "the order as it is now", body = Order),
        (status = 404, description = "there is no such order"),
        (status = 409, description = "it cannot become that, or was changed since the version sent"),
    ),
)]
pub(crate) async fn move_on(
    State(api): State<Api>,
    Id(id): Id,
    caller: Caller,
    Valid(Move {
        status: to,
        version,
    }): Valid<Move>,
) -> Result<Json<Order>, ApiError> {
    let order = api.store.order(id).await?;
    let order = order.ok_or_else(|| ApiError::not_found("there is no such order"))?;
    let from = to_contract(order).status;
    if !from.next().contains(&to) {
        return Err(ApiError::conflict(format!(
            "an order that is `{from}` cannot become `{to}`"
        )));
    }
    let (by, from, to) = (caller.by(), to_store(from), to_store(to));
    let order = api.store.move_order(&by, id, version, from, to).await?;
    Ok(Json(to_contract(order)))
}

fn to_store(status: OrderStatus) -> store::OrderStatus {
    match status {
        OrderStatus::Placed => store::OrderStatus::Placed,
        OrderStatus::Cooking => store::OrderStatus::Cooking,
        OrderStatus::Ready => store::OrderStatus::Ready,
        OrderStatus::Delivered => store::OrderStatus::Delivered,
        OrderStatus::Cancelled => store::OrderStatus::Cancelled,
    }
}
