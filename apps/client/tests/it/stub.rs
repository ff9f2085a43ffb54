//! An `api` that answers as its test says and keeps what it was asked, and `client` before it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use flags::Flags;
use guard::{Deny, GuardedRouter, Guards, Identity, Role, SignedTokens, public};
use serde_json::{Value, json};
use settings::AppEnv;
use testkit::{Browser, Served};

use crate::kitchen::{COOKIE, KEY, health, settings_for};
use crate::sessions::sealed;

/// The CSRF token of everyone signed in here.
pub(crate) const CSRF: &str = "a-token-of-a-test";

/// One request that `api` got.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Method and path: `GET /v1/menu`.
    pub(crate) what: String,
    pub(crate) idempotency_key: String,
    pub(crate) bearer: String,
}

/// Gives the answer; the number counts the requests for the same, from 1.
type Script = fn(&Asked, usize) -> Option<Response>;

#[derive(Clone)]
struct Answering {
    script: Script,
    asked: Arc<Mutex<Vec<Asked>>>,
}

pub(crate) struct Stub {
    pub(crate) client: Served,
    asked: Arc<Mutex<Vec<Asked>>>,
    _api: Served,
}

impl Stub {
    /// What the script has no answer for succeeds.
    pub(crate) async fn open(script: Script) -> Self {
        let asked = Arc::default();
        let answering = Answering {
            script,
            asked: Arc::clone(&asked),
        };
        let guards = Guards::new(Deny::Problem, AppEnv::Local);
        let routes = GuardedRouter::new()
            .get("/v1/menu", public("a test"), answer)
            .post("/v1/orders", public("a test"), answer)
            .post("/v1/accounts", public("a test"), answer)
            .get("/v1/accounts/me", public("a test"), answer)
            .post("/v1/sessions", public("a test"), answer)
            .post("/v1/sessions/refresh", public("a test"), answer)
            .delete("/v1/sessions/current", public("a test"), answer);
        let api = Served::start(routes.with_state(&answering).finish(guards)).await;
        let flags = Flags::load(AppEnv::Local).unwrap();
        let client = client::app(&settings_for(&api.url()), &flags, None, &health());
        Self {
            client: Served::start(client).await,
            asked,
            _api: api,
        }
    }

    /// A browser with an open session, whose access token is good for so long.
    pub(crate) fn customer(&self, ttl: Duration) -> Browser {
        let browser = Browser::new(self.client.url());
        browser.0.set_cookie(COOKIE, &session(ttl));
        browser
    }

    /// What `api` was asked so far, in its order.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// Method and path of each, with the bearer's token.
    pub(crate) fn paths(&self) -> Vec<(String, String)> {
        let asked = self.asked().into_iter();
        asked.map(|asked| (asked.what, asked.bearer)).collect()
    }
}

/// The cookie's value of an open session.
pub(crate) fn session(ttl: Duration) -> String {
    let content = json!({
        "csrf": CSRF,
        "account": {
            "name": "Casey",
            "access_token": access_token(ttl),
            "refresh_token": "the first refresh token",
        },
    });
    sealed(COOKIE, &content)
}

fn access_token(ttl: Duration) -> String {
    let identity = Identity {
        subject: "somebody".to_owned(),
        role: Role::Customer,
        session: None,
    };
    let keys = SignedTokens::new(&[KEY.into()]);
    keys.issue(&identity, ttl).unwrap()
}

async fn answer(
    State(answering): State<Answering>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let told = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let asked = Asked {
        what: format!("{method} {}", uri.path()),
        idempotency_key: told("idempotency-key"),
        bearer: told("authorization").replace("Bearer ", ""),
    };
    let nth = {
        let mut all = answering.asked.lock().unwrap();
        all.push(asked.clone());
        all.iter().filter(|one| one.what == asked.what).count()
    };
    (answering.script)(&asked, nth).unwrap_or_else(|| success(&asked))
}

fn success(asked: &Asked) -> Response {
    let account = json!({"id": "a1", "email": "a@b.test", "name": "Ada", "role": "customer"});
    let (status, body) = match asked.what.as_str() {
        "GET /v1/menu" => (
            200,
            json!({"items": [meal(1), meal(2)], "next_cursor": null}),
        ),
        "POST /v1/orders" => (201, order()),
        "POST /v1/accounts" => (201, account),
        "GET /v1/accounts/me" => (200, account),
        "POST /v1/sessions" => (201, tokens()),
        "POST /v1/sessions/refresh" => (200, tokens()),
        "DELETE /v1/sessions/current" => return StatusCode::NO_CONTENT.into_response(),
        other => panic!("a request nobody expects: {other}"),
    };
    (StatusCode::from_u16(status).unwrap(), Json(body)).into_response()
}

fn tokens() -> Value {
    json!({
        "access_token": "the next access token",
        "token_type": "Bearer",
        "expires_in": 900,
        "refresh_token": "the next refresh token",
    })
}

fn meal(id: i64) -> Value {
    json!({
        "id": id,
        "name": format!("Meal {id}"),
        "description": "",
        "price_cents": 900,
        "available": true,
        "version": 1,
    })
}

fn order() -> Value {
    json!({
        "id": 7,
        "customer": "somebody",
        "customer_name": "Casey",
        "meal_id": 1,
        "meal": "Meal 1",
        "quantity": 2,
        "total_cents": 1800,
        "status": "placed",
        "version": 1,
        "placed_at": "2026-11-21T08:01:00.000Z",
        "wanted_at": null,
        "paid_at": null,
    })
}
