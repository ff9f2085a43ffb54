//! A finished app: all that can be done with it is to serve it and to list its routes.
#![expect(
    clippy::disallowed_types,
    reason = "it wraps what the guarded router has built"
)]

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::Service;

use crate::RouteRecord;

/// Guarded routes, ready to serve. Cheap to clone.
#[derive(Clone)]
pub struct App {
    router: Router,
    records: Arc<[RouteRecord]>,
}

impl App {
    pub(crate) fn new(router: Router, records: Vec<RouteRecord>) -> Self {
        Self {
            router,
            records: records.into(),
        }
    }

    /// The table of routes, in the order of registration.
    pub fn routes(&self) -> &[RouteRecord] {
        &self.records
    }
}

impl Service<Request> for App {
    type Response = Response;
    type Error = Infallible;
    type Future = <Router as Service<Request>>::Future;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.router.call(request)
    }
}
