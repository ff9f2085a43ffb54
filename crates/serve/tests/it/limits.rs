//! What one caller may take of the server.

use std::io::{Read, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::process::{Server, read_all, read_some, request};

/// Much less than without the limit.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn headers_that_were_begun_and_not_finished_are_cut() {
    let server = Server::start(&[("HEADER_TIMEOUT_MS", "300")]);
    for begun in ["", "GET", "GET /fast HTTP/1.1\r\nhost: loc"] {
        let half = server.send(begun);
        let since = Instant::now();
        read_all(half);
        assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
    }
}

#[test]
fn headers_that_trickle_are_cut() {
    let server = Server::start(&[("HEADER_TIMEOUT_MS", "300")]);
    let mut trickle = server.send("GET /fast HTTP/1.1\r\nhost: localhost\r\n");
    let since = Instant::now();
    while trickle.write_all(b"x: y\r\n").is_ok() {
        assert!(since.elapsed() < SOON, "still open");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_head_that_is_far_too_long_is_refused_long_before_its_end() {
    let server = Server::start(&[]);
    let mut long = server.send("GET /fast HTTP/1.1\r\nhost: localhost\r\nx: ");
    // Refused as soon as the buffer is full: then no more is taken in.
    let mut sent = 0;
    while long.write_all(&[b'y'; 1024]).is_ok() && sent < 64 {
        sent += 1;
        sleep(Duration::from_millis(1));
    }
    let answer = read_some(&mut long);
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");
}

#[test]
fn a_body_that_does_not_come_is_answered_and_cut() {
    let server = Server::start(&[]);
    let half = server
        .send("POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\nhalf of it");
    let since = Instant::now();
    let answer = read_all(half);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(since.elapsed() < SOON, "{:?}", since.elapsed());
}

#[test]
fn who_does_not_read_is_cut() {
    let server = Server::start(&[("HEADER_TIMEOUT_MS", "300")]);
    let _silent = server.get("/big");
    let line = server.wait_for("connection ended early");
    assert!(
        line["error"].as_str().unwrap().contains("timed out"),
        "{line}"
    );
}

#[test]
fn who_reads_too_slowly_is_cut() {
    let server = Server::start(&[("HEADER_TIMEOUT_MS", "300")]);
    let mut slow = server.get("/big");
    let since = Instant::now();
    let mut bytes = vec![0; 64 << 10];
    // At this pace it would take a minute.
    while slow.read(&mut bytes).is_ok_and(|n| n > 0) {
        assert!(since.elapsed() < SOON, "still open");
        sleep(Duration::from_millis(50));
        if server.has_logged("connection ended early") {
            return;
        }
    }
    server.wait_for("connection ended early");
}

#[test]
fn who_reads_gets_it_all_however_long_it_takes_to_make() {
    let server = Server::start(&[("HEADER_TIMEOUT_MS", "300")]);
    let mut stream = server.send(&format!("{}{}", request("/slow"), request("/big")));
    let mut bytes = vec![0; 1 << 20];
    let mut answered = 0;
    while answered < 64 << 20 {
        let n = stream.read(&mut bytes).unwrap();
        assert!(n > 0, "ended after {answered} bytes");
        answered += n;
    }
}

#[test]
fn when_there_is_no_room_callers_wait_for_it() {
    // Of them 64 are for other things.
    let server = Server::start_with_files(80);
    let mut idle: Vec<_> = (0..16).map(|_| server.send("")).collect();
    let mut waiting = server.get("/fast");
    waiting
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    assert!(waiting.read(&mut [0; 1]).is_err());
    waiting.set_read_timeout(Some(SOON)).unwrap();
    idle.pop();
    assert!(read_some(&mut waiting).ends_with("fast"));
}
