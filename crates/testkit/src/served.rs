//! A finished app behind a real socket.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::body::Body;
use axum::response::Response;
use guard::{App, ClientAddr};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tower::Service as _;

use crate::migrations::must;

/// How long a client may take to send its headers.
const HEADER_LIMIT: Duration = Duration::from_secs(10);

/// An app that is served on a loopback port of its own until dropped, connections and all.
#[derive(Debug)]
pub struct Served {
    addr: SocketAddr,
    _accepting: JoinSet<()>,
}

impl Served {
    /// Serves `app`. Loopback is a trusted proxy here, so a test speaks for any address by the
    /// header `x-forwarded-for`.
    ///
    /// # Panics
    /// When there is no port to be had.
    pub async fn start(app: App) -> Served {
        let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = must("bind a loopback port", bound);
        let addr = must("read the port", listener.local_addr());
        let mut accepting = JoinSet::new();
        accepting.spawn(accept(listener, app));
        Served {
            addr,
            _accepting: accepting,
        }
    }

    /// Where it is served: `http://127.0.0.1:4711`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The address itself, for a test that sends what no client would.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }
}

/// Dropping it drops every connection with it.
async fn accept(listener: TcpListener, app: App) {
    let mut connections = JoinSet::new();
    while let Ok((stream, peer)) = listener.accept().await {
        // What has ended would pile up otherwise.
        while connections.try_join_next().is_some() {}
        connections.spawn(serve(stream, peer, app.clone()));
    }
}

async fn serve(stream: TcpStream, peer: SocketAddr, app: App) {
    let service = service_fn(move |request| answer(app.clone(), request, peer));
    // How a connection ends is its client's business.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn answer(
    mut app: App,
    request: Request<Incoming>,
    peer: SocketAddr,
) -> Result<Response, Infallible> {
    let mut request = request.map(Body::new);
    let trusted = [IpAddr::V4(Ipv4Addr::LOCALHOST)];
    let from = ClientAddr::resolve(peer.ip(), request.headers(), &trusted);
    request.extensions_mut().insert(from);
    app.call(request).await
}
