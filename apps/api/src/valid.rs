//! Requests that are read and checked before a handler sees them.

use std::error::Error;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use garde::Validate;
use guard::{FieldError, Problem};
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// A JSON body that keeps to its constraints.
pub(crate) struct Valid<T>(pub(crate) T);

/// A query that keeps to its constraints.
pub(crate) struct ValidQuery<T>(pub(crate) T);

/// The number in a path. What is no number names nothing, so it is not found.
pub(crate) struct Id(pub(crate) i64);

impl<S, T> FromRequest<S> for Valid<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::from_request(request, state).await {
            Ok(Json(body)) => Ok(Self(checked(body)?)),
            Err(JsonRejection::JsonDataError(error)) => Err(misfit(&error).into()),
            Err(JsonRejection::JsonSyntaxError(_)) => Err(Problem::new(StatusCode::BAD_REQUEST)
                .detail("the body is not JSON")
                .into()),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE)
                    .detail("the content type must be `application/json`")
                    .into())
            }
            // The body was too long or broke off: the status says which.
            Err(other) => Err(Problem::new(other.status()).into()),
        }
    }
}

impl<S, T> FromRequestParts<S> for ValidQuery<T>
where
    S: Send + Sync,
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::from_request_parts(parts, state).await {
            Ok(Query(query)) => Ok(Self(checked(query)?)),
            Err(error) => Err(misfit(&error).into()),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(ApiError::not_found("there is nothing with this id")),
        }
    }
}

/// Tells everything that is wrong at once.
fn checked<T: Validate<Context = ()>>(value: T) -> Result<T, Problem> {
    let Err(report) = value.validate() else {
        return Ok(value);
    };
    let errors = report.iter().map(|(path, error)| FieldError {
        field: path.to_string(),
        message: error.message().to_owned(),
    });
    Err(Problem::invalid(errors.collect()))
}

/// Tells what does not have the expected shape.
fn misfit(rejection: &dyn Error) -> Problem {
    let mut cause = rejection;
    while let Some(source) = cause.source() {
        cause = source;
    }
    Problem::invalid(vec![explain(&cause.to_string())])
}

/// Says it in our own words: serde quotes what was sent, and that may be a password.
///
/// Its texts are `<path>: <reason>`, and for most reasons `, expected <what we know>` at the end.
fn explain(text: &str) -> FieldError {
    let text = text.rsplit_once(" at line ").map_or(text, |(text, _)| text);
    let (path, reason) = match text.split_once(": ") {
        // No field of ours has a space in its name, and every reason has.
        Some((path, reason)) if !path.contains(' ') => (path, reason),
        _ => ("", text),
    };
    let within = |field: &str| match path {
        "" => field.to_owned(),
        _ => format!("{path}.{field}"),
    };
    let named = reason.split('`').nth(1).unwrap_or_default();
    let expected = reason.rsplit_once(", expected ").map(|(_, what)| what);
    let starts_with = |kinds: &[&str]| kinds.iter().any(|kind| reason.starts_with(kind));
    let (field, message) = if starts_with(&["missing field `"]) {
        (within(named), "is missing".to_owned())
    } else if starts_with(&["duplicate field `"]) {
        (within(named), "is given twice".to_owned())
    } else if starts_with(&[
        "invalid ",
        "unknown variant `",
        "number too ",
        "cannot parse ",
    ]) {
        let message = expected.map_or("cannot be read".to_owned(), |what| {
            format!("expected {what}")
        });
        (path.to_owned(), message)
    } else if starts_with(&["unknown field `"]) {
        // The end of `path` is the caller's own name for it.
        let message = format!("unknown field, expected {}", expected.unwrap_or("none"));
        (String::new(), message)
    } else {
        (String::new(), "cannot be read".to_owned())
    };
    FieldError { field, message }
}

#[cfg(test)]
mod tests {
    use super::explain;

    #[track_caller]
    fn check(text: &str, field: &str, message: &str) {
        let error = explain(text);
        assert_eq!(
            (error.field.as_str(), error.message.as_str()),
            (field, message)
        );
    }

    #[test]
    fn what_is_wrong_is_said_without_what_was_sent() {
        let at = "at line 1 column 9";
        check(&format!("missing field `name` {at}"), "name", "is missing");
        check(
            &format!("data: missing field `order_id` {at}"),
            "data.order_id",
            "is missing",
        );
        check(
            &format!("name: invalid type: integer `7`, expected a string {at}"),
            "name",
            "expected a string",
        );
        check(
            &format!("name: invalid type: string \", expected x: at line \", expected u16 {at}"),
            "name",
            "expected u16",
        );
        check(
            "limit: invalid digit found in string",
            "limit",
            "cannot be read",
        );
        check(
            "secret: unknown field `secret`, expected `cursor` or `limit`",
            "",
            "unknown field, expected `cursor` or `limit`",
        );
        check(
            "a: b: unknown field `a: b`, expected `limit`",
            "",
            "cannot be read",
        );
        check("something new about `secret`", "", "cannot be read");
    }
}
