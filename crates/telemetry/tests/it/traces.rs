//! What a collector gets, and what it can hold up.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::thread;
use std::time::{Duration, Instant};

use settings::Surface;
use telemetry::{RequestId, in_request};

use crate::alone;

const COLLECTOR: &str = "TELEMETRY_TEST_COLLECTOR";
const CANARY: &str = "hunter2";
const ID: &str = "0af7651916cd43dd8448eb211c80319c";

/// Nothing as a test; in a process of its own, one request.
#[tokio::test]
async fn a_request() {
    if !alone::is_alone() {
        return;
    }
    let mut common = alone::common("production");
    let collector: SocketAddr = alone::told(COLLECTOR).parse().unwrap();
    common.otlp_endpoint = Some(format!("http://{collector}"));
    telemetry::init(&common, Surface::Api).unwrap();
    // Made at run time, as real secrets are.
    let canary = String::from(CANARY);
    in_request(RequestId::accept(Some(ID)), async {
        tracing::warn!(
            error = "password=hunter2",
            token = canary,
            "careful, {canary}"
        );
        tokio::task::yield_now().await;
        tracing::info!(
            method = "GET",
            route = "/meals/{id}",
            status = 503_u16,
            latency_ms = 3_u64,
            subject = canary,
            "answered"
        );
    })
    .await;
    tracing::info!("outside of any request");
    let since = Instant::now();
    telemetry::flush();
    assert!(
        since.elapsed() < Duration::from_millis(2500),
        "{:?}",
        since.elapsed()
    );
}

/// Head and body of the first request, which is answered.
fn collect(listener: &TcpListener) -> (String, Vec<u8>) {
    let (mut stream, _) = listener.accept().unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = stream.read(&mut buffer).unwrap();
        assert!(n > 0, "ended early");
        bytes.extend_from_slice(&buffer[..n]);
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&bytes[..end]).to_lowercase();
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.unwrap().parse().unwrap();
        if bytes.len() == end + 4 + length {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
                .unwrap();
            return (head, bytes.split_off(end + 4));
        }
    }
}

fn run(collector: SocketAddr) {
    let told = [(COLLECTOR, &*collector.to_string())];
    let output = alone::run("traces::a_request", &told);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains(CANARY), "{text}");
}

#[test]
fn a_request_is_a_span_with_listed_fields_only() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (head, body) = thread::scope(|scope| {
        let collected = scope.spawn(|| collect(&listener));
        run(listener.local_addr().unwrap());
        collected.join().unwrap()
    });
    assert!(head.starts_with("post /v1/traces "), "{head}");
    let has = |bytes: &[u8]| body.windows(bytes.len()).any(|part| part == bytes);
    for text in [
        "GET /meals/{id}",
        "http.response.status_code",
        "request_id",
        "careful, …",
        "password=…",
        "service.name",
        "api",
    ] {
        assert!(has(text.as_bytes()), "{text} is missing");
    }
    for text in [CANARY, "token", "subject", "outside of any request"] {
        assert!(!has(text.as_bytes()), "{text} is there");
    }
    // The id of the trace.
    let id = u128::from_str_radix(ID, 16).unwrap();
    assert!(has(&id.to_be_bytes()));
}

#[test]
fn a_collector_that_does_not_answer_holds_up_nothing() {
    // Connections wait in its queue for ever.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    run(listener.local_addr().unwrap());
}

#[test]
fn nor_does_one_that_is_not_there() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    run(addr);
}
