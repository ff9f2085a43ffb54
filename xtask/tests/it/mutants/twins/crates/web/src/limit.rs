//! How often one may call.

use std::sync::atomic::{AtomicU32, Ordering};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

static CALLS: AtomicU32 = AtomicU32::new(0);

pub async fn limit_callers(request: Request, next: Next) -> Response {
    if CALLS.fetch_add(1, Ordering::Relaxed) > 1_000 {
        return StatusCode::TOO_MANY_REQUESTS.into_response();
    }
    next.run(request).await
}

/// Counts, and turns nobody away.
pub async fn count_callers(request: Request, next: Next) -> Response {
    CALLS.fetch_add(1, Ordering::Relaxed);
    next.run(request).await
}
