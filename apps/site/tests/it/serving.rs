//! The real binary from start to stop, with its settings from `.env.local`.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends the process even when the test fails.
struct Site(Child);

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn starts_serves_and_drains() {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("site-serving");
    fs::create_dir_all(&dir).unwrap();
    fs::write(
        dir.join(".env.local"),
        "SITE_ADDR=127.0.0.1:0\nSITE_METRICS_ADDR=127.0.0.1:0\nLOG=error\n",
    )
    .unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_site"));
    command
        .env_clear()
        .env("LOG", "info")
        .current_dir(dir)
        .stdout(Stdio::piped());
    let mut site = Site(command.spawn().unwrap());

    // `LOG` of the process wins over the file's, so the address is logged.
    let mut lines = BufReader::new(site.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let listening = lines.find(|line| line.contains("listening")).unwrap();
    let addr = listening
        .split("addr=")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap();

    let mut stream = TcpStream::connect(addr).unwrap();
    stream
        .write_all(b"GET /health HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.contains("\"sha\":\"unknown\",\"services\":{}"),
        "{answer}"
    );
    let logged = lines.find(|line| line.contains("answered")).unwrap();
    assert!(
        logged.contains("route=/health status=200 latency_ms="),
        "{logged}"
    );

    let pid = site.0.id().to_string();
    assert!(Command::new("kill").arg(pid).status().unwrap().success());
    assert_eq!(site.0.wait().unwrap().code(), Some(0));
}
