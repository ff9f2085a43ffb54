//! The form of a line.

use std::error::Error;
use std::fmt;
use std::io::{self, BufRead as _, BufReader};
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use settings::{AppEnv, Surface};
use telemetry::{RequestId, in_request, with_causes};

use crate::alone;

/// What is written while the closure runs.
pub(crate) fn logged(env: AppEnv, filter: &str, run: impl FnOnce()) -> String {
    let (lines, writer) = io::pipe().unwrap();
    let subscriber = telemetry::subscriber(env, filter, Arc::new(writer)).unwrap();
    tracing::subscriber::with_default(subscriber, run);
    io::read_to_string(lines).unwrap()
}

fn line(run: impl FnOnce()) -> Value {
    serde_json::from_str(&logged(AppEnv::Production, "trace", run)).unwrap()
}

#[test]
fn production_writes_json() {
    let mut line = line(|| tracing::info!(status = 200, route = "/meals/{id}", "answered"));
    let timestamp = line["timestamp"].take();
    let timestamp = timestamp.as_str().unwrap();
    assert_eq!(timestamp.len(), "2025-01-29T12:00:00.000Z".len());
    assert!(timestamp.parse::<jiff::Timestamp>().is_ok(), "{timestamp}");
    assert_eq!(
        line,
        json!({
            "timestamp": null,
            "level": "INFO",
            "service": "test",
            "target": "it::lines",
            "message": "answered",
            "status": 200,
            "route": "/meals/{id}",
        })
    );
}

#[test]
fn local_lines_are_for_people() {
    let text = logged(AppEnv::Local, "info", || {
        tracing::warn!(status = 200, error = "a \"b\"\u{1b}[2J", "answered");
    });
    let expected = "  WARN it::lines: answered status=200 error=\"a \\\"b\\\"\\u001b[2J\"\n";
    assert_eq!(text.split_once(' ').unwrap().1, &expected[1..], "{text}");
}

#[tokio::test]
async fn a_line_has_the_id_of_its_request() {
    let (lines, writer) = io::pipe().unwrap();
    let subscriber = telemetry::subscriber(AppEnv::Production, "info", Arc::new(writer)).unwrap();
    let default = tracing::subscriber::set_default(subscriber);
    in_request(RequestId::accept(Some("me-1")), async {
        tokio::task::yield_now().await;
        tracing::info!("within");
    })
    .await;
    tracing::info!("after");
    drop(default);
    let lines = io::read_to_string(lines).unwrap();
    let [within, after] = lines.lines().collect::<Vec<_>>()[..] else {
        panic!("{lines}")
    };
    assert!(within.contains("\"request_id\":\"me-1\""), "{within}");
    assert!(!after.contains("request_id"), "{after}");
}

#[test]
fn every_kind_of_value_is_json() {
    let failure = Failure("failed to save", Some(Box::new(Failure("disk full", None))));
    let line = line(|| {
        tracing::error!(
            error = &failure as &dyn Error,
            status = -1,
            open = u64::MAX,
            forced = true,
            latency_ms = 0.5,
            timeout = f64::NAN,
            check = ?Some("x"),
            env = %"two\nlines",
            bytes = u128::MAX,
            "failed"
        );
    });
    assert_eq!(line["error"], "failed to save: disk full");
    assert_eq!(line["status"], -1);
    assert_eq!(line["open"], u64::MAX);
    assert_eq!(line["forced"], true);
    assert_eq!(line["latency_ms"], 0.5);
    assert_eq!(line["timeout"], Value::Null);
    assert_eq!(line["check"], "Some(\"x\")");
    assert_eq!(line["env"], "two\nlines");
    assert!(line["bytes"].is_number());
}

#[test]
fn long_values_are_cut_between_characters() {
    let long = "é".repeat(100_000);
    let line = line(|| tracing::error!(error = long, check = ?long, "failed"));
    for value in [&line["error"], &line["check"]] {
        let value = value.as_str().unwrap();
        assert!((1000..=1024).contains(&value.len()), "{}", value.len());
    }
}

struct Chatty;

impl fmt::Debug for Chatty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        tracing::info!("inner");
        f.write_str("chatty")
    }
}

/// Nothing as a test; in a process of its own, what the next one runs: only there is the subscriber
/// told of events within events.
#[test]
fn chatty() {
    if alone::is_alone() {
        telemetry::init(&alone::common("production"), Surface::Site).unwrap();
        tracing::info!(check = ?Chatty, "outer");
        telemetry::flush();
    }
}

#[test]
fn a_value_that_logs_while_it_is_logged_is_written() {
    let text = String::from_utf8(alone::run("lines::chatty", &[]).stdout).unwrap();
    let lines: Vec<Value> = text
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let messages: Vec<_> = lines.iter().map(|line| &line["message"]).collect();
    assert_eq!(messages, ["inner", "outer"], "{text}");
    assert_eq!(lines[1]["check"], "chatty");
}

#[test]
fn filter_silences() {
    let quiet = logged(AppEnv::Production, "warn", || tracing::info!("answered"));
    assert_eq!(quiet, "");
    let other = logged(AppEnv::Production, "info,it::lines=off", || {
        tracing::error!("answered");
    });
    assert_eq!(other, "");
}

#[test]
fn a_filter_that_cannot_be_used_is_an_error_that_names_it() {
    for filter in ["info,=,", "inof", "sqlx=warn", "inof,sqlx=warn", ",", ""] {
        let error = telemetry::subscriber(AppEnv::Local, filter, io::sink)
            .err()
            .unwrap();
        let named = format!("`LOG` is `{filter}`");
        assert!(error.to_string().starts_with(&named), "{error}");
    }
    for filter in ["off", "INFO", "sqlx=warn, debug", "info,[request]=trace"] {
        assert!(
            telemetry::subscriber(AppEnv::Local, filter, io::sink).is_ok(),
            "{filter}"
        );
    }
}

/// Nothing as a test; in a process of its own, more lines than all buffers hold.
#[test]
fn lines_that_nobody_reads() {
    if !alone::is_alone() {
        return;
    }
    telemetry::init(&alone::common("production"), Surface::Site).unwrap();
    println!("ready");
    // Until the other end of standard output is as the test wants it.
    io::read_to_string(io::stdin()).unwrap();
    for _ in 0..50_000 {
        tracing::info!(
            route = "/a/route/that/makes/the/line/a/little/longer",
            "answered"
        );
    }
    telemetry::flush();
    // Not by way of the test harness, which could not write its own lines.
    std::process::exit(7);
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    for gone in [true, false] {
        let mut child = alone::command("lines::lines_that_nobody_reads")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        assert!(stdout.any(|line| line.unwrap().ends_with("ready")));
        let unread = Some(stdout).filter(|_| !gone);
        drop(child.stdin.take());
        let since = Instant::now();
        assert_eq!(child.wait().unwrap().code(), Some(7));
        assert!(
            since.elapsed() < Duration::from_secs(15),
            "{:?}",
            since.elapsed()
        );
        drop(unread);
    }
}

#[derive(Debug)]
struct Failure(&'static str, Option<Box<Self>>);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.1.as_deref().map(|cause| cause as _)
    }
}

#[test]
fn every_cause_is_told_once() {
    let disk = Failure("disk full", None);
    let write = Failure("failed to write: disk full", Some(Box::new(disk)));
    let save = Failure("failed to save", Some(Box::new(write)));
    assert_eq!(
        with_causes(&save),
        "failed to save: failed to write: disk full"
    );
}
