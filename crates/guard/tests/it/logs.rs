//! What is logged about a request, and what never is.

use std::io;
use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, header};
use guard::{Deny, GuardedRouter, Problem, public, signed_in};
use serde_json::Value;
use settings::AppEnv;

use crate::{bearer, guards, send};

async fn logged(path: &str) -> Vec<Value> {
    let (lines, writer) = io::pipe().unwrap();
    let subscriber = telemetry::subscriber(AppEnv::Production, "info", Arc::new(writer));
    let default = tracing::subscriber::set_default(subscriber.unwrap());
    let app = GuardedRouter::new()
        .get("/meals/{id}", signed_in(), async || "meal")
        .get("/broken", public("a test"), async || {
            Problem::internal(&io::Error::other("the disk is full"))
        })
        .get("/away", public("a test"), async || {
            Problem::unavailable(&io::Error::other("the line is cut"))
        })
        .finish(guards(Deny::Problem, AppEnv::Production));
    let token = bearer(guard::Role::Customer);
    let request = Request::get(path)
        .header(header::AUTHORIZATION, &token)
        .header("x-request-id", "me-1")
        .body(Body::empty());
    send(&app, request.unwrap()).await;
    // With the subscriber goes the writing end of the pipe.
    drop(default);
    let text = io::read_to_string(lines).unwrap();
    assert!(!text.contains("hunter2"), "{text}");
    assert!(
        !text.contains(token.trim_start_matches("Bearer ")),
        "{text}"
    );
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test]
async fn one_line_for_each_request_with_the_pattern_of_its_route() {
    for (path, route, status) in [
        ("/meals/hunter2?token=hunter2", "/meals/{id}", 200),
        ("/hunter2?token=hunter2", "unmatched", 404),
    ] {
        let lines = logged(path).await;
        let [line] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert_eq!(line["message"], "answered");
        assert_eq!(line["method"], "GET");
        assert_eq!(line["route"], route);
        assert_eq!(line["status"], status);
        assert!(line["latency_ms"].is_u64(), "{line}");
        assert_eq!(line["request_id"], "me-1");
    }
}

#[tokio::test]
async fn a_failure_is_logged_once_under_the_id_that_the_caller_was_told() {
    for (path, level, error, status) in [
        ("/broken", "ERROR", "the disk is full", 500),
        ("/away", "WARN", "the line is cut", 503),
    ] {
        let lines = logged(path).await;
        let [failure, answered] = lines.as_slice() else {
            panic!("{lines:?}")
        };
        assert_eq!(failure["level"], level);
        assert_eq!(failure["error"], error);
        assert_eq!(failure["request_id"], "me-1");
        assert_eq!(answered["status"], status);
    }
}
