//! Identities in signed tokens (JWT, HS256), and tokens that mean nothing by themselves.

mod hs256;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, decode_header, encode,
    get_current_timestamp,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::recent::Recent;
use crate::{Authenticated, Authentication, Authenticator, Identity, Role};

/// Why a token could not be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to sign a token")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

/// 256 bits of the system's randomness as 43 characters that fit a URL, a header and a cookie.
///
/// # Errors
/// When the system has none, which on a running Linux or macOS it always has.
pub fn random_token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// Issues and verifies the tokens of `authorization: Bearer …`.
///
/// Each token names its key, so keys change without a gap: add the next key to those that are
/// believed, then sign with it, then take the last one away once its tokens have expired.
///
/// A token that was found good is remembered until it expires: a caller sends the same one with
/// every request, and checking it costs more than all other guards together.
pub struct SignedTokens {
    keys: Vec<Key>,
    validation: Validation,
    good: Mutex<Recent<String, Good, REMEMBERED>>,
}

/// How many tokens are remembered at least.
const REMEMBERED: usize = 4096;

/// Whose token it is, and until when, in seconds since 1970.
struct Good {
    identity: Identity,
    expires: u64,
}

struct Key {
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
}

impl Key {
    /// The id is a fingerprint: nobody has to invent one, and instances agree on it.
    fn new(secret: &SecretString) -> Self {
        let secret = secret.expose_secret().as_bytes();
        let fingerprint = Sha256::new().chain_update(b"kid:").chain_update(secret);
        Self {
            id: URL_SAFE_NO_PAD.encode(&fingerprint.finalize()[..6]),
            signing: EncodingKey::from_secret(secret),
            verifying: DecodingKey::from_secret(secret),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: Role,
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    iat: u64,
    exp: u64,
}

impl SignedTokens {
    /// The first key signs, all of them are believed. Without any, no token is made or believed.
    pub fn new(keys: &[SecretString]) -> Self {
        hs256::install();
        let mut validation = Validation::new(Algorithm::HS256);
        // Issuer and verifier share a clock, so expired means expired.
        validation.leeway = 0;
        Self {
            keys: keys.iter().map(Key::new).collect(),
            validation,
            good: Mutex::default(),
        }
    }

    /// Makes a token that holds for a while.
    pub fn issue(&self, identity: &Identity, ttl: Duration) -> Result<String, TokenError> {
        let iat = get_current_timestamp();
        let claims = Claims {
            sub: identity.subject.clone(),
            role: identity.role,
            sid: identity.session.clone(),
            iat,
            exp: iat.saturating_add(ttl.as_secs()),
        };
        let missing = jsonwebtoken::errors::ErrorKind::InvalidKeyFormat;
        let key = self.keys.first().ok_or(TokenError(missing.into()))?;
        let header = Header {
            kid: Some(key.id.clone()),
            ..Header::new(Algorithm::HS256)
        };
        Ok(encode(&header, &claims, &key.signing)?)
    }

    /// Reads a token: forged, expired and malformed ones are nobody's.
    pub fn verify(&self, token: &str) -> Option<Identity> {
        let good = || self.good.lock().unwrap_or_else(PoisonError::into_inner);
        // From its second of expiry on (RFC 7519, section 4.1.4); the library lets that one pass.
        let is_fresh = |expires| get_current_timestamp() < expires;
        if let Some(good) = good().get(token) {
            return is_fresh(good.expires).then(|| good.identity.clone());
        }
        let id = decode_header(token).ok()?.kid?;
        let key = self.keys.iter().find(|key| key.id == id)?;
        let claims = decode::<Claims>(token, &key.verifying, &self.validation)
            .ok()
            .map(|token| token.claims)
            .filter(|claims| is_fresh(claims.exp))?;
        let identity = Identity {
            subject: claims.sub,
            role: claims.role,
            session: claims.sid,
        };
        let found = Good {
            identity: identity.clone(),
            expires: claims.exp,
        };
        good().insert(token.to_owned(), found);
        Some(identity)
    }
}

impl Authenticator for SignedTokens {
    fn authenticate<'a>(&'a self, parts: &'a mut Parts) -> Authentication<'a> {
        let identity = bearer(parts).and_then(|token| self.verify(token));
        Box::pin(async move {
            Ok(Authenticated {
                identity,
                set_cookie: None,
            })
        })
    }
}

fn bearer(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
