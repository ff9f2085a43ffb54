//! A finished app: all that can be done with it is to serve it and to list its routes.
#![expect(
    clippy::disallowed_types,
    reason = "it wraps what the guarded router has built"
)]

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tower::Service;

use crate::answer::{Head, answer};
use crate::{Guards, RouteRecord};

/// Guarded routes, ready to serve. Cheap to clone.
#[derive(Clone)]
pub struct App {
    router: Router,
    guards: Arc<Guards>,
    records: Arc<[RouteRecord]>,
}

impl App {
    pub(crate) fn new(router: Router, guards: Arc<Guards>, records: Vec<RouteRecord>) -> Self {
        Self {
            router,
            guards,
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
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    /// Outside of the router, not as a layer of it: so it is over 404 and 405 as well, and costs
    /// one allocation.
    fn call(&mut self, request: Request) -> Self::Future {
        let head = Head::of(&request);
        answer(Arc::clone(&self.guards), head, self.router.call(request))
    }
}
