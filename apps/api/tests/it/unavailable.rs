//! A database that goes away while the service runs.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::json;
use testkit::{Database, on_each_engine};

use crate::actors::Actor as _;
use crate::app::TestApp;
use crate::expect::Expect as _;

const GONE: &str = "the database does not answer";

/// Every route that needs the database says so, in time; the process is alive all the same.
async fn assert_unavailable(app: &TestApp, customer: &impl crate::actors::Actor) {
    let began = Instant::now();
    let anonymous = app.anonymous();
    let answer = anonymous.get("/v1/menu").await;
    answer.refused(503, GONE);
    assert_eq!(answer.header("retry-after"), "1");
    customer.get("/v1/orders").await.refused(503, GONE);

    let ready = anonymous.get("/readyz").await;
    assert_eq!(ready.expect(503), json!({"status": "unready"}));
    anonymous.get("/livez").await.expect(200);
    let took = began.elapsed();
    assert!(took < Duration::from_secs(8), "{took:?}");
}

#[tokio::test]
async fn a_postgres_server_that_ends_is_told() {
    let Some((cluster, database)) = testkit::postgres_alone().await else {
        return;
    };
    let app = TestApp::on(&database).await;
    let ada = app.customer("ada").await;
    assert!(ada.items("/v1/menu").await.is_empty());
    drop(cluster);
    assert_unavailable(&app, &ada).await;
}

#[tokio::test]
async fn a_sqlite_file_that_cannot_be_opened_is_told() {
    let database = testkit::sqlite().await;
    let app = TestApp::on(&database).await;
    let file = database.url().trim_start_matches("sqlite://");
    fs::remove_file(file).unwrap();
    fs::create_dir(file).unwrap();
    // The one open connection still has the file; the second request needs another connection.
    let anonymous = app.anonymous();
    let (_, answer) = tokio::join!(anonymous.get("/v1/menu"), anonymous.get("/v1/menu"));
    answer.refused(503, GONE);
}

on_each_engine!(a_closed_pool_is_told);
async fn a_closed_pool_is_told(database: &Database) {
    let app = TestApp::on(database).await;
    let ada = app.customer("ada").await;
    app.store.close().await;
    assert_unavailable(&app, &ada).await;
}
