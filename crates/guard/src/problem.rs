//! The one error type of handlers and guards. The app renders it: problem+json or a small page.

use std::error::Error;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use telemetry::with_causes;

/// An error answer (RFC 9457).
#[derive(Clone, Debug, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    #[serde(serialize_with = "as_number")]
    status: StatusCode,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// What is wrong with one field of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field; nested ones with dots between.
    pub field: String,
    /// What is wrong with it.
    pub message: String,
}

impl Problem {
    /// The bare status.
    pub fn new(status: StatusCode) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status,
            detail: None,
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Tells the caller more.
    #[must_use]
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self {
            detail: Some(detail.into()),
            ..self
        }
    }

    /// Tells the caller when to come back.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        Self {
            retry_after: Some(seconds),
            ..self
        }
    }

    /// Fields that were understood but cannot be accepted.
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(StatusCode::UNPROCESSABLE_ENTITY)
        }
    }

    /// Our own fault: the cause goes to the log, under the request's id, and not to the caller.
    pub fn internal(error: &(dyn Error + 'static)) -> Self {
        tracing::error!(error = with_causes(error), "request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// What we depend on is gone for now: the cause goes to the log alike, and the caller may try
    /// again.
    pub fn unavailable(error: &(dyn Error + 'static)) -> Self {
        tracing::warn!(error = with_causes(error), "request failed for now");
        Self::new(StatusCode::SERVICE_UNAVAILABLE).retry_after(1)
    }

    pub(crate) fn title(&self) -> &'static str {
        self.title
    }

    pub(crate) fn details(&self) -> Option<&str> {
        self.detail.as_deref()
    }
}

/// Status and headers; the body is filled in by the app, which knows how its callers read.
impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for this signature"
)]
fn as_number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
