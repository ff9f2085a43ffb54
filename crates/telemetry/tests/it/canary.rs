//! A secret in every place that could carry it into the log, and nowhere in the log.

use std::io;
use std::panic::catch_unwind;
use std::thread;

use serde_json::Value;
use settings::{AppEnv, Surface};

use crate::alone;
use crate::lines::logged;

const CANARY: &str = "hunter2-canary";

/// Made at run time, as real secrets are.
fn canary() -> String {
    ["hunter2", "canary"].join("-")
}

/// All of it, on every path into a line.
fn tell() {
    let canary = canary();
    let quoted = format!("{canary:?}");
    tracing::error!("{canary}");
    tracing::error!("{canary} first");
    tracing::error!("last {canary}");
    tracing::error!("in the {canary} middle of {quoted}");
    tracing::error!("{:?} {:>40} {}", canary, canary, 42);
    tracing::error!(message = canary.as_str());
    tracing::error!(message = %canary);
    tracing::error!(token = canary, password = %canary, foo = ?canary, "fields");
    tracing::error!({ db.statement = canary, "user.email" = canary }, "dotted fields");
    tracing::error!(target: "sqlx::query", summary = canary, rows_returned = 3, "foreign");
    tracing::error!(
        foo = &io::Error::other(canary.clone()) as &dyn std::error::Error,
        "an error"
    );
    for error in [
        format!("failed to reach postgres://app:{canary}@db/app"),
        format!("failed to reach http://api/v1/menu?cursor={canary}"),
        format!("authorization: Bearer {canary}"),
        format!("password={canary} host=db"),
        format!("{{\"refresh_token\":\"{canary}\"}}"),
        format!("eyJhbGciOiJIUzI1NiJ9.{canary}.c2ln"),
    ] {
        tracing::error!(error, "a driver's error");
        tracing::error!(error = ?error, "a driver's error");
        tracing::error!(
            error = &io::Error::other(error) as &dyn std::error::Error,
            "an error"
        );
    }
}

#[test]
fn a_secret_is_in_no_line() {
    for env in [AppEnv::Production, AppEnv::Local] {
        let text = logged(env, "trace", tell);
        assert_eq!(text.lines().count(), 29, "{text}");
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
        // What is no secret is told.
        assert!(text.contains("in the … middle of …"), "{text}");
        assert!(
            text.contains("failed to reach postgres://…@db/app"),
            "{text}"
        );
    }
}

#[test]
fn what_is_dropped_is_counted() {
    let text = logged(AppEnv::Production, "trace", || {
        tracing::info!(token = canary(), status = 200, n = 1, foo = ?"x", "answered");
    });
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["redacted"], 3, "{text}");
    assert_eq!(line["status"], 200);
}

/// Nothing as a test; in a process of its own, what the next one runs.
#[test]
fn panics() {
    if !alone::is_alone() {
        return;
    }
    telemetry::init(&alone::common("production"), Surface::Site).unwrap();
    tell();
    let quiet = |run: fn()| assert!(catch_unwind(run).is_err());
    quiet(|| panic!("compiled in"));
    quiet(|| panic!("{}", canary()));
    quiet(|| {
        let unusable = canary().parse::<u8>().map_err(|_| canary());
        assert_eq!(unusable.unwrap(), 0);
    });
    quiet(|| assert_eq!(canary(), "something else"));
    quiet(|| std::panic::panic_any(canary()));
    quiet(|| std::panic::panic_any(&*canary().leak()));
    let thread = thread::spawn(|| panic!("{}", canary()));
    assert!(thread.join().is_err());
    println!("{}", telemetry::metrics::render());
    telemetry::flush();
}

#[test]
fn a_secret_is_in_no_panic_and_no_metric() {
    let output = alone::run("canary::panics", &[]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    for text in [&stdout, &stderr] {
        assert!(!text.contains("hunter2"), "{text}");
    }
    let lines = stdout
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let panics: Vec<_> = lines.filter(|line| line["message"] == "panicked").collect();
    assert_eq!(panics.len(), 7, "{stdout}");
    assert_eq!(panics[0]["panic"], "compiled in");
    for panic in &panics[1..] {
        assert_eq!(panic["panic"], "its message was made at run time");
    }
    for panic in &panics {
        let location = panic["location"].as_str().unwrap();
        assert!(location.contains("tests/it/canary.rs:"), "{location}");
    }
    assert!(
        stdout.contains("log_fields_dropped_total{service=\"site\"} 8\n"),
        "{stdout}"
    );
}
