//! The kitchen's board: what is to be cooked, and how far it is.

use askama::Template;
use axum::extract::{Form as Typed, Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use bff::{Api, ApiError, Page, Session};
use contract::{Move, Order, OrderStatus, PageQuery};
use serde::Deserialize;

/// What still needs someone's hands.
const OPEN: [OrderStatus; 3] = [
    OrderStatus::Placed,
    OrderStatus::Cooking,
    OrderStatus::Ready,
];
/// What the board can be narrowed to.
const FILTERS: [OrderStatus; 5] = [
    OrderStatus::Placed,
    OrderStatus::Cooking,
    OrderStatus::Ready,
    OrderStatus::Delivered,
    OrderStatus::Cancelled,
];

/// What the address of the board says.
#[derive(Deserialize)]
pub(crate) struct Asked {
    done: Option<String>,
    status: Option<OrderStatus>,
    cursor: Option<String>,
}

/// What is sent to move an order on.
#[derive(Deserialize)]
pub(crate) struct Step {
    status: OrderStatus,
    version: i32,
    /// The filter of the board it was sent from.
    from: Option<OrderStatus>,
}

#[derive(Template)]
#[template(path = "board.html")]
struct Board {
    csrf: String,
    filter: Option<OrderStatus>,
    lanes: Vec<Lane>,
}

/// The orders of one status, the oldest first: that is the one to begin with.
struct Lane {
    status: OrderStatus,
    orders: Vec<Order>,
    older: Option<String>,
}

/// Shows the board.
pub(crate) async fn show(
    session: Session,
    api: Api,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let notice = match asked.done.as_deref() {
        Some("moved") => Some("The order has moved on."),
        _ => None,
    };
    let page = page(session, &api, asked.status, asked.cursor).await?;
    Ok(page.notice(notice).into_response())
}

/// Moves an order on.
pub(crate) async fn advance(
    session: Session,
    api: Api,
    Path(id): Path<i64>,
    Typed(step): Typed<Step>,
) -> Result<Response> {
    let to = Move {
        status: step.status,
        version: step.version,
    };
    match api.move_order(id, &to).await {
        Ok(_) => {
            let board = match step.from {
                Some(filter) => format!("/?done=moved&status={filter}"),
                None => "/?done=moved".to_owned(),
            };
            Ok(Redirect::to(&board).into_response())
        }
        Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
            let alert = format!(
                "Order {id} has changed since you looked at it. This is how everything is now."
            );
            let page = page(session, &api, step.from, None).await?;
            let page = page.alert(Some(alert)).status(StatusCode::CONFLICT);
            Ok(page.into_response())
        }
        Err(error) => Err(error.into()),
    }
}

async fn page(
    session: Session,
    api: &Api,
    filter: Option<OrderStatus>,
    cursor: Option<String>,
) -> Result<Page<Board>, ApiError> {
    let lanes = if let Some(status) = filter {
        vec![lane(api, status, cursor).await?]
    } else {
        let [placed, cooking, ready] = OPEN.map(|status| lane(api, status, None));
        let (placed, cooking, ready) = tokio::try_join!(placed, cooking, ready)?;
        vec![placed, cooking, ready]
    };
    let csrf = session.csrf().to_owned();
    let board = Board {
        csrf,
        filter,
        lanes,
    };
    Ok(session.page("Kitchen", board))
}

async fn lane(api: &Api, status: OrderStatus, cursor: Option<String>) -> Result<Lane, ApiError> {
    let limit = Some(50);
    let page = PageQuery { cursor, limit };
    let mut page = api.kitchen_orders(Some(status), &page).await?;
    page.items.reverse();
    Ok(Lane {
        status,
        orders: page.items,
        older: page.next_cursor,
    })
}
