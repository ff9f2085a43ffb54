//! What is logged, and which request ids are taken over.

#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

use std::error::Error;
use std::fmt;
use std::io;
use std::process::{Command, Stdio};
use std::sync::Arc;

use settings::AppEnv;
use telemetry::{RequestId, with_causes};

const NO_STDERR: &str = "TELEMETRY_TEST_NO_STDERR";

fn logged(env: AppEnv, filter: &str) -> String {
    let (lines, writer) = io::pipe().unwrap();
    let subscriber = telemetry::subscriber(env, filter, Arc::new(writer)).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::error_span!("request", request_id = "abc")
            .in_scope(|| tracing::info!(status = 200, "answered"));
    });
    io::read_to_string(lines).unwrap()
}

#[test]
fn production_writes_json_with_the_request_id() {
    let text = logged(AppEnv::Production, "info");
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["message"], "answered");
    assert_eq!(line["status"], 200);
    assert_eq!(line["span"]["request_id"], "abc");
}

#[test]
fn local_lines_are_for_people() {
    let text = logged(AppEnv::Local, "info");
    assert!(text.contains("answered status=200"), "{text}");
}

#[test]
fn filter_silences() {
    assert_eq!(logged(AppEnv::Production, "warn"), "");
}

#[test]
fn bad_filter_is_an_error_that_names_it() {
    let error = telemetry::init(AppEnv::Local, "info,=,").unwrap_err();
    assert!(error.to_string().contains("`info,=,`"), "{error}");
}

#[test]
fn a_filter_without_a_level_for_all_is_an_error_that_names_it() {
    for filter in ["inof", "sqlx=warn", "inof,sqlx=warn", ",", ""] {
        let error = telemetry::init(AppEnv::Local, filter).unwrap_err();
        assert!(
            error.to_string().contains(&format!("`{filter}`")),
            "{error}"
        );
    }
    for filter in ["off", "INFO", "sqlx=warn, debug", "info,[request]=trace"] {
        assert!(
            telemetry::subscriber(AppEnv::Local, filter, io::sink).is_ok(),
            "{filter}"
        );
    }
}

/// Nothing as a test; with the variable set, what the test below runs without a standard error.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "tells a test from the process it starts"
)]
fn a_line_that_nobody_reads() {
    if std::env::var_os(NO_STDERR).is_none() {
        return;
    }
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let subscriber = telemetry::subscriber(AppEnv::Production, "info", Arc::new(writer)).unwrap();
    tracing::subscriber::with_default(subscriber, || tracing::info!("answered"));
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    let (reader, closed) = io::pipe().unwrap();
    drop(reader);
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_line_that_nobody_reads", "--nocapture"])
        .env(NO_STDERR, "1")
        .stdout(Stdio::null())
        .stderr(closed)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

#[test]
fn only_harmless_ids_are_taken_over() {
    let longest = "a".repeat(64);
    for id in ["a", "A-9", &longest] {
        assert_eq!(RequestId::accept(Some(id)).as_str(), id);
    }
    let too_long = "a".repeat(65);
    for id in [
        Some(""),
        Some("a b"),
        Some("a\"b"),
        Some("ä"),
        Some(too_long.as_str()),
        None,
    ] {
        let fresh = RequestId::accept(id);
        assert_ne!(Some(fresh.as_str()), id);
        assert_eq!(fresh.as_str().len(), 32);
        assert_ne!(fresh, RequestId::accept(id));
    }
}

#[derive(Debug)]
struct Failure(&'static str, Option<Box<Failure>>);

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
