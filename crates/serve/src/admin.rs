//! The listener for operators: `GET /metrics`, and nothing else. On an address of its own, so that
//! no route of the app can open it to the public.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use telemetry::metrics;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, sleep};

use crate::connection::MAX_BUFFER;
use crate::patience::Patience;

/// Those who scrape are few, and known.
const MAX_CONNECTIONS: usize = 16;
/// Longer than scrapes are apart.
const IDLE_LIMIT: Duration = Duration::from_secs(65);
const READ_LIMIT: Duration = Duration::from_secs(10);
const RETRY: Duration = Duration::from_secs(1);
/// Until then, each value of a histogram is kept one by one.
const UPKEEP: Duration = Duration::from_secs(1);
/// The version is that of the format.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Keeps the metrics in order, and shows them.
pub(crate) async fn run(addr: SocketAddr) {
    tokio::join!(keep(), show(addr));
}

async fn keep() {
    let mut upkeep = interval(UPKEEP);
    loop {
        upkeep.tick().await;
        metrics::upkeep();
    }
}

async fn show(addr: SocketAddr) {
    let listener = bind(addr).await;
    let addr = listener.local_addr().unwrap_or(addr);
    tracing::info!(%addr, "showing metrics");
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    while let Ok(slot) = Arc::clone(&slots).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(async move {
                    // However it ends, only its reader is concerned, who tries again.
                    let _ = serve(stream).await;
                    drop(slot);
                });
            }
            Err(_) => sleep(RETRY).await,
        }
    }
}

/// While one release takes over from another, the address is the old one's: the service must not
/// fail for that, nor go without metrics afterwards.
async fn bind(addr: SocketAddr) -> TcpListener {
    let mut told = false;
    loop {
        match TcpListener::bind(addr).await {
            Ok(listener) => return listener,
            Err(error) if !told => {
                tracing::warn!(%addr, %error, "metrics have to wait for their address");
                told = true;
            }
            Err(_) => {}
        }
        sleep(RETRY).await;
    }
}

async fn serve(stream: TcpStream) -> hyper::Result<()> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE_LIMIT)
        .max_buf_size(MAX_BUFFER)
        .serve_connection(
            TokioIo::new(Patience::new(stream, READ_LIMIT)),
            service_fn(answer),
        )
        .await
}

async fn answer(request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let response = match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => {
            ([(header::CONTENT_TYPE, TEXT)], metrics::render()).into_response()
        }
        (_, "/metrics") => (
            StatusCode::METHOD_NOT_ALLOWED,
            [(header::ALLOW, "GET, HEAD")],
        )
            .into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    };
    Ok(response)
}
