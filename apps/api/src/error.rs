//! How failures reach the caller.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guard::{FieldError, Problem};
use store::StoreError;

/// What every handler of `api` fails with.
pub(crate) struct ApiError(Problem);

impl ApiError {
    /// 401: whoever it is, it has to sign in first.
    pub(crate) fn unauthorized(detail: &str) -> Self {
        Problem::new(StatusCode::UNAUTHORIZED).detail(detail).into()
    }

    /// 404: what the path or the body names is not there, or not the caller's.
    pub(crate) fn not_found(detail: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND).detail(detail).into()
    }

    /// 409: it would be fine, had things not come otherwise.
    pub(crate) fn conflict(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::CONFLICT).detail(detail).into()
    }

    /// 422 for one field.
    pub(crate) fn invalid(field: &str, message: &str) -> Self {
        let error = FieldError {
            field: field.to_owned(),
            message: message.to_owned(),
        };
        Problem::invalid(vec![error]).into()
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        error.0
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self(match error {
            StoreError::Conflict(_) => {
                Problem::new(StatusCode::CONFLICT).detail("something with this name exists already")
            }
            StoreError::Stale { current, .. } => Problem::new(StatusCode::CONFLICT).detail(
                format!("it was changed in the meantime: its version is {current} now"),
            ),
            StoreError::NotFound(_) => Problem::new(StatusCode::NOT_FOUND)
                .detail("what the request refers to is not there"),
            StoreError::Invalid(_) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail("a value is out of range")
            }
            StoreError::Connect { .. }
            | StoreError::Refused { .. }
            | StoreError::Timeout { .. }
            | StoreError::Unavailable { .. } => {
                Problem::unavailable(&error).detail("the database does not answer")
            }
            // No wildcard: whoever adds a failure decides here what callers are told.
            StoreError::Scheme(_) | StoreError::Url(_) | StoreError::Query { .. } => {
                Problem::internal(&error)
            }
        })
    }
}
