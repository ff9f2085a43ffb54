//! Starting, serving and stopping.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use guard::{Deny, GuardedRouter, Guards};
use serve::{Health, StartupError};
use settings::{Settings, SiteSettings};

use crate::process::{Server, read_all, read_some, request};

/// Less than an idle connection may last, and than a drain may take, unless a test says so.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn serves_several_requests_on_one_connection() {
    let server = Server::start(&[]);
    let mut stream = server.get("/fast");
    let answer = read_some(&mut stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("x-request-id: ") && answer.ends_with("\r\n\r\nfast"),
        "{answer}"
    );
    assert!(!answer.contains("connection: close"), "{answer}");
    stream.write_all(request("/nowhere").as_bytes()).unwrap();
    assert!(read_some(&mut stream).starts_with("HTTP/1.1 404"));
}

#[test]
fn both_signals_let_a_running_request_finish() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::start(&[]);
        let running = server.get("/slow");
        server.wait_for("under way");
        server.signal(signal);
        let answer = read_all(running);
        assert!(answer.ends_with("slow"), "{answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert_eq!(server.wait().0, 0);
        assert!(TcpStream::connect(server.addr).is_err());
    }
}

#[test]
fn an_idle_connection_does_not_hold_up_the_exit() {
    let mut server = Server::start(&[]);
    let mut idle = server.get("/fast");
    read_some(&mut idle);
    // Opened ahead of need, as browsers do.
    let _preconnected = server.send("");
    server.signal("TERM");
    let (code, took) = server.wait();
    assert_eq!(code, 0);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn half_a_header_does_not_hold_up_the_exit() {
    let limits = [("HEADER_TIMEOUT_MS", "900"), ("DRAIN_DEADLINE_MS", "1000")];
    let mut server = Server::start(&limits);
    let mut running = server.get("/slow");
    let _half = server.send("GET /fast HTTP/1.1\r\nhost: loc");
    server.wait_for("under way");
    server.signal("TERM");
    assert!(read_some(&mut running).ends_with("slow"));
    let (code, took) = server.wait();
    // Cut by its own limit; nobody was cut by the deadline.
    assert_eq!(code, 0);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_connection_accepted_just_before_gets_to_send_its_request() {
    let mut server = Server::start(&[]);
    let mut silent = server.send("");
    server.signal("TERM");
    server.wait_for("draining");
    silent.write_all(request("/fast").as_bytes()).unwrap();
    assert!(read_all(silent).ends_with("fast"));
    assert_eq!(server.wait().0, 0);
}

#[test]
fn whoever_waits_to_be_accepted_is_answered() {
    let mut server = Server::start(&[]);
    // Stopped, it finds the signal and the whole queue at once when it goes on.
    server.signal("STOP");
    let waiting: Vec<_> = (0..100).map(|_| server.get("/livez")).collect();
    server.signal("TERM");
    server.signal("CONT");
    for stream in waiting {
        let answer = read_all(stream);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert_eq!(server.wait().0, 0);
}

#[test]
fn while_draining_it_is_not_ready_but_answers() {
    let mut server = Server::start(&[("DRAIN_LAME_DUCK_MS", "1000")]);
    assert!(read_some(&mut server.get("/readyz")).starts_with("HTTP/1.1 200"));
    server.signal("TERM");
    server.wait_for("draining");
    let ready = read_all(server.get("/readyz"));
    assert!(ready.starts_with("HTTP/1.1 503"), "{ready}");
    assert!(ready.ends_with("{\"status\":\"draining\"}"), "{ready}");
    let fast = read_all(server.get("/fast"));
    assert!(
        fast.ends_with("fast") && fast.contains("connection: close"),
        "{fast}"
    );
    assert_eq!(server.wait().0, 0);
}

#[test]
fn what_is_not_done_at_the_deadline_is_cut_and_told() {
    let limits = [("HEADER_TIMEOUT_MS", "100"), ("DRAIN_DEADLINE_MS", "200")];
    let mut server = Server::start(&limits);
    let _hanging = server.get("/hang");
    server.wait_for("under way");
    server.signal("TERM");
    let (code, took) = server.wait();
    assert_eq!(code, 75);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = Server::start(&[]);
    let _hanging = server.get("/hang");
    server.wait_for("under way");
    server.signal("TERM");
    // Two that come together are one.
    server.wait_for("draining");
    server.signal("TERM");
    let (code, took) = server.wait();
    assert_eq!(code, 130);
    assert!(took < SOON, "{took:?}");
}

#[test]
fn asked_to_stop_before_it_listens_it_does_at_once() {
    for signal in ["TERM", "INT"] {
        let mut server = Server::late();
        server.signal(signal);
        let (code, took) = server.wait();
        assert_eq!(code, 0);
        assert!(took < SOON, "{took:?}");
    }
}

#[tokio::test]
async fn an_address_in_use_is_named_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut common = SiteSettings::from_source(&|_| None).unwrap().common;
    common.addr = taken.local_addr().unwrap();
    let app = GuardedRouter::new().finish(Guards::new(Deny::Page, common.app_env));
    let error = serve::run(app, &common, Health::new("", Vec::new()))
        .await
        .unwrap_err();
    let text = StartupError::from(error).to_string();
    assert!(
        text.starts_with(&format!("error: failed to listen on `{}`: ", common.addr)),
        "{text}"
    );
    assert!(
        text.contains("\nhelp: another process listens there"),
        "{text}"
    );
}
