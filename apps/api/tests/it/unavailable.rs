//! A database that goes away while the service runs.

use std::fs;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, header};
use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::{Actor, TestApp, open};

/// Every route that needs the database says so, in time; the process is alive all the same.
async fn assert_unavailable(app: &TestApp) {
    let began = Instant::now();
    let response = app
        .respond(Method::GET, Actor::Nobody, "/v1/menu", Body::empty())
        .await;
    assert_eq!(response.status(), 503);
    assert_eq!(
        response.headers()[header::CONTENT_TYPE],
        "application/problem+json"
    );
    assert_eq!(response.headers()[header::RETRY_AFTER], "1");
    let problem = json!({
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "the database does not answer",
    });
    let ada = Actor::Customer("ada");
    assert_eq!(app.get(ada, "/v1/orders").await, (503, problem));

    let ready = app.get(Actor::Nobody, "/readyz").await;
    assert_eq!(ready, (503, json!({"status": "unready"})));
    assert_eq!(app.get(Actor::Nobody, "/livez").await.0, 200);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn a_postgres_server_that_ends_is_told() {
    let Some((cluster, database)) = testkit::postgres_alone().await else {
        return;
    };
    let app = TestApp::on(&database).await;
    assert_eq!(app.get(Actor::Nobody, "/v1/menu").await, (200, json!([])));
    drop(cluster);
    assert_unavailable(&app).await;
}

#[tokio::test]
async fn a_sqlite_file_that_cannot_be_opened_is_told() {
    let database = testkit::sqlite().await;
    let app = TestApp::on(&database).await;
    let file = database.url().trim_start_matches("sqlite://");
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
    // The one open connection still has the file; the second request needs another connection.
    let menu = || app.get(Actor::Nobody, "/v1/menu");
    let (_, (status, problem)) = tokio::join!(menu(), menu());
    assert_eq!((status, &problem["status"]), (503, &json!(503)));
}

on_each_engine!(a_closed_pool_is_told);
async fn a_closed_pool_is_told(database: &Database) {
    let store = open(database).await;
    let app = TestApp::with(&store);
    store.close().await;
    assert_unavailable(&app).await;
}
