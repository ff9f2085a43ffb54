//! Counts shared by instances through a real Redis, and without one.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use guard::{App, Deny, GuardedRouter, RateClass, SharedRates, public};
use settings::AppEnv;

use crate::{get, guards, status};

fn app(shared: &SharedRates) -> App {
    let rare = public("a test").rate(RateClass::Strict);
    GuardedRouter::new()
        .get("/rare", rare, async || "rare")
        .finish(guards(Deny::Problem, AppEnv::Production).shared_rates(Some(shared.clone())))
}

fn shared(prefix: &str, port: u16) -> SharedRates {
    SharedRates::new(prefix, &format!("redis://127.0.0.1:{port}").into()).unwrap()
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// A server of this test's own; ends with it.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    async fn start(port: u16) -> Self {
        let child = Command::new("redis-server")
            .args([
                "--port",
                &port.to_string(),
                "--save",
                "",
                "--appendonly",
                "no",
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("`redis-server` is needed: {error}"));
        let redis = Self { child, port };
        let since = Instant::now();
        while shared("ready", port).ping().await.is_err() {
            assert!(
                since.elapsed() < Duration::from_secs(10),
                "redis does not start"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        redis
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn accepted(app: &App, requests: usize) -> usize {
    let mut accepted = 0;
    for _ in 0..requests {
        accepted += usize::from(status(app, get("/rare")).await == StatusCode::OK);
    }
    accepted
}

#[tokio::test]
async fn a_redis_server_counts_for_all_instances_and_is_missed_by_nobody() {
    let redis = Redis::start(free_port()).await;
    let (one, other) = (shared("app", redis.port), shared("app", redis.port));
    let (first, second) = (app(&one), app(&other));
    assert_eq!(accepted(&first, 6).await + accepted(&second, 6).await, 10);
    // Another app on the same server is another matter.
    assert_eq!(accepted(&app(&shared("site", redis.port)), 1).await, 1);
    // A token comes back every five seconds.
    tokio::time::sleep(Duration::from_millis(5_100)).await;
    assert_eq!(accepted(&first, 1).await + accepted(&second, 1).await, 1);

    let port = redis.port;
    drop(redis);
    // Each for itself now, from a full bucket.
    let since = Instant::now();
    assert_eq!(accepted(&first, 12).await, 10);
    assert!(
        since.elapsed() < Duration::from_secs(2),
        "{:?}",
        since.elapsed()
    );

    // It comes back empty, and is used again.
    let _redis = Redis::start(port).await;
    let since = Instant::now();
    while accepted(&first, 1).await == 0 {
        assert!(
            since.elapsed() < Duration::from_secs(4),
            "redis is not used again"
        );
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn without_a_server_each_instance_counts_for_itself() {
    let first = app(&shared("app", free_port()));
    let since = Instant::now();
    assert_eq!(accepted(&first, 12).await, 10);
    assert!(
        since.elapsed() < Duration::from_secs(2),
        "{:?}",
        since.elapsed()
    );
}
