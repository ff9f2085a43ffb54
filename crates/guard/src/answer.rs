//! The outermost step of every request: its id, its log line, the form of its errors, its headers.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use telemetry::RequestId;

use crate::headers::{forbid_storing, harden};
use crate::rate::Caller;
use crate::route;
use crate::{ClientAddr, Deny, Guards, Problem, page};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest explanation that is taken over from a rejection of axum's.
const MAX_DETAIL: usize = 4096;

/// What is kept of a request once the router has it.
#[derive(Clone, Copy)]
pub(crate) struct Head {
    id: RequestId,
    method: &'static str,
    from: Option<ClientAddr>,
    started: Instant,
}

impl Head {
    pub(crate) fn of(request: &Request) -> Self {
        let inbound = request.headers().get(X_REQUEST_ID);
        Self {
            id: RequestId::accept(inbound.and_then(|value| value.to_str().ok())),
            method: name_of(request.method()),
            from: request.extensions().get().copied(),
            started: Instant::now(),
        }
    }
}

/// A method that nobody made up: it can hold anything, a token included.
fn name_of(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("OTHER")
}

/// Runs the rest of the app and finalises whatever it answers.
///
/// No `async fn`, and `rest` is a future already: each level that holds a request by value makes
/// the future larger, and moving it was a fifth of what a request cost.
pub(crate) fn answer(
    guards: Arc<Guards>,
    head: Head,
    rest: impl Future<Output = Result<Response, Infallible>> + Send + 'static,
) -> Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>> {
    let Head {
        id,
        method,
        from,
        started,
    } = head;
    Box::pin(telemetry::in_request(
        id,
        route::matching(async move {
            let in_flight = InFlight::new(&guards);
            let mut response = rest.await?;
            let route = route::matched();
            let route = if let Some(route) = &route {
                route
            } else {
                // No gate has counted it: a flood of these would cost a log line each.
                let counted = guards.count(&guards.unmatched, Caller::at(from)).await;
                response = counted.map_or_else(IntoResponse::into_response, |()| response);
                &guards.unmatched
            };
            dress(&mut response, guards.deny).await;
            harden(response.headers_mut(), &guards.hardened);
            if let Ok(id) = HeaderValue::from_str(id.as_str()) {
                response.headers_mut().insert(X_REQUEST_ID, id);
            }
            let took = started.elapsed();
            route.count(response.status(), took);
            drop(in_flight);
            tracing::info!(
                method,
                // The pattern, never the path: that can hold anything, a token included.
                route = route.path,
                status = response.status().as_u16(),
                latency_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
                "answered"
            );
            Ok(response)
        }),
    ))
}

/// Counts a request as under way, until it is answered or its caller is gone.
struct InFlight<'a>(&'a Guards);

impl<'a> InFlight<'a> {
    fn new(guards: &'a Guards) -> Self {
        guards.in_flight.increment(1.0);
        Self(guards)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.decrement(1.0);
    }
}

/// Gives every error the form of the app: our own problems, and the plain texts of axum's
/// rejections, 404 and 405.
async fn dress(response: &mut Response, deny: Deny) {
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_error(response) => Box::pin(explain(response)).await,
        None => return,
    };
    let (content_type, body) = match deny {
        Deny::Problem => {
            if response.status() == StatusCode::UNAUTHORIZED {
                let challenge = HeaderValue::from_static("Bearer");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, challenge);
            }
            let json = serde_json::to_string(&problem).unwrap_or_default();
            ("application/problem+json", json)
        }
        Deny::Page | Deny::SignIn(_) => {
            let page = page::error(problem.title(), problem.details());
            ("text/html; charset=utf-8", page)
        }
    };
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    forbid_storing(headers);
}

/// An error whose body nobody has formed: a handler's own JSON or page is left alone.
fn is_bare_error(response: &Response) -> bool {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    (status.is_client_error() || status.is_server_error())
        && content_type.is_none_or(|value| value.as_bytes().starts_with(b"text/plain"))
}

/// Keeps the text of a client's error; that of our own faults is not for callers.
async fn explain(response: &mut Response) -> Problem {
    let status = response.status();
    let problem = Problem::new(status);
    if status.is_server_error() {
        return problem;
    }
    let body = std::mem::take(response.body_mut());
    let text = to_bytes(body, MAX_DETAIL).await.unwrap_or_default();
    match std::str::from_utf8(&text) {
        Ok(text) if !text.is_empty() => problem.detail(text),
        _ => problem,
    }
}
