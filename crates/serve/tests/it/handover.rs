//! A listener passes from one release to the next, under load.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

use crate::process::{Server, effects, named, read_some};

const CALLERS: usize = 4;
const POST: &[u8] = b"POST /effects HTTP/1.1\r\nhost: localhost\r\ncontent-length: 0\r\n\r\n";

/// Posts on one connection for as long as the server keeps it open, then on the next, and never
/// asks twice: what a client repeats in silence hides what the server lost. Gives how many were
/// answered, or the first failure.
fn call(addr: SocketAddr, stop: &AtomicBool) -> Result<usize, String> {
    let mut answered = 0;
    let mut connection = None;
    while !stop.load(Ordering::Relaxed) {
        let mut stream = match connection.take() {
            Some(stream) => stream,
            None => TcpStream::connect(addr).map_err(|error| error.to_string())?,
        };
        let mut bytes = [0; 4096];
        let n = stream
            .write_all(POST)
            .and_then(|()| stream.read(&mut bytes))
            .map_err(|error| format!("after {answered}: {error}"))?;
        let answer = String::from_utf8_lossy(&bytes[..n]);
        if !answer.starts_with("HTTP/1.1 200") {
            return Err(format!("after {answered}: `{answer}`"));
        }
        answered += 1;
        if !answer.contains("connection: close") {
            connection = Some(stream);
        }
        sleep(Duration::from_millis(8));
    }
    Ok(answered)
}

#[test]
fn a_load_of_posts_loses_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let path = std::env::temp_dir().join(format!("serve-effects-{}", std::process::id()));
    std::fs::write(&path, "").unwrap();
    let effects = effects(path.to_str().unwrap());
    let mut first = Server::adopt(listener.try_clone().unwrap(), &[named("first"), effects]);
    let stop = AtomicBool::new(false);
    let answered = scope(|scope| {
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| scope.spawn(|| call(addr, &stop)))
            .collect();
        sleep(Duration::from_millis(200));
        let _second = Server::adopt(listener, &[named("second"), effects]);
        first.signal("TERM");
        let (code, _) = first.wait();
        sleep(Duration::from_millis(200));
        stop.store(true, Ordering::Relaxed);
        let answered = callers.into_iter().map(|caller| caller.join().unwrap());
        let answered = answered.sum::<Result<usize, _>>();
        assert_eq!(code, 0);
        answered
    });
    let effects = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(answered, Ok(effects.lines().count()));
    for release in ["first", "second"] {
        let count = effects.lines().filter(|line| *line == release).count();
        assert!(count > CALLERS, "{release}: {count}");
    }
}

#[test]
fn who_waits_while_nobody_serves_is_served_by_the_next() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let mut first = Server::adopt(listener.try_clone().unwrap(), &[]);
    assert_eq!(first.addr, addr);
    assert!(read_some(&mut first.get("/fast")).ends_with("fast"));
    first.signal("TERM");
    assert_eq!(first.wait().0, 0);

    let mut waiting = first.get("/fast");
    let second = Server::adopt(listener, &[]);
    assert_eq!(second.addr, addr);
    assert!(read_some(&mut waiting).ends_with("fast"));
}
