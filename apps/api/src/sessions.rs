//! Sessions: an access token for minutes, and a refresh token for the next one.
//!
//! A customer's access token is believed without a look into the database, so one that leaks holds
//! until it expires; that of staff ends with its session, see `identities`. Refresh tokens are kept
//! as hashes, work once, and end their session when used again: then somebody else has a copy.

use std::fmt::Write as _;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use contract::{NewSession, Refresh, Tokens};
use guard::{Identity, Problem, Role};
use sha2::{Digest as _, Sha256};
use store::{Account, By, Rotation};

use crate::error::ApiError;
use crate::state::{Api, Caller, request_id};
use crate::valid::Valid;

const ACCESS_TTL: Duration = Duration::from_mins(15);
const REFRESH_TTL: Duration = Duration::from_hours(30 * 24);

/// Signs in.
#[utoipa::path(
    post,
    path = "/v1/sessions",
    request_body = NewSession,
    responses(
        (status = 201, description = "a new session", body = Tokens),
        (status = 401, description = "no such account, or not its password"),
    ),
)]
pub(crate) async fn begin(
    State(api): State<Api>,
    Valid(proof): Valid<NewSession>,
) -> Result<(StatusCode, Json<Tokens>), ApiError> {
    api.sign_ins.take(&proof.email.to_lowercase()).await?;
    let (account, hash) = api.store.credentials(&proof.email).await?.unzip();
    let is_right = api.passwords.verify(proof.password, hash).await?;
    let Some(account) = account.filter(|_| is_right) else {
        return Err(ApiError::unauthorized(
            "the e-mail address or the password is wrong",
        ));
    };
    let refresh_token = new_token()?;
    let request_id = request_id();
    let by = By {
        actor: &account.id,
        request_id: request_id.as_str(),
    };
    let session = api
        .store
        .open_session(&by, &hash_of(&refresh_token), REFRESH_TTL)
        .await?;
    let tokens = tokens(&api, account, session, refresh_token)?;
    Ok((StatusCode::CREATED, Json(tokens)))
}

/// Goes on with a session.
#[utoipa::path(
    post,
    path = "/v1/sessions/refresh",
    request_body = Refresh,
    responses(
        (status = 200, description = "the next tokens", body = Tokens),
        (status = 401, description = "the refresh token is unknown, expired or used up"),
    ),
)]
pub(crate) async fn refresh(
    State(api): State<Api>,
    Valid(used): Valid<Refresh>,
) -> Result<Json<Tokens>, ApiError> {
    let next = new_token()?;
    let (old_hash, new_hash) = (hash_of(&used.refresh_token), hash_of(&next));
    let request_id = request_id();
    let rotation = api
        .store
        .rotate_session(request_id.as_str(), &old_hash, &new_hash, REFRESH_TTL)
        .await?;
    match rotation {
        Rotation::Rotated { session, account } => Ok(Json(tokens(&api, account, session, next)?)),
        Rotation::Reused => Err(ApiError::unauthorized(
            "this refresh token was used before, so its session is closed: sign in again",
        )),
        Rotation::Unknown => Err(ApiError::unauthorized(
            "the session has ended: sign in again",
        )),
    }
}

/// Signs out: the session's refresh token works no more, nor does an access token of staff.
#[utoipa::path(
    delete,
    path = "/v1/sessions/current",
    responses((status = 204, description = "the session is closed")),
)]
pub(crate) async fn end(State(api): State<Api>, caller: Caller) -> Result<StatusCode, ApiError> {
    if let Some(session) = &caller.identity.session {
        api.store.close_session(&caller.by(), session).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

fn tokens(
    api: &Api,
    account: Account,
    session: String,
    refresh_token: String,
) -> Result<Tokens, ApiError> {
    let identity = Identity {
        subject: account.id,
        role: match account.role {
            store::Role::Customer => Role::Customer,
            store::Role::Staff => Role::Staff,
        },
        session: Some(session),
    };
    let issued = api.tokens.issue(&identity, ACCESS_TTL);
    Ok(Tokens {
        access_token: issued.map_err(|error| Problem::internal(&error))?,
        token_type: "Bearer".to_owned(),
        expires_in: ACCESS_TTL.as_secs(),
        refresh_token,
    })
}

fn new_token() -> Result<String, ApiError> {
    guard::random_token().map_err(|error| Problem::internal(&error).into())
}

/// SHA-256 in hexadecimal digits. No salt and no stretching: a token is 32 random bytes, which
/// nobody guesses.
fn hash_of(token: &str) -> String {
    let digest = Sha256::digest(token);
    digest.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[cfg(test)]
mod tests {
    use super::hash_of;

    #[test]
    fn a_hash_is_sha256_in_hexadecimal_digits() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hash_of("abc"), expected);
    }
}
