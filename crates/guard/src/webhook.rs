//! What other services send us, signed as the Standard Webhooks specification says:
//! `webhook-id`, `webhook-timestamp`, and in `webhook-signature` one or more
//! `v1,<base64 of HMAC-SHA256 over "{id}.{timestamp}.{body}">`.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

use crate::Problem;

/// How far a delivery's time may be from ours, in seconds.
const TOLERANCE: u64 = 5 * 60;
/// The longest id that is taken.
const MAX_ID: usize = 128;

/// The key that a provider signs with.
#[derive(Clone)]
pub struct WebhookKey(Hmac<Sha256>);

impl WebhookKey {
    /// The key as the provider shows it: `whsec_` and base64. Anything else is taken as it is.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub fn new(secret: &SecretString) -> Self {
        let text = secret.expose_secret();
        let decoded = text
            .strip_prefix("whsec_")
            .and_then(|encoded| STANDARD.decode(encoded).ok());
        let key = decoded.as_deref().unwrap_or(text.as_bytes());
        Self(Hmac::new_from_slice(key).expect("a key of any length"))
    }

    /// Signs a delivery, as the provider does: the value of `webhook-signature`.
    pub fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let signature = self.digest(id, timestamp, body).finalize().into_bytes();
        format!("v1,{}", STANDARD.encode(signature))
    }

    fn digest(&self, id: &str, timestamp: i64, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        mac
    }

    /// Several signatures mean that the provider is changing its key: one of them has to be right.
    fn verify(&self, claimed: &Claimed<'_>, body: &[u8]) -> bool {
        let mut signatures = claimed.signatures.split(' ').filter_map(|signature| {
            let (version, encoded) = signature.split_once(',')?;
            (version == "v1").then(|| STANDARD.decode(encoded).ok())?
        });
        let mac = self.digest(claimed.id, claimed.timestamp, body);
        signatures.any(|signature| mac.clone().verify_slice(&signature).is_ok())
    }
}

/// A delivery whose signature and time are right. As a handler's argument it is the one its policy
/// let in. The same id with another timestamp is the provider trying again; the same id with the
/// same timestamp is somebody repeating what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who sent it.
    pub provider: &'static str,
    /// Names the event.
    pub id: String,
    /// When it was sent, in seconds since 1970.
    pub timestamp: i64,
}

/// Why a delivery was not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    BadSignature,
    Stale,
}

impl Refusal {
    /// The value of the label `result`.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::BadSignature => "bad-signature",
            Self::Stale => "stale",
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::BadSignature => Self::new(StatusCode::UNAUTHORIZED)
                .detail("the signature is missing or does not match"),
            Refusal::Stale => Self::new(StatusCode::BAD_REQUEST)
                .detail("the delivery is more than five minutes old, or from the future"),
        }
    }
}

struct Claimed<'a> {
    id: &'a str,
    timestamp: i64,
    signatures: &'a str,
}

impl<'a> Claimed<'a> {
    fn read(headers: &'a HeaderMap) -> Option<Self> {
        let text = |name| headers.get(name)?.to_str().ok();
        let id: &str = text("webhook-id")?;
        let is_plain =
            !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_graphic());
        let timestamp = text("webhook-timestamp")?;
        // As it is signed: `+1` and `01` would be other texts for the same number.
        let timestamp = timestamp
            .parse()
            .ok()
            .filter(|n: &i64| n.to_string() == timestamp)?;
        is_plain.then_some(Self {
            id,
            timestamp,
            signatures: text("webhook-signature")?,
        })
    }
}

/// Checks the signature before the time: an unsigned time says nothing.
pub(crate) fn verify(
    provider: &'static str,
    key: &WebhookKey,
    headers: &HeaderMap,
    body: &[u8],
    now: SystemTime,
) -> Result<Delivery, Refusal> {
    let claimed = Claimed::read(headers).ok_or(Refusal::BadSignature)?;
    if !key.verify(&claimed, body) {
        return Err(Refusal::BadSignature);
    }
    let now = now
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let age = claimed
        .timestamp
        .abs_diff(now.try_into().unwrap_or(i64::MAX));
    if age > TOLERANCE {
        return Err(Refusal::Stale);
    }
    Ok(Delivery {
        provider,
        id: claimed.id.to_owned(),
        timestamp: claimed.timestamp,
    })
}

impl<S: Sync> FromRequestParts<S> for Delivery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| {
            tracing::error!("a handler asks for a delivery, but its route takes no webhooks");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::HeaderValue;

    use super::*;

    const NOW: i64 = 1_614_265_330;

    fn check(
        key: &str,
        sent: [&str; 3],
        body: &[u8],
        seconds_later: u64,
    ) -> Result<Delivery, Refusal> {
        let mut headers = HeaderMap::new();
        for (name, value) in ["webhook-id", "webhook-timestamp", "webhook-signature"]
            .into_iter()
            .zip(sent)
        {
            headers.insert(name, HeaderValue::from_str(value).unwrap());
        }
        let now = UNIX_EPOCH + Duration::from_secs(NOW.unsigned_abs() + seconds_later);
        verify(
            "payments",
            &WebhookKey::new(&key.into()),
            &headers,
            body,
            now,
        )
    }

    /// The example of the specification, computed by its reference implementation.
    const KEY: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_scheme_is_the_standard_one() {
        let delivery = check(KEY, [ID, "1614265330", SIGNATURE], BODY, 0).unwrap();
        assert_eq!((delivery.id.as_str(), delivery.timestamp), (ID, NOW));
        assert_eq!(WebhookKey::new(&KEY.into()).sign(ID, NOW, BODY), SIGNATURE);
    }

    #[test]
    fn one_right_signature_among_several_does() {
        let several = format!("v1,AAAA v2,xyz {SIGNATURE}");
        assert!(check(KEY, [ID, "1614265330", &several], BODY, 0).is_ok());
    }

    #[test]
    fn whatever_is_not_as_signed_is_refused() {
        let refused = Err(Refusal::BadSignature);
        assert_eq!(
            check(
                "another key, long enough to be one",
                [ID, "1614265330", SIGNATURE],
                BODY,
                0
            ),
            refused
        );
        assert_eq!(check(KEY, [ID, "1614265331", SIGNATURE], BODY, 0), refused);
        assert_eq!(check(KEY, [ID, "+1614265330", SIGNATURE], BODY, 0), refused);
        assert_eq!(
            check(KEY, ["msg_other", "1614265330", SIGNATURE], BODY, 0),
            refused
        );
        assert_eq!(check(KEY, [ID, "1614265330", SIGNATURE], b"{}", 0), refused);
        for signature in [
            "",
            "v1,",
            "v1",
            "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        ] {
            assert_eq!(
                check(KEY, [ID, "1614265330", signature], BODY, 0),
                refused,
                "{signature}"
            );
        }
    }

    #[test]
    fn what_is_too_old_is_refused() {
        assert!(check(KEY, [ID, "1614265330", SIGNATURE], BODY, 300).is_ok());
        assert_eq!(
            check(KEY, [ID, "1614265330", SIGNATURE], BODY, 301),
            Err(Refusal::Stale)
        );
    }
}
