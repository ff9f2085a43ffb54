//! The orders of whoever is signed in.

use askama::Template;
use axum::extract::{Form as Typed, Path, Query};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response, Result};
use bff::{Api, Page, Session};
use contract::{Cancel, Order, OrderStatus, PageQuery};
use serde::Deserialize;

/// What the address of a page says.
#[derive(Deserialize)]
pub(crate) struct Asked {
    done: Option<String>,
    cursor: Option<String>,
}

/// What is sent to call an order off.
#[derive(Deserialize)]
pub(crate) struct Seen {
    version: i32,
}

#[derive(Template)]
#[template(path = "orders.html")]
struct Orders {
    orders: Vec<Order>,
    next: Option<String>,
}

#[derive(Template)]
#[template(path = "order.html")]
struct One {
    order: Order,
    csrf: String,
    can_cancel: bool,
}

/// Lists them, the newest first.
pub(crate) async fn list(
    session: Session,
    api: Api,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let page = PageQuery {
        cursor: asked.cursor,
        limit: None,
    };
    let orders = api.orders(&page).await?;
    let body = Orders {
        orders: orders.items,
        next: orders.next_cursor,
    };
    Ok(session.page("Your orders", body).into_response())
}

/// Shows one.
pub(crate) async fn one(
    session: Session,
    api: Api,
    Path(id): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let notice = match asked.done.as_deref() {
        Some("ordered") => Some("Thank you! The kitchen has your order."),
        Some("cancelled") => Some("The order is cancelled."),
        _ => None,
    };
    let order = api.order(id).await?;
    Ok(page(session, order).notice(notice).into_response())
}

/// Calls one off.
pub(crate) async fn cancel(
    session: Session,
    api: Api,
    Path(id): Path<i64>,
    Typed(Seen { version }): Typed<Seen>,
) -> Result<Response> {
    match api.cancel_order(id, &Cancel { version }).await {
        Ok(_) => {
            let cancelled = format!("/orders/{id}?done=cancelled");
            Ok(Redirect::to(&cancelled).into_response())
        }
        Err(error) if error.status() == Some(StatusCode::CONFLICT) => {
            let alert = "The order has changed since you looked at it. This is how it is now.";
            let page = page(session, api.order(id).await?);
            let page = page.alert(Some(alert.to_owned()));
            Ok(page.status(StatusCode::CONFLICT).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

fn page(session: Session, order: Order) -> Page<One> {
    let title = format!("Order {}", order.id);
    let body = One {
        csrf: session.csrf().to_owned(),
        can_cancel: order.status == OrderStatus::Placed,
        order,
    };
    session.page(title, body)
}
