//! What the three routes answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use guard::{App, Deny, Guards};
use serde_json::{Value, json};
use serve::{Check, Health};
use settings::AppEnv;
use tower::ServiceExt;

fn app(checks: Vec<Check>) -> App {
    Health::new("abc123", checks)
        .routes()
        .finish(Guards::new(Deny::Problem, AppEnv::Production))
}

fn outcome(up: bool) -> Result<(), &'static str> {
    if up { Ok(()) } else { Err("gone") }
}

fn check(name: &'static str, up: bool) -> Check {
    Check::new(name, move || async move { outcome(up) })
}

fn optional(name: &'static str, up: bool) -> Check {
    Check::optional(name, move || async move { outcome(up) })
}

async fn get(app: &App, path: &str) -> (u16, Value) {
    let (status, text) = get_text(app, path).await;
    (status, serde_json::from_str(&text).unwrap())
}

async fn get_text(app: &App, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    assert_eq!(response.headers()[header::CACHE_CONTROL], "no-store");
    let status = response.status().as_u16();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.into()).unwrap())
}

#[tokio::test]
async fn healthy() {
    let app = app(vec![check("database", true)]);
    assert_eq!(get(&app, "/livez").await, (200, json!({"status": "alive"})));
    assert_eq!(
        get(&app, "/readyz").await,
        (200, json!({"status": "ready"}))
    );
    let (status, mut report) = get(&app, "/health").await;
    assert_eq!(status, 200);
    let timestamp = report["timestamp"].take();
    let timestamp = timestamp.as_str().unwrap();
    assert_eq!(timestamp.len(), "2025-01-29T12:00:00Z".len(), "{timestamp}");
    assert!(timestamp.parse::<jiff::Timestamp>().is_ok(), "{timestamp}");
    assert!(report["uptime"].take().is_u64());
    assert_eq!(
        report,
        json!({
            "status": "healthy",
            "uptime": null,
            "timestamp": null,
            "version": env!("CARGO_PKG_VERSION"),
            "sha": "abc123",
            "services": {"database": "connected"},
        })
    );
}

/// What deployments and dashboards were built for, to the letter.
#[tokio::test]
async fn the_report_has_its_fields_in_their_order() {
    let app = app(vec![optional("redis", true), check("database", true)]);
    let (_, text) = get_text(&app, "/health").await;
    let report: Value = serde_json::from_str(&text).unwrap();
    let (uptime, timestamp) = (&report["uptime"], &report["timestamp"]);
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        text,
        format!(
            r#"{{"status":"healthy","uptime":{uptime},"timestamp":{timestamp},"version":"{version}","sha":"abc123","services":{{"database":"connected","redis":"connected"}}}}"#
        )
    );
}

#[tokio::test]
async fn it_works_without_what_is_optional_and_says_so() {
    let app = app(vec![check("database", true), optional("redis", false)]);
    assert_eq!(
        get(&app, "/readyz").await,
        (200, json!({"status": "ready"}))
    );
    let (status, report) = get(&app, "/health").await;
    assert_eq!((status, &report["status"]), (200, &json!("healthy")));
    assert_eq!(
        report["services"],
        json!({"database": "connected", "redis": "disconnected"})
    );
}

#[tokio::test]
async fn a_lost_dependency_makes_it_unready_but_alive() {
    let app = app(vec![check("cache", true), check("database", false)]);
    assert_eq!(get(&app, "/livez").await.0, 200);
    assert_eq!(
        get(&app, "/readyz").await,
        (503, json!({"status": "unready"}))
    );
    let (status, report) = get(&app, "/health").await;
    assert_eq!((status, &report["status"]), (503, &json!("unhealthy")));
    assert_eq!(
        report["services"],
        json!({"cache": "connected", "database": "disconnected"})
    );
}

#[tokio::test]
async fn only_what_is_configured_is_listed() {
    assert_eq!(get(&app(vec![]), "/health").await.1["services"], json!({}));
}

#[tokio::test]
async fn a_dependency_is_asked_once_in_a_while() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = app(vec![Check::new("database", move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<(), String>(()) }
    })]);
    for _ in 0..50 {
        get(&app, "/readyz").await;
    }
    assert!(asked.load(Ordering::Relaxed) <= 2);
}

#[tokio::test]
async fn a_hanging_dependency_counts_as_lost() {
    let hanging = Check::new("database", std::future::pending::<Result<(), String>>);
    assert_eq!(get(&app(vec![hanging]), "/readyz").await.0, 503);
}
