//! Identities in signed tokens (JWT, HS256): access tokens in a header, sessions in a cookie.

mod hs256;

use std::time::Duration;

use axum::http::header::{AUTHORIZATION, COOKIE};
use axum::http::request::Parts;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode, get_current_timestamp,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{Authentication, Authenticator, Identity, Role};

/// Where a request carries its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// `authorization: Bearer …`.
    Bearer,
    /// The cookie of this name.
    Cookie(&'static str),
}

/// Why a token could not be made.
#[derive(Debug, thiserror::Error)]
#[error("failed to sign a token")]
pub struct TokenError(#[from] jsonwebtoken::errors::Error);

/// Issues and verifies signed tokens.
pub struct SignedTokens {
    signing: EncodingKey,
    verifying: DecodingKey,
    validation: Validation,
    carrier: Carrier,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    role: Role,
    iat: u64,
    exp: u64,
}

impl SignedTokens {
    /// Tokens signed with this key.
    pub fn new(key: &SecretString, carrier: Carrier) -> Self {
        hs256::install();
        let key = key.expose_secret().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        // Issuer and verifier share a clock, so expired means expired.
        validation.leeway = 0;
        Self {
            signing: EncodingKey::from_secret(key),
            verifying: DecodingKey::from_secret(key),
            validation,
            carrier,
        }
    }

    /// Makes a token that holds for a while.
    pub fn issue(&self, subject: &str, role: Role, ttl: Duration) -> Result<String, TokenError> {
        let iat = get_current_timestamp();
        let exp = iat.saturating_add(ttl.as_secs());
        let claims = Claims {
            sub: subject.to_owned(),
            role,
            iat,
            exp,
        };
        Ok(encode(
            &Header::new(Algorithm::HS256),
            &claims,
            &self.signing,
        )?)
    }

    /// Reads a token: forged, expired and malformed ones are nobody's.
    pub fn verify(&self, token: &str) -> Option<Identity> {
        let claims = decode::<Claims>(token, &self.verifying, &self.validation)
            .ok()?
            .claims;
        Some(Identity {
            subject: claims.sub,
            role: claims.role,
        })
    }

    fn token<'a>(&self, parts: &'a Parts) -> Option<&'a str> {
        match self.carrier {
            Carrier::Bearer => {
                let (scheme, token) = parts
                    .headers
                    .get(AUTHORIZATION)?
                    .to_str()
                    .ok()?
                    .split_once(' ')?;
                scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
            }
            Carrier::Cookie(name) => parts
                .headers
                .get_all(COOKIE)
                .iter()
                .filter_map(|value| value.to_str().ok())
                .flat_map(|value| value.split(';'))
                .filter_map(|cookie| cookie.trim().split_once('='))
                .find_map(|(known, token)| (known == name).then_some(token)),
        }
    }
}

impl Authenticator for SignedTokens {
    fn authenticate<'a>(&'a self, parts: &'a Parts) -> Authentication<'a> {
        let identity = self.token(parts).and_then(|token| self.verify(token));
        Box::pin(async move { Ok(identity) })
    }
}
