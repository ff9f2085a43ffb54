//! The session in the cookie: renewed in time, ended when it should be, and nobody else's.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, Method, header};
use flags::Flags;
use guard::{Identity, Role, SessionCookie, SignedTokens};
use serde_json::Value;
use settings::AppEnv;
use testkit::{Http, Served, hidden};

use crate::kitchen::{COOKIE, CUSTOMER, KEY, Kitchen, PASSWORD, health, settings_for};

fn cookie(name: &str) -> SessionCookie {
    SessionCookie::new(name, &[KEY.into()], AppEnv::Local)
}

/// What a cookie's value holds.
pub(crate) fn opened(value: &str) -> Value {
    let pair = HeaderValue::from_str(&format!("{COOKIE}={value}")).unwrap();
    let headers = HeaderMap::from_iter([(header::COOKIE, pair)]);
    cookie(COOKIE).open(&headers).unwrap()
}

/// The value of a cookie that holds this.
pub(crate) fn sealed(name: &str, content: &Value) -> String {
    let header = cookie(name).seal(content, Duration::from_mins(1)).unwrap();
    let (pair, _) = header.to_str().unwrap().split_once(';').unwrap();
    pair.split_once('=').unwrap().1.to_owned()
}

/// The same session, later: its access token has expired.
pub(crate) fn aged(value: &str) -> String {
    let identity = Identity {
        subject: "somebody".to_owned(),
        role: Role::Customer,
        session: None,
    };
    let expired = SignedTokens::new(&[KEY.into()]).issue(&identity, Duration::from_secs(5));
    let mut content = opened(value);
    content["account"]["access_token"] = expired.unwrap().into();
    sealed(COOKIE, &content)
}

#[tokio::test]
async fn an_expired_access_token_is_renewed_once_for_all_tabs() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let old = aged(&browser.0.cookie(COOKIE).unwrap());
    browser.0.set_cookie(COOKIE, &old);
    let tabs = tokio::join!(
        browser.get("/"),
        browser.get("/orders"),
        browser.get("/orders")
    );
    let tabs = [tabs.0, tabs.1, tabs.2];
    for tab in &tabs {
        assert_eq!(tab.status, 200, "{}", tab.text());
        assert!(tab.header("set-cookie").starts_with("client-session="));
    }
    let new = browser.0.cookie(COOKIE).unwrap();
    let (before, after) = (opened(&old), opened(&new));
    assert_eq!(before["csrf"], after["csrf"]);
    assert_ne!(
        before["account"]["refresh_token"],
        after["account"]["refresh_token"]
    );

    // A tab that never got the new cookie is still not taken for a thief …
    browser.0.set_cookie(COOKIE, &old);
    assert_eq!(browser.get("/orders").await.status, 200);
    // … and the session goes on.
    browser.0.set_cookie(COOKIE, &aged(&new));
    assert_eq!(browser.get("/orders").await.status, 200);
    let newest = opened(&browser.0.cookie(COOKIE).unwrap());
    assert_ne!(
        newest["account"]["refresh_token"],
        after["account"]["refresh_token"]
    );
}

#[tokio::test]
async fn a_form_is_taken_although_the_access_token_has_expired() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let page = browser.page("/").await;
    browser
        .0
        .set_cookie(COOKIE, &aged(&browser.0.cookie(COOKIE).unwrap()));
    let fields = [
        ("csrf", hidden(&page, "csrf")),
        ("once", hidden(&page, "once")),
        ("meal_id", hidden(&page, "meal_id")),
        ("quantity", "1"),
    ];
    let answer = browser.0.post_form("/orders", &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.header("location").starts_with("/orders/"));
    assert!(answer.header("set-cookie").starts_with("client-session="));
}

#[tokio::test]
async fn a_session_that_was_ended_elsewhere_ends_here() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let held = browser.0.cookie(COOKIE).unwrap();
    let bearer = opened(&held)["account"]["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let bearer = format!("Bearer {bearer}");
    let closed = Http::new(kitchen.api.url())
        .send(
            Method::DELETE,
            "/v1/sessions/current",
            &[("authorization", &bearer)],
            "",
        )
        .await;
    assert_eq!(closed.status, 204);
    browser.0.set_cookie(COOKIE, &aged(&held));
    let answer = browser.get("/orders").await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/sign-in")
    );
    assert!(answer.header("set-cookie").contains("Max-Age=0"));
    assert_eq!(browser.0.cookie(COOKIE), None);
    browser.page("/sign-in").await;
}

#[tokio::test]
async fn signing_in_changes_the_csrf_token_and_out_ends_the_session() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.browser();
    let page = browser.page("/sign-in").await;
    let planted = browser.0.cookie(COOKIE).unwrap();
    let fields = [
        ("csrf", hidden(&page, "csrf")),
        ("email", CUSTOMER),
        ("password", PASSWORD),
    ];
    assert_eq!(browser.0.post_form("/sign-in", &fields).await.status, 303);
    let held = browser.0.cookie(COOKIE).unwrap();
    assert_ne!(opened(&planted)["csrf"], opened(&held)["csrf"]);

    assert_eq!(
        browser.submit("/orders", "/sign-out", &[]).await.status,
        303
    );
    // A copy of the cookie is worth nothing once its access token has expired.
    browser.0.set_cookie(COOKIE, &aged(&held));
    let answer = browser.get("/orders").await;
    assert_eq!(answer.header("location"), "/sign-in");
}

#[tokio::test]
async fn a_cookie_of_another_surface_or_key_opens_nothing() {
    let kitchen = Kitchen::open().await;
    let browser = kitchen.customer().await;
    let held = browser.0.cookie(COOKIE).unwrap();
    let content = opened(&held);
    let other = SessionCookie::new(
        COOKIE,
        &["another-key-of-enough-characters".into()],
        AppEnv::Local,
    );
    let other = other.seal(&content, Duration::from_mins(1)).unwrap();
    let (other, _) = other.to_str().unwrap().split_once(';').unwrap();
    let forged = [
        sealed("admin-session", &content),
        other.split_once('=').unwrap().1.to_owned(),
        content["account"]["access_token"]
            .as_str()
            .unwrap()
            .to_owned(),
        "x".repeat(3000),
        String::new(),
    ];
    for value in forged {
        browser.0.set_cookie(COOKIE, &value);
        assert_eq!(browser.get("/orders").await.status, 303, "{value}");
        browser.0.set_cookie("admin-session", &held);
    }
    // That it is the forgery that is refused.
    browser.0.set_cookie(COOKIE, &held);
    browser.page("/orders").await;
}

#[tokio::test]
async fn the_cookie_is_the_browsers_alone() {
    let kitchen = Kitchen::open().await;
    let answer = kitchen.browser().get("/sign-in").await;
    let cookie = answer.header("set-cookie");
    for part in [
        "client-session=",
        "; HttpOnly",
        "; SameSite=Lax",
        "; Path=/",
    ] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains(hidden(&answer.text(), "csrf")), "{cookie}");
}

#[tokio::test]
async fn with_tls_the_cookie_is_for_this_host_and_for_tls_alone() {
    let kitchen = Kitchen::open().await;
    let mut settings = settings_for(&kitchen.api.url());
    settings.common.app_env = AppEnv::Production;
    let flags = Flags::load(AppEnv::Production).unwrap();
    let client = Served::start(client::app(&settings, &flags, None, &health())).await;
    let http = Http::with_cookies(client.url());
    let answer = http.get("/sign-in").await;
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-client-session="), "{cookie}");
    assert!(
        cookie.contains("; Secure") && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert!(!answer.header("strict-transport-security").is_empty());
    let page = answer.text();
    let form = format!(
        "email={CUSTOMER}&password={PASSWORD}&csrf={}",
        hidden(&page, "csrf")
    );
    for (scheme, status) in [("http", 403), ("https", 303)] {
        let headers = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("origin", &format!("{scheme}://{}", client.addr())),
        ];
        let answer = http
            .send(Method::POST, "/sign-in", &headers, form.clone())
            .await;
        assert_eq!(answer.status, status, "{scheme}");
    }
    assert_eq!(http.get("/").await.status, 200);
}

#[tokio::test]
async fn no_page_with_a_token_in_it_is_stored() {
    let kitchen = Kitchen::open().await;
    for path in ["/sign-in", "/sign-in?done=signed-out", "/sign-up"] {
        let answer = kitchen.browser().get(path).await;
        assert!(!answer.header("set-cookie").is_empty(), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
    let browser = kitchen.customer().await;
    for path in ["/", "/orders", "/sign-in", "/sign-up"] {
        let answer = browser.get(path).await;
        assert!(answer.text().contains("name=\"csrf\""), "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
    }
}
