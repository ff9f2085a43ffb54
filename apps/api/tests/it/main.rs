//! The API by HTTP through the finished app, on each engine.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod binary;
mod menu;
mod orders;
mod unavailable;

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, header};
use axum::response::Response;
use guard::{App, Carrier, Role, SignedTokens};
use serde_json::Value;
use serve::Health;
use settings::AppEnv;
use store::{Marker, Store};
use testkit::Database;
use tower::ServiceExt;

const KEY: &str = "a-key-that-nothing-but-tests-knows";

/// The app on one test's database.
struct TestApp(App);

/// Who calls.
#[derive(Clone, Copy)]
enum Actor {
    Nobody,
    Customer(&'static str),
    Staff,
}

impl TestApp {
    async fn on(database: &Database) -> Self {
        Self::with(&open(database).await)
    }

    fn with(store: &Store) -> Self {
        let health = Health::new("abc123", api::checks(store));
        Self(api::app(
            store,
            &KEY.to_owned().into(),
            &health,
            AppEnv::Production,
        ))
    }

    async fn get(&self, actor: Actor, path: &str) -> (u16, Value) {
        self.send(Method::GET, actor, path, Body::empty()).await
    }

    async fn post(&self, actor: Actor, path: &str, body: Value) -> (u16, Value) {
        self.send(Method::POST, actor, path, body.to_string().into())
            .await
    }

    async fn send(&self, method: Method, actor: Actor, path: &str, body: Body) -> (u16, Value) {
        let response = self.respond(method, actor, path, body).await;
        let status = response.status().as_u16();
        let bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&bytes).unwrap())
    }

    async fn respond(&self, method: Method, actor: Actor, path: &str, body: Body) -> Response {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = actor.token() {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request.body(body).unwrap();
        self.0.clone().oneshot(request).await.unwrap()
    }
}

async fn open(database: &Database) -> Store {
    Store::connect(database.url(), Marker::Dev).await.unwrap()
}

impl Actor {
    fn token(self) -> Option<String> {
        let (subject, role) = match self {
            Self::Nobody => return None,
            Self::Customer(name) => (name, Role::Customer),
            Self::Staff => ("chef", Role::Staff),
        };
        let tokens = SignedTokens::new(&KEY.to_owned().into(), Carrier::Bearer);
        Some(tokens.issue(subject, role, Duration::from_mins(1)).unwrap())
    }
}
