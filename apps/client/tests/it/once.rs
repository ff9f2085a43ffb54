//! An order is placed once, whatever becomes of the answer.

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guard::Problem;
use testkit::hidden;

use crate::stub::{Asked, CSRF, Stub};

const FRESH: Duration = Duration::from_mins(10);

/// Refuses the first order with this.
fn first(asked: &Asked, nth: usize, refusal: impl IntoResponse) -> Option<Response> {
    (asked.what == "POST /v1/orders" && nth == 1).then(|| refusal.into_response())
}

fn status(status: u16) -> Problem {
    Problem::new(StatusCode::from_u16(status).unwrap())
}

fn is_token(once: &str) -> bool {
    let mut bytes = once.bytes();
    once.len() == 43 && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// The keys that orders were sent with.
fn keys(stub: &Stub) -> Vec<String> {
    let asked = stub.asked().into_iter();
    asked
        .filter(|asked| asked.what == "POST /v1/orders")
        .map(|asked| asked.idempotency_key)
        .collect()
}

#[tokio::test]
async fn every_form_has_a_token_of_its_own() {
    let stub = Stub::open(|_, _| None).await;
    let browser = stub.customer(FRESH);
    let pages = browser.page("/").await + &browser.page("/").await;
    let tokens: BTreeSet<_> = pages
        .split("name=\"once\" value=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert_eq!(tokens.len(), 4, "{tokens:?}");
    assert!(tokens.iter().all(|once| is_token(once)), "{tokens:?}");
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_sent_again_with_the_same_key() {
    let stubs = [
        Stub::open(|asked, nth| first(asked, nth, "half an ans")).await,
        Stub::open(|asked, nth| first(asked, nth, status(503))).await,
        Stub::open(|asked, nth| first(asked, nth, status(500))).await,
    ];
    for stub in &stubs {
        let browser = stub.customer(FRESH);
        let menu = browser.page("/").await;
        let once = hidden(&menu, "once");
        let fields = [
            ("csrf", CSRF),
            ("once", once),
            ("meal_id", "1"),
            ("quantity", "2"),
            ("wanted_at", "2026-11-21T08:01"),
        ];
        let answer = browser.0.post_form("/orders", &fields).await;
        assert_eq!(answer.status, 503);
        assert_eq!(answer.header("cache-control"), "no-store");
        let page = answer.text();
        assert!(page.contains("We do not know whether"), "{page}");
        assert!(page.contains("it will not be placed twice"), "{page}");
        assert!(page.contains("href=\"/orders\""), "{page}");
        assert!(page.contains("action=\"/orders\""), "{page}");
        assert!(page.contains("Order again</button>"), "{page}");
        for field in ["csrf", "once", "meal_id"] {
            let sent = fields.iter().find(|(name, _)| *name == field);
            assert_eq!(sent, Some(&(field, hidden(&page, field))));
        }
        for (name, value) in &fields[3..] {
            let kept = format!("name=\"{name}\" value=\"{value}\"");
            assert!(page.contains(&kept), "{page}");
        }
        let answer = browser.0.post_form("/orders", &fields).await;
        assert_eq!(answer.header("location"), "/orders/7?done=ordered");
        assert_eq!(keys(stub), [once, once]);
    }
}

#[tokio::test]
async fn what_is_refused_keeps_its_token_and_what_was_placed_gives_it_up() {
    let stubs = [
        (
            422,
            Stub::open(|asked, nth| first(asked, nth, status(422))).await,
        ),
        (
            404,
            Stub::open(|asked, nth| first(asked, nth, status(404))).await,
        ),
        (
            429,
            Stub::open(|asked, nth| first(asked, nth, status(429))).await,
        ),
        (
            409,
            Stub::open(|asked, nth| first(asked, nth, status(409))).await,
        ),
    ];
    for (status, stub) in &stubs {
        let browser = stub.customer(FRESH);
        let menu = browser.page("/").await;
        let once = hidden(&menu, "once");
        let fields = [
            ("csrf", CSRF),
            ("once", once),
            ("meal_id", "1"),
            ("quantity", "2"),
        ];
        let answer = browser.0.post_form("/orders", &fields).await;
        assert_eq!(answer.status.as_u16(), *status, "{}", answer.text());
        let page = answer.text();
        // Had the one before been placed after all, another token would place it again.
        assert_eq!(hidden(&page, "once") == once, *status != 409, "{page}");
        if *status == 409 {
            assert!(page.contains("look at Your orders"), "{page}");
            assert!(!page.contains("idempotency"), "{page}");
        }
        assert_eq!(keys(stub), [once]);
    }
}

#[tokio::test]
async fn a_token_that_is_none_of_ours_orders_nothing() {
    let stub = Stub::open(|_, _| None).await;
    let browser = stub.customer(FRESH);
    let forged = [
        String::new(),
        "x".repeat(42),
        "x".repeat(44),
        "!".repeat(43),
        format!("{}\r\nx", "x".repeat(40)),
        format!("{}é", "x".repeat(41)),
    ];
    for once in forged {
        let fields = [
            ("csrf", CSRF),
            ("once", once.as_str()),
            ("meal_id", "1"),
            ("quantity", "3"),
        ];
        let answer = browser.0.post_form("/orders", &fields).await;
        assert_eq!(answer.status, 422, "{once}");
        let page = answer.text();
        assert!(page.contains("press Order again"), "{page}");
        assert!(page.contains("name=\"quantity\" value=\"3\""), "{page}");
        assert!(is_token(hidden(&page, "once")), "{page}");
    }
    assert_eq!(keys(&stub), [""; 0]);
}
