//! Requests that no client of ours would send, over a real connection: each gets a well-formed
//! answer that is not our fault, or none where it is no HTTP.

mod request;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use guard::Role;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use testkit::{Database, Served, on_each_engine};

use self::request::{Raw, request};
use crate::actors::Actor as _;
use crate::app::TestApp;

const CASES: u32 = 1500;

on_each_engine!(no_request_is_our_fault);
async fn no_request_is_our_fault(database: &Database) {
    let app = TestApp::in_env(database, "local").await;
    let mut callers = Vec::new();
    let mut tokens = vec![None, Some("no.token.atall".to_owned())];
    // Several of each, so that few are turned away for coming too often.
    for n in 0..10 {
        let role = [Role::Customer, Role::Staff][n % 2];
        let identity = app.account(&format!("caller-{n}"), role).await;
        let (caller, token) = app.signed_in(&identity);
        callers.push(caller);
        tokens.push(Some(token));
    }
    let served = Served::start(app.app.clone()).await;
    let addr = served.addr();
    let statuses = tokio::task::spawn_blocking(move || attack(addr, tokens))
        .await
        .unwrap();
    for expected in [200, 400, 401, 403, 404, 405, 413, 415, 422] {
        assert!(
            statuses.contains(&expected),
            "{expected} was never seen: {statuses:?}"
        );
    }
    // All are signed in still: what was theirs to reach was reached to the end.
    for caller in callers {
        assert_ne!(caller.get("/v1/audit").await.status, 401);
    }
}

/// Sends them all; gives the statuses that were seen.
fn attack(addr: SocketAddr, tokens: Vec<Option<String>>) -> BTreeSet<u16> {
    let config = Config {
        cases: CASES,
        failure_persistence: None,
        ..Config::default()
    };
    let statuses = RefCell::new(BTreeSet::new());
    let attacked = TestRunner::new(config).run(&request(tokens), |request| {
        if let Some(status) = check(addr, &request)? {
            statuses.borrow_mut().insert(status);
        }
        Ok(())
    });
    attacked.unwrap();
    statuses.into_inner()
}

/// The status of the answer, if there is one.
fn check(addr: SocketAddr, request: &Raw) -> Result<Option<u16>, TestCaseError> {
    let answer = exchange(addr, request)
        .map_err(|error| TestCaseError::fail(format!("no clean end: {error}")))?;
    if answer.is_empty() {
        prop_assert!(!request.is_http, "closed without an answer");
        return Ok(None);
    }
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    let Some(end) = end else {
        return Err(TestCaseError::fail("the head has no end"));
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let (status, headers) = head.split_once("\r\n").unwrap_or((&head, ""));
    let status: u16 = status
        .strip_prefix("http/1.1 ")
        .and_then(|status| status.get(..3)?.parse().ok())
        .ok_or_else(|| TestCaseError::fail(format!("no status line: {status}")))?;
    prop_assert!((200..500).contains(&status), "{status}");
    // What is no HTTP is answered before there is an app to do it.
    let is_ours = headers.contains("x-request-id: ");
    prop_assert!(
        is_ours || !request.is_http || status == 400,
        "{status} without an id"
    );
    if is_ours {
        for header in [
            "x-content-type-options: nosniff",
            "content-security-policy: ",
            "x-frame-options: ",
        ] {
            prop_assert!(headers.contains(header), "{status} without {header}");
        }
    }
    Ok(Some(status))
}

fn exchange(addr: SocketAddr, request: &Raw) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    // Who answers early may have closed before all of it is written.
    let _ = stream.write_all(&request.bytes);
    if !request.is_http {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer) {
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => Ok(answer),
        other => other.map(|_| answer),
    }
}
