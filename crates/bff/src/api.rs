//! What `api` can be asked, with the types of `contract`.

use std::net::IpAddr;

use axum::extract::{FromRef, FromRequestParts};
use axum::http::Method;
use axum::http::request::Parts;
use contract::{
    Account, AuditEvent, Cancel, Meal, MealChange, Move, NewAccount, NewMeal, NewOrder, NewSession,
    Order, OrderStatus, Page, PageQuery, Refresh, Tokens,
};
use guard::{ClientAddr, Problem};
use hyper::body::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use crate::client::{Call, json, parse};
use crate::session::Content;
use crate::{ApiClient, ApiError, Bff};

/// `api`, asked on someone's behalf. As a handler's argument: on behalf of whoever sent the
/// request, with their address, and with their access token where the route is not public.
#[derive(Clone)]
pub struct Api {
    client: ApiClient,
    address: Option<IpAddr>,
    token: Option<String>,
    deadline: Option<Instant>,
}

/// When the calls for one request are given up, all of them: had each its own time, a few slow ones
/// would outlast the request, and with it the answer that brings renewed tokens to the browser.
#[derive(Clone, Copy)]
struct Deadline(Instant);

impl<S: Sync> FromRequestParts<S> for Api
where
    Bff: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let api = Bff::from_ref(state).api_for(parts);
        let content = parts.extensions.get::<Content>();
        let token = content.and_then(Content::access_token).map(str::to_owned);
        Ok(Self { token, ..api })
    }
}

impl Api {
    pub(crate) const fn new(client: ApiClient) -> Self {
        Self {
            client,
            address: None,
            token: None,
            deadline: None,
        }
    }

    /// The same, for this request: with its sender's address, and within its time.
    pub(crate) fn on_behalf_of(self, parts: &mut Parts) -> Self {
        let address = parts.extensions.get::<ClientAddr>();
        let address = address.map(|ClientAddr(ip)| *ip);
        let begin = || Deadline(self.client.deadline());
        let Deadline(deadline) = *parts.extensions.get_or_insert_with(begin);
        Self {
            address,
            deadline: Some(deadline),
            ..self
        }
    }

    /// The same, with this access token.
    #[must_use]
    pub fn with_token(self, token: &str) -> Self {
        let token = Some(token.to_owned());
        Self { token, ..self }
    }

    /// Opens an account. 409: the address has one.
    pub async fn sign_up(&self, account: &NewAccount) -> Result<Account, ApiError> {
        self.send(Method::POST, "/v1/accounts", account).await
    }

    /// The caller's own account.
    pub async fn account(&self) -> Result<Account, ApiError> {
        self.get("/v1/accounts/me").await
    }

    /// Begins a session. 401: wrong address or password.
    pub async fn sign_in(&self, proof: &NewSession) -> Result<Tokens, ApiError> {
        self.send(Method::POST, "/v1/sessions", proof).await
    }

    /// Goes on with a session. 401: it has ended, or the token was used before.
    pub async fn refresh(&self, refresh: &Refresh) -> Result<Tokens, ApiError> {
        self.send(Method::POST, "/v1/sessions/refresh", refresh)
            .await
    }

    /// Ends the caller's session.
    pub async fn sign_out(&self) -> Result<(), ApiError> {
        let call = self.to(Method::DELETE, "/v1/sessions/current");
        self.client.call(call).await?;
        Ok(())
    }

    /// The meals that can be ordered.
    pub async fn menu(&self, page: &PageQuery) -> Result<Page<Meal>, ApiError> {
        self.get(&list("/v1/menu", None, page)).await
    }

    /// All meals. For staff.
    pub async fn meals(&self, page: &PageQuery) -> Result<Page<Meal>, ApiError> {
        self.get(&list("/v1/menu/all", None, page)).await
    }

    /// Adds a meal. For staff. 409: the name is taken.
    pub async fn add_meal(&self, meal: &NewMeal) -> Result<Meal, ApiError> {
        self.send(Method::POST, "/v1/menu", meal).await
    }

    /// Changes a meal. For staff. 409: somebody else has, meanwhile.
    pub async fn change_meal(&self, id: i64, change: &MealChange) -> Result<Meal, ApiError> {
        self.send(Method::PATCH, &format!("/v1/menu/{id}"), change)
            .await
    }

    /// The caller's orders, the newest first.
    pub async fn orders(&self, page: &PageQuery) -> Result<Page<Order>, ApiError> {
        self.get(&list("/v1/orders", None, page)).await
    }

    /// One of the caller's orders.
    pub async fn order(&self, id: i64) -> Result<Order, ApiError> {
        self.get(&format!("/v1/orders/{id}")).await
    }

    /// Places an order, once for each key: asked again, it gives the order that was placed then. 404:
    /// no such meal, or no longer. 409: the key has placed another order.
    pub async fn place_order(&self, key: &str, order: &NewOrder) -> Result<Order, ApiError> {
        let call = Call {
            body: json(order)?,
            idempotency_key: Some(key),
            ..self.to(Method::POST, "/v1/orders")
        };
        parse(&self.client.call(call).await?)
    }

    /// Calls an order off. 409: it has changed meanwhile, or it is too late.
    pub async fn cancel_order(&self, id: i64, cancel: &Cancel) -> Result<Order, ApiError> {
        self.send(Method::POST, &format!("/v1/orders/{id}/cancel"), cancel)
            .await
    }

    /// Everyone's orders, the newest first. For staff.
    pub async fn kitchen_orders(
        &self,
        status: Option<OrderStatus>,
        page: &PageQuery,
    ) -> Result<Page<Order>, ApiError> {
        self.get(&list("/v1/kitchen/orders", status, page)).await
    }

    /// Moves an order on. For staff. 409: it has changed meanwhile, or there is no such way.
    pub async fn move_order(&self, id: i64, to: &Move) -> Result<Order, ApiError> {
        self.send(Method::PATCH, &format!("/v1/kitchen/orders/{id}"), to)
            .await
    }

    /// Who did what, the newest first. For staff.
    pub async fn audit(&self, page: &PageQuery) -> Result<Page<AuditEvent>, ApiError> {
        self.get(&list("/v1/audit", None, page)).await
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ApiError> {
        parse(&self.client.call(self.to(Method::GET, path)).await?)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ApiError> {
        let call = Call {
            body: json(body)?,
            ..self.to(method, path)
        };
        parse(&self.client.call(call).await?)
    }

    fn to<'a>(&'a self, method: Method, path: &'a str) -> Call<'a> {
        Call {
            method,
            path,
            body: Bytes::new(),
            token: self.token.as_deref(),
            address: self.address,
            idempotency_key: None,
            deadline: self.deadline,
        }
    }
}

/// The path of a list. Encoded, for the cursor comes from the browser's address bar.
fn list(path: &str, status: Option<OrderStatus>, page: &PageQuery) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if let Some(status) = status {
        query.append_pair("status", status.as_str());
    }
    if let Some(cursor) = &page.cursor {
        query.append_pair("cursor", cursor);
    }
    if let Some(limit) = page.limit {
        query.append_pair("limit", &limit.to_string());
    }
    format!("{path}?{}", query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_cannot_change_the_question() {
        let page = PageQuery {
            cursor: Some("1&status=ready#/../x".to_owned()),
            limit: Some(5),
        };
        assert_eq!(
            list("/v1/kitchen/orders", Some(OrderStatus::Placed), &page),
            "/v1/kitchen/orders?status=placed&cursor=1%26status%3Dready%23%2F..%2Fx&limit=5"
        );
    }
}
