//! Forms of an app with cookies: sent from a page of ours, with the token of that page.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Form;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Request, StatusCode, header};
use axum::response::AppendHeaders;
use guard::{
    App, Authenticated, Authentication, Authenticator, Csrf, Deny, GuardedRouter, Guards, Role,
    public, signed_in,
};
use serde::Deserialize;
use settings::AppEnv;

use crate::{ada, get, send, status, text};

/// `cookie: token=…` is the whole session.
struct Cookies;

impl Authenticator for Cookies {
    fn authenticate<'a>(&'a self, parts: &'a mut Parts) -> Authentication<'a> {
        let identity = parts
            .headers
            .get(header::COOKIE)
            .map(|_| ada(Role::Customer));
        Box::pin(async {
            Ok(Authenticated {
                identity,
                set_cookie: Some(HeaderValue::from_static("token=fresh")),
            })
        })
    }

    fn csrf(&self, parts: &Parts) -> Csrf {
        let cookie = parts.headers.get(header::COOKIE);
        let token = cookie.and_then(|cookie| cookie.to_str().unwrap().strip_prefix("token="));
        Csrf::Required(token.map(str::to_owned))
    }
}

#[derive(Deserialize)]
struct Order {
    meal: String,
}

fn app() -> (App, Arc<AtomicUsize>) {
    let ran = Arc::new(AtomicUsize::new(0));
    let (orders, sign_ins) = (Arc::clone(&ran), Arc::clone(&ran));
    let app = GuardedRouter::new()
        .get("/", signed_in(), async || "home")
        .get(
            "/slow",
            signed_in().timeout(Duration::from_millis(20)),
            async || pending::<&str>().await,
        )
        .get("/panic", signed_in(), async || -> &'static str {
            panic!("planted")
        })
        .get("/own", signed_in(), async || {
            (AppendHeaders([(header::SET_COOKIE, "token=own")]), "home")
        })
        .post(
            "/orders",
            signed_in(),
            async move |Form(order): Form<Order>| {
                orders.fetch_add(1, Ordering::Relaxed);
                order.meal
            },
        )
        .post(
            "/sign-in",
            public("a test").body_limit(64),
            async move || {
                sign_ins.fetch_add(1, Ordering::Relaxed);
            },
        )
        .finish(Guards::new(Deny::SignIn("/sign-in"), AppEnv::Production).authenticator(Cookies));
    (app, ran)
}

fn post(path: &str, headers: &[(&str, &str)], body: &'static str) -> Request<Body> {
    let mut request = Request::post(path)
        .header(header::HOST, "kitchen.example")
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.into()).unwrap()
}

const OURS: (&str, &str) = ("origin", "https://kitchen.example");
const SIGNED_IN: (&str, &str) = ("cookie", "token=t1");

#[tokio::test]
async fn a_form_of_ours_is_taken_and_its_handler_reads_all_of_it() {
    let (app, _) = app();
    let form = post("/orders", &[OURS, SIGNED_IN], "csrf=t1&meal=soup");
    let answered = send(&app, form).await;
    assert_eq!(answered.status(), StatusCode::OK);
    assert_eq!(text(answered).await, "soup");
    let referer = ("referer", "https://kitchen.example/orders");
    let form = post("/orders", &[referer, SIGNED_IN], "meal=soup&csrf=t1");
    assert_eq!(status(&app, form).await, StatusCode::OK);
}

#[tokio::test]
async fn any_other_changes_nothing_on_public_routes_too() {
    let (app, ran) = app();
    let foreign = ("origin", "https://evil.example");
    for path in ["/orders", "/sign-in"] {
        for (headers, body) in [
            (&[SIGNED_IN][..], "csrf=t1&meal=soup"),
            (&[foreign, SIGNED_IN], "csrf=t1&meal=soup"),
            (&[OURS, SIGNED_IN], "meal=soup"),
            (&[OURS, SIGNED_IN], "csrf=&meal=soup"),
            (&[OURS, SIGNED_IN], "csrf=t2&meal=soup"),
        ] {
            let answered = status(&app, post(path, headers, body)).await;
            assert_eq!(answered, StatusCode::FORBIDDEN, "{path} {headers:?} {body}");
        }
    }
    // Nobody was ever shown a form: there is no session.
    let form = post("/sign-in", &[OURS], "csrf=");
    assert_eq!(status(&app, form).await, StatusCode::FORBIDDEN);
    let form = post("/orders", &[OURS], "csrf=&meal=soup");
    assert_eq!(status(&app, form).await, StatusCode::SEE_OTHER);
    let long = "csrf=t1&x=0123456789012345678901234567890123456789012345678901234567890";
    let form = post("/sign-in", &[OURS, SIGNED_IN], long);
    assert_eq!(status(&app, form).await, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_cookie_of_the_authenticator_goes_onto_every_answer_but_a_handlers_own() {
    let (app, _) = app();
    let cookie = async |path: &str, signed_in: bool| {
        let mut request = get(path);
        if signed_in {
            let value = HeaderValue::from_static("token=t1");
            request.headers_mut().insert(header::COOKIE, value);
        }
        let answered = send(&app, request).await;
        let set: Vec<_> = answered
            .headers()
            .get_all(header::SET_COOKIE)
            .iter()
            .cloned()
            .collect();
        set
    };
    assert_eq!(cookie("/", true).await, ["token=fresh"]);
    assert_eq!(cookie("/", false).await, ["token=fresh"]);
    assert_eq!(cookie("/own", true).await, ["token=own"]);
    // What was refreshed is not lost with the work it was refreshed for.
    assert_eq!(cookie("/slow", true).await, ["token=fresh"]);
    assert_eq!(cookie("/panic", true).await, ["token=fresh"]);
}
