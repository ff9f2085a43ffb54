//! One connection, from its first byte to its last.

use std::cell::RefCell;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderValue, header};
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
use crate::patience::Patience;

/// What is kept of a connection at most, in bytes, while its head or a piece of its body comes in.
pub(crate) const MAX_BUFFER: usize = 32 * 1024;

/// How connections are served. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Connections {
    app: App,
    health: Health,
    trusted_proxies: Arc<[IpAddr]>,
    idle_limit: Duration,
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
            idle_limit: common.header_timeout,
            closing,
        }
    }

    /// Serves one until it ends; once everything is closing, until the answer under way is out.
    pub(crate) async fn serve(mut self, stream: TcpStream, peer: SocketAddr) {
        // Small answers go out at once instead of waiting for more.
        let _ = stream.set_nodelay(true);
        let (health, proxies) = (&self.health, &*self.trusted_proxies);
        // hyper asks for one answer at a time, through a shared reference.
        let app = RefCell::new(self.app);
        let service = service_fn(move |request: Request<Incoming>| {
            let mut request = request.map(Body::new);
            let from = ClientAddr::resolve(peer.ip(), request.headers(), proxies);
            request.extensions_mut().insert(from);
            let answer = app.borrow_mut().call(request);
            async move {
                let mut response = answer.await?;
                if health.is_draining() {
                    // The client's next request then opens a connection to whoever comes after us.
                    let close = HeaderValue::from_static("close");
                    response.headers_mut().insert(header::CONNECTION, close);
                }
                Ok::<_, Infallible>(response)
            }
        });
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            // Also cuts headers that were begun and never finished: a drain would wait for them for
            // ever.
            .header_read_timeout(self.idle_limit)
            // A head is small: hyper's own limit lets each caller hold 400 kB with half of one.
            .max_buf_size(MAX_BUFFER)
            .serve_connection(
                TokioIo::new(Patience::new(stream, self.idle_limit)),
                service,
            );
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
            let error = telemetry::with_causes(&error);
            tracing::debug!(error, "connection ended early");
        }
    }
}
