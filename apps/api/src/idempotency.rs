//! A caller that got no answer may ask again: with the same key, what it asks for is done once.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use utoipa::IntoParams;

use crate::error::ApiError;

/// What a caller calls its request by, if it does.
#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
pub(crate) struct IdempotencyKey {
    /// Does what is asked for once, however often it is asked for.
    #[param(
        rename = "idempotency-key",
        value_type = String,
        required = false,
        min_length = 16,
        max_length = 64,
        pattern = "^[A-Za-z0-9_-]{16,64}$"
    )]
    pub(crate) key: Option<String>,
}

const HEADER: &str = "idempotency-key";

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(HEADER) else {
            return Ok(Self { key: None });
        };
        let key = value.to_str().ok().filter(|key| is_key(key));
        let key = key.ok_or_else(|| {
            ApiError::invalid(HEADER, "must be 16 to 64 letters, digits, `-` and `_`")
        })?;
        Ok(Self {
            key: Some(key.to_owned()),
        })
    }
}

fn is_key(text: &str) -> bool {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    (16..=64).contains(&text.len()) && text.bytes().all(is_plain)
}
