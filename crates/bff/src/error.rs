//! How a call of `api` fails, and what the person at the browser is told.

use std::error::Error;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use guard::{FieldError, Problem};
use serde::Deserialize;

use crate::{Errors, sign_in};

/// Why there is no answer to work with.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ApiError {
    /// It says no.
    #[error("the api refused with `{}`", .0.status)]
    Problem(ApiProblem),
    /// There was no answer, or none in time. A request that changes something may have done so.
    #[error("failed to reach the api")]
    Unreachable(#[source] Arc<dyn Error + Send + Sync>),
    /// There was one, too long or of another shape than agreed.
    #[error("failed to read the api's answer")]
    Unreadable(#[source] Arc<dyn Error + Send + Sync>),
}

/// An error document of `api`'s (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ApiProblem {
    /// The status of the answer.
    #[serde(skip)]
    pub status: StatusCode,
    /// The status in words.
    pub title: String,
    /// More words, for the person who asked.
    pub detail: Option<String>,
    /// What is wrong with which field.
    #[serde(default)]
    pub errors: Vec<FieldError>,
    /// After how many seconds to try again.
    #[serde(skip)]
    pub retry_after: Option<u64>,
}

impl ApiError {
    pub(crate) fn unreachable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unreachable(source.into().into())
    }

    pub(crate) fn unreadable(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Unreadable(source.into().into())
    }

    /// The status it was refused with, if it was.
    pub const fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Problem(problem) => Some(problem.status),
            Self::Unreachable(_) | Self::Unreadable(_) => None,
        }
    }

    /// Whether what was asked for may have been done all the same: there was no answer, or the fault
    /// came in the midst of it.
    pub fn is_unclear(&self) -> bool {
        self.status().is_none_or(|status| status.is_server_error())
    }

    /// What the person who filled in a form can mend or has to know; any other failure is given
    /// back.
    pub fn into_errors(self) -> Result<Errors, Self> {
        match self {
            Self::Problem(problem)
                if matches!(
                    problem.status,
                    StatusCode::NOT_FOUND
                        | StatusCode::CONFLICT
                        | StatusCode::UNPROCESSABLE_ENTITY
                        | StatusCode::TOO_MANY_REQUESTS
                ) =>
            {
                Ok(Errors::from(problem))
            }
            other => Err(other),
        }
    }
}

impl From<ApiError> for Problem {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Problem(problem) if problem.status.is_client_error() => {
                let refused = Self::new(problem.status);
                let refused = match problem.detail {
                    Some(detail) => refused.detail(detail),
                    None => refused,
                };
                match problem.retry_after {
                    Some(seconds) => refused.retry_after(seconds),
                    None => refused,
                }
            }
            broken => Self::unavailable(&broken)
                .detail("the kitchen cannot be reached right now, please try again in a moment"),
        }
    }
}

/// Handlers may fail with it. A session that `api` no longer knows ends at the sign-in page.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.status() == Some(StatusCode::UNAUTHORIZED) {
            return Redirect::to(sign_in::PATH).into_response();
        }
        Problem::from(self).into_response()
    }
}
