//! What the handlers share, and what they know about each request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use flags::Flags;
use guard::{Identity, Problem, SignedTokens, Throttle};
use store::{By, Store};
use telemetry::RequestId;

use crate::passwords::Passwords;

/// What the handlers share. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Store,
    pub(crate) tokens: Arc<SignedTokens>,
    pub(crate) passwords: Passwords,
    pub(crate) flags: Arc<Flags>,
    /// Counts tries at one account, wherever they come from.
    pub(crate) sign_ins: Arc<Throttle>,
}

/// Who asks, and in which request: every change is recorded with both.
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    request_id: RequestId,
}

impl Caller {
    /// The account's id.
    pub(crate) fn id(&self) -> &str {
        &self.identity.subject
    }

    pub(crate) fn by(&self) -> By<'_> {
        By {
            actor: self.id(),
            request_id: self.request_id.as_str(),
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        Ok(Self {
            identity: Identity::from_request_parts(parts, state).await?,
            request_id: request_id(),
        })
    }
}

/// The id of the request under way.
pub(crate) fn request_id() -> RequestId {
    RequestId::current().unwrap_or_else(|| RequestId::accept(None))
}
