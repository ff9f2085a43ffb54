//! Sign-in, refresh and sign-out.

use axum::body::Body;
use axum::http::{Request, header};
use contract::Tokens;
use guard::{ClientAddr, Role};
use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::{Actor as _, Anonymous};
use crate::app::{TOKEN_KEY, TestApp, answer};
use crate::expect::Expect as _;

const EMAIL: &str = "ada@example.test";
const PASSWORD: &str = "correct horse";

async fn signed_up(app: &TestApp) -> (Anonymous, Tokens) {
    let anonymous = app.anonymous();
    anonymous.sign_up(EMAIL, PASSWORD).await.expect(201);
    let tokens = anonymous.sign_in(EMAIL, PASSWORD).await.parse(201);
    (anonymous, tokens)
}

on_each_engine!(a_password_begins_a_session);
async fn a_password_begins_a_session(database: &Database) {
    let app = TestApp::on(database).await;
    let (_, tokens) = signed_up(&app).await;
    assert_eq!(
        (tokens.token_type.as_str(), tokens.expires_in),
        ("Bearer", 900)
    );
    let me = app
        .bearer(&tokens.access_token)
        .get("/v1/accounts/me")
        .await
        .expect(200);
    assert_eq!(me["email"], EMAIL);
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_alike() {
    let app = TestApp::new().await;
    app.anonymous().sign_up(EMAIL, PASSWORD).await.expect(201);
    app.account("bob", Role::Customer).await;
    for (email, password) in [
        (EMAIL, "correct horse "),
        (EMAIL, ""),
        ("eve@example.test", PASSWORD),
        ("bob@example.test", PASSWORD),
    ] {
        app.anonymous()
            .sign_in(email, password)
            .await
            .refused(401, "the e-mail address or the password is wrong");
    }
}

on_each_engine!(a_refresh_token_works_once_and_ends_its_session_after);
async fn a_refresh_token_works_once_and_ends_its_session_after(database: &Database) {
    let app = TestApp::on(database).await;
    let (anonymous, first) = signed_up(&app).await;
    let second: Tokens = anonymous.refresh(&first).await.parse(200);
    let third: Tokens = anonymous.refresh(&second).await.parse(200);
    assert_ne!(second.refresh_token, third.refresh_token);
    app.bearer(&third.access_token)
        .get("/v1/accounts/me")
        .await
        .expect(200);

    let used = "this refresh token was used before, so its session is closed: sign in again";
    anonymous.refresh(&first).await.refused(401, used);
    // Whoever has the newest one has lost it as well: nobody knows which of the two is the thief.
    let ended = "the session has ended: sign in again";
    anonymous.refresh(&third).await.refused(401, ended);
}

#[tokio::test]
async fn a_session_that_was_signed_out_is_not_refreshed() {
    let app = TestApp::new().await;
    let (anonymous, tokens) = signed_up(&app).await;
    let other: Tokens = anonymous.sign_in(EMAIL, PASSWORD).await.parse(201);
    let ada = app.bearer(&tokens.access_token);
    for _ in 0..2 {
        let answer = ada.delete("/v1/sessions/current").await;
        assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    }
    anonymous
        .refresh(&tokens)
        .await
        .refused(401, "the session has ended: sign in again");
    anonymous.refresh(&other).await.expect(200);
}

#[tokio::test]
async fn a_refresh_token_that_nobody_issued_is_refused() {
    let app = TestApp::new().await;
    let refresh = json!({"refresh_token": "made-up"});
    app.anonymous()
        .post("/v1/sessions/refresh", refresh)
        .await
        .refused(401, "the session has ended: sign in again");
}

#[tokio::test]
async fn what_opens_a_session_is_not_kept_as_it_is() {
    let database = testkit::sqlite().await;
    let app = TestApp::on(&database).await;
    let (_, tokens) = signed_up(&app).await;
    app.store.close().await;
    let file = std::fs::read(database.url().trim_start_matches("sqlite://")).unwrap();
    let kept = |text: &str| {
        file.windows(text.len())
            .any(|bytes| bytes == text.as_bytes())
    };
    assert!(kept(EMAIL));
    for secret in [PASSWORD, &tokens.refresh_token, &tokens.access_token] {
        assert!(!kept(secret), "{secret}");
    }
}

#[tokio::test]
async fn the_key_changes_without_a_gap() {
    let app = TestApp::new().await;
    let (_, tokens) = signed_up(&app).await;
    let next_key = "the-next-key-that-nothing-but-tests-knows";
    let status = async |keys: &[&str]| {
        let renewed = app.with_token_keys(keys);
        renewed
            .bearer(&tokens.access_token)
            .get("/v1/accounts/me")
            .await
            .status
            .as_u16()
    };
    assert_eq!(status(&[TOKEN_KEY, next_key]).await, 200);
    assert_eq!(status(&[next_key, TOKEN_KEY]).await, 200);
    assert_eq!(status(&[next_key]).await, 401);
}

#[tokio::test]
async fn guessing_is_slow() {
    let app = TestApp::new().await;
    let mut statuses = Vec::new();
    for _ in 0..12 {
        let answer = app.anonymous().sign_in("eve@example.test", "a guess").await;
        statuses.push(answer.status.as_u16());
    }
    assert_eq!(
        statuses,
        [401, 401, 401, 401, 401, 401, 401, 401, 401, 401, 429, 429]
    );
}

#[tokio::test]
async fn guessing_at_one_account_is_slow_from_everywhere() {
    let app = TestApp::new().await;
    let guess = async |n: u8, email: &str| {
        let body = json!({"email": email, "password": "a guess"}).to_string();
        let request = Request::post("/v1/sessions")
            .header(header::CONTENT_TYPE, "application/json")
            .extension(ClientAddr([192, 0, 2, n].into()))
            .body(Body::from(body));
        let app = &app.anonymous().0.app;
        answer(app, request.unwrap()).await.status.as_u16()
    };
    let mut statuses = Vec::new();
    for n in 0..12 {
        statuses.push(
            guess(
                n,
                if n % 2 == 0 {
                    "eve@example.test"
                } else {
                    "EVE@Example.test"
                },
            )
            .await,
        );
    }
    assert_eq!(statuses, [&[401; 10][..], &[429, 429]].concat());
    assert_eq!(guess(12, "ada@example.test").await, 401);
}

on_each_engine!(staff_are_out_at_once);
async fn staff_are_out_at_once(database: &Database) {
    let app = TestApp::on(database).await;
    let chef = app.staff().await;
    chef.get("/v1/audit").await.expect(200);
    assert_eq!(chef.delete("/v1/sessions/current").await.status, 204);
    // The token has not expired, and opens nothing any more.
    chef.get("/v1/audit").await.refused(401, "sign in first");
    chef.get("/v1/orders").await.refused(401, "sign in first");
    let mut identity = app.account("sous", Role::Staff).await;
    identity.session = None;
    let (client, _) = app.signed_in(&identity);
    client.get("/v1/audit").await.refused(401, "sign in first");
}
