//! The outermost step of every request: its id, its log line, the form of its errors, its headers.

use std::any::Any;
use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use telemetry::RequestId;
use tracing::Instrument;

use crate::gate::Shared;
use crate::headers::{forbid_storing, harden};
use crate::page::Page;
use crate::{Deny, Problem};

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest explanation that is taken over from a rejection of axum's.
const MAX_DETAIL: usize = 4096;

/// Runs the rest of the app and finalises whatever it answers.
pub(crate) async fn answer(
    State(shared): State<Arc<Shared>>,
    request: Request,
    next: Next,
) -> Response {
    let inbound = request
        .headers()
        .get(X_REQUEST_ID)
        .and_then(|value| value.to_str().ok());
    let id = RequestId::accept(inbound);
    // At the level of errors, so that no filter takes the id away from them.
    let span = tracing::error_span!("request", request_id = %id);
    async move {
        let started = Instant::now();
        let method = request.method().clone();
        let route = request.extensions().get::<MatchedPath>().cloned();
        let mut response = dress(next.run(request).await, shared.deny).await;
        harden(response.headers_mut(), shared.env);
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(X_REQUEST_ID, id);
        }
        tracing::info!(
            method = %method,
            // The pattern, never the path: that can hold anything, a token included.
            route = route.as_ref().map_or("unmatched", MatchedPath::as_str),
            status = response.status().as_u16(),
            latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        response
    }
    .instrument(span)
    .await
}

/// The answer for a handler that panicked.
#[expect(
    clippy::needless_pass_by_value,
    reason = "the layer hands the payload over"
)]
pub(crate) fn panicked(payload: Box<dyn Any + Send>) -> Response {
    let message = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message");
    tracing::error!(panic = message, "a handler panicked");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into_response()
}

/// Gives every error the form of the app: our own problems, and the plain texts of axum's
/// rejections, 404 and 405.
async fn dress(mut response: Response, deny: Deny) -> Response {
    let problem = match response.extensions_mut().remove::<Problem>() {
        Some(problem) => problem,
        None if is_bare_error(&response) => explain(&mut response).await,
        None => return response,
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
            let page = Page::new(problem.title());
            let page = problem.details().into_iter().fold(page, Page::text);
            ("text/html; charset=utf-8", page.render())
        }
    };
    *response.body_mut() = Body::from(body);
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_LENGTH);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    forbid_storing(headers);
    response
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
