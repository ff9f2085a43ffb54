//! The listener for operators.

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener};

use settings::Surface;

use crate::process::{Server, read_all, read_some, send};

fn ask(addr: SocketAddr, method_and_path: &str) -> String {
    let close = "HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    read_all(send(addr, &format!("{method_and_path} {close}")))
}

fn metrics_addr(server: &Server) -> SocketAddr {
    let line = server.wait_for("showing metrics");
    line["addr"].as_str().unwrap().parse().unwrap()
}

#[test]
fn what_is_described_is_what_is_scraped_after_traffic() {
    let server = Server::start(&[("RELEASE_SHA", "abc123")]);
    let addr = metrics_addr(&server);
    assert!(read_some(&mut server.get("/fast")).ends_with("fast"));
    for n in 0..50 {
        let lost = read_some(&mut server.get(&format!("/nowhere/{n}?q=nowhere")));
        assert!(lost.starts_with("HTTP/1.1 404"), "{lost}");
        let odd = format!("NOWHERE{n} /fast HTTP/1.1\r\nhost: localhost\r\n\r\n");
        let odd = read_some(&mut server.send(&odd));
        assert!(odd.starts_with("HTTP/1.1 405"), "{odd}");
    }
    let mut rare = (0..100).map(|_| read_some(&mut server.get("/rare")));
    assert!(rare.any(|answer| answer.starts_with("HTTP/1.1 429")));

    let answer = ask(addr, "GET /metrics");
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
        "{answer}"
    );
    let scraped: BTreeSet<_> = answer
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .map(|(name, _)| name)
        .collect();
    let description = telemetry::metrics::describe(Surface::Site);
    let described = description.metrics.iter().map(|metric| metric.name);
    assert_eq!(scraped, described.collect());

    // What callers make up names no series.
    assert!(!answer.to_lowercase().contains("nowhere"), "{answer}");
    for expected in [
        "http_requests_total{service=\"site\",route=\"/fast\",method=\"GET\",status=\"200\"} 1\n",
        "http_request_duration_seconds_count{service=\"site\",route=\"/fast\",method=\"GET\"} 1\n",
        "http_requests_in_flight{service=\"site\"} 0\n",
        "release_info{service=\"site\",sha=\"abc123\",version=\"",
    ] {
        assert!(
            answer.contains(expected),
            "{expected} is missing in {answer}"
        );
    }
}

#[test]
fn nothing_else_is_shown_there_nor_metrics_elsewhere() {
    let server = Server::start(&[]);
    let addr = metrics_addr(&server);
    for (asked, status) in [
        ("GET /", 404),
        ("GET /livez", 404),
        ("GET /metrics/", 404),
        ("POST /metrics", 405),
        ("HEAD /metrics", 200),
    ] {
        let answer = ask(addr, asked);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{answer}"
        );
        assert!(answer.ends_with("\r\n\r\n"), "{answer}");
    }
    assert!(ask(server.addr, "GET /metrics").starts_with("HTTP/1.1 404"));
}

#[test]
fn while_another_release_has_the_address_it_serves_and_tries_again() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = other.local_addr().unwrap();
    let server = Server::start(&[("SITE_METRICS_ADDR", &addr.to_string())]);
    server.wait_for("metrics have to wait for their address");
    assert!(read_some(&mut server.get("/fast")).ends_with("fast"));
    drop(other);
    assert_eq!(metrics_addr(&server), addr);
    assert!(ask(addr, "GET /metrics").starts_with("HTTP/1.1 200"));
}
