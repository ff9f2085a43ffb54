//! One connection, from its first byte to its last.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use guard::{App, ClientAddr};
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use settings::Common;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tower::Service as _;

use crate::Health;

/// How connections are served. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    app: App,
    health: Health,
    trusted_proxies: Arc<[IpAddr]>,
    header_timeout: Duration,
    closing: watch::Receiver<bool>,
}

impl Connections {
    pub(crate) fn new(
        app: App,
        health: Health,
        common: &Common,
        closing: watch::Receiver<bool>,
    ) -> Self {
        Self {
            app,
            health,
            trusted_proxies: common.trusted_proxies.as_slice().into(),
            header_timeout: common.header_timeout,
            closing,
        }
    }

    /// Serves one until it ends; once everything is closing, until the answer under way is out.
    pub(crate) async fn serve(mut self, stream: TcpStream, peer: SocketAddr) {
        // Small answers go out at once instead of waiting for more.
        let _ = stream.set_nodelay(true);
        let handler = self.clone();
        let service = service_fn(move |request| handler.clone().answer(request, peer));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Also cuts headers that were begun and never finished: a drain would wait for them for
            // ever.
            .header_read_timeout(self.header_timeout)
            .serve_connection(TokioIo::new(stream), service);
        tokio::pin!(connection);
        let ended = tokio::select! {
            // In this order: a request that is here already is answered before the end.
            biased;
            ended = connection.as_mut() => Some(ended),
            _ = self.closing.wait_for(|closing| *closing) => None,
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        if let Err(error) = ended {
            tracing::debug!(error = %error, "connection ended early");
        }
    }

    async fn answer(
        mut self,
        request: Request<Incoming>,
        peer: SocketAddr,
    ) -> Result<Response, Infallible> {
        let mut request = request.map(Body::new);
        let from = ClientAddr::resolve(peer.ip(), request.headers(), &self.trusted_proxies);
        request.extensions_mut().insert(from);
        let mut response = self.app.call(request).await?;
        if self.health.is_draining() {
            // The client's next request then opens a connection to whoever comes after us.
            let close = HeaderValue::from_static("close");
            response.headers_mut().insert(header::CONNECTION, close);
        }
        Ok(response)
    }
}
