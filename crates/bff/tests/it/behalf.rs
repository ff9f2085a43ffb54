//! What `api` is told about whoever asks.

use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{HeaderMap, Method, StatusCode};
use bff::{Api, ApiClient, Bff, Profile};
use contract::{Account, NewOrder, Role};
use guard::{Deny, GuardedRouter, Guards, Problem, SessionCookie, public};
use serde_json::{Value, json};
use settings::AppEnv;
use testkit::{Http, Served};

static PROFILE: Profile = Profile {
    title: "Test",
    links: &[],
    admits: None,
    sign_up: None,
};

/// An `api` that gives back what it was told.
async fn echo(headers: HeaderMap) -> Json<Account> {
    let told = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or("nothing").to_owned()
    };
    Json(Account {
        id: told("x-request-id"),
        email: told("x-forwarded-for"),
        name: told("authorization"),
        role: Role::Customer,
    })
}

async fn echoing() -> Served {
    let guards = Guards::new(Deny::Problem, AppEnv::Local);
    let routes = GuardedRouter::<()>::new().get("/v1/accounts/me", public("a test"), echo);
    Served::start(routes.finish(guards)).await
}

#[tokio::test]
async fn address_and_request_id_go_along_and_no_header_of_the_browsers() {
    let api = echoing().await;
    let cookie = SessionCookie::new("session", &["x".repeat(32).into()], AppEnv::Local);
    let bff = Bff::new(&PROFILE, ApiClient::new(&api.url()), cookie);
    let whoami = async |api: Api| Json(api.account().await.unwrap());
    let routes = GuardedRouter::<Bff>::new().get("/", public("a test"), whoami);
    let guards = Guards::new(Deny::Page, AppEnv::Local);
    let front = Served::start(routes.with_state(&bff).finish(guards)).await;
    let headers = [
        ("x-forwarded-for", "203.0.113.9, 192.0.2.7"),
        ("x-request-id", "one-of-mine"),
        ("authorization", "Bearer of the browser's own"),
    ];
    let http = Http::new(front.url());
    let answer = http.send(Method::GET, "/", &headers, "").await;
    let told: Value = answer.json();
    assert_eq!(told["id"], "one-of-mine");
    assert_eq!(told["email"], "192.0.2.7");
    assert_eq!(told["name"], "nothing");
}

#[tokio::test]
async fn a_token_goes_along_where_there_is_one() {
    let api = echoing().await;
    let client = ApiClient::new(&format!("{}/", api.url()));
    let told = client.anonymous().account().await.unwrap();
    assert_eq!(
        (told.email.as_str(), told.name.as_str()),
        ("nothing", "nothing")
    );
    let told = client
        .anonymous()
        .with_token("t0ken")
        .account()
        .await
        .unwrap();
    assert_eq!(told.name, "Bearer t0ken");
}

#[tokio::test]
async fn all_calls_for_one_request_share_its_time() {
    let slow = async |headers: HeaderMap| {
        tokio::time::sleep(Duration::from_millis(300)).await;
        echo(headers).await
    };
    let guards = Guards::new(Deny::Problem, AppEnv::Local);
    let routes = GuardedRouter::<()>::new().get("/v1/accounts/me", public("a test"), slow);
    let api = Served::start(routes.finish(guards)).await;
    let client = ApiClient::new(&api.url()).timeout(Duration::from_millis(500));
    let cookie = SessionCookie::new("session", &["x".repeat(32).into()], AppEnv::Local);
    let bff = Bff::new(&PROFILE, client, cookie);
    // Two handlers' arguments are one request's all the same.
    let twice = async |first: Api, second: Api| {
        let answers = [first.account().await, second.account().await];
        Json(answers.map(|answer| answer.is_ok()))
    };
    let routes = GuardedRouter::<Bff>::new().get("/", public("a test"), twice);
    let guards = Guards::new(Deny::Page, AppEnv::Local);
    let front = Served::start(routes.with_state(&bff).finish(guards)).await;
    let http = Http::new(front.url());
    for _ in 0..2 {
        let began = Instant::now();
        assert_eq!(http.get("/").await.json(), json!([true, false]));
        assert!(began.elapsed() < Duration::from_millis(590));
    }
}

#[tokio::test]
async fn an_order_goes_with_its_key() {
    let place = async |headers: HeaderMap| {
        let key = headers.get("idempotency-key");
        let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
        Problem::new(StatusCode::CONFLICT).detail(key.to_owned())
    };
    let guards = Guards::new(Deny::Problem, AppEnv::Local);
    let routes = GuardedRouter::<()>::new().post("/v1/orders", public("a test"), place);
    let api = Served::start(routes.finish(guards)).await;
    let order = NewOrder {
        meal_id: 1,
        quantity: 2,
        wanted_at: None,
    };
    let api = ApiClient::new(&api.url()).anonymous();
    let told = api.place_order("a-key-of-a-form", &order).await;
    let problem = told.unwrap_err().into_errors().unwrap().into_problem();
    assert_eq!(problem.as_deref(), Some("a-key-of-a-form"));
}
