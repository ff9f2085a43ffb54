//! What is logged, and which request ids are taken over.

#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

use std::error::Error;
use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use settings::AppEnv;
use telemetry::{RequestId, with_causes};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(env: AppEnv, filter: &str) -> String {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = telemetry::subscriber(env, filter, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        tracing::error_span!("request", request_id = "abc")
            .in_scope(|| tracing::info!(status = 200, "answered"));
    });
    String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
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
