//! How failures reach the caller.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use guard::{FieldError, Problem};
use store::StoreError;

/// What every handler of `api` fails with.
pub(crate) struct ApiError(Problem);

impl ApiError {
    /// Passes if no field was found wrong.
    pub(crate) fn unless_valid(errors: Vec<FieldError>) -> Result<(), Self> {
        if errors.is_empty() {
            Ok(())
        } else {
            Err(Self(Problem::invalid(errors)))
        }
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
            StoreError::NotFound(_) => Problem::new(StatusCode::NOT_FOUND)
                .detail("what the request refers to is not there"),
            StoreError::Invalid(_) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY).detail("a value is out of range")
            }
            StoreError::Connect { .. }
            | StoreError::Timeout { .. }
            | StoreError::Unavailable { .. } => {
                Problem::unavailable(&error).detail("the database does not answer")
            }
            // No wildcard: whoever adds a failure decides here what callers are told.
            StoreError::Scheme(_)
            | StoreError::Url { .. }
            | StoreError::Unmarked { .. }
            | StoreError::WrongMarker { .. }
            | StoreError::Query { .. } => Problem::internal(&error),
        })
    }
}

/// Notes a field that is wrong.
pub(crate) fn check(
    errors: &mut Vec<FieldError>,
    ok: bool,
    field: &'static str,
    message: &'static str,
) {
    if !ok {
        errors.push(FieldError { field, message });
    }
}
