//! Who calls: known by a signed token, and staff besides by a session that is still open.

use std::sync::Arc;

use axum::http::request::Parts;
use guard::{Authentication, Authenticator, Identity, Problem, Role, SignedTokens};
use store::Store;

use crate::error::ApiError;

/// A customer's token is believed until it expires. What staff may do is worth a look into the
/// database: a session that was signed out, or ended because a copy of it turned up, is over at
/// once.
pub(crate) struct Identities {
    pub(crate) tokens: Arc<SignedTokens>,
    pub(crate) store: Store,
}

impl Authenticator for Identities {
    fn authenticate<'a>(&'a self, parts: &'a mut Parts) -> Authentication<'a> {
        Box::pin(async move {
            let mut found = self.tokens.authenticate(parts).await?;
            if let Some(identity) = &found.identity
                && identity.role == Role::Staff
                && !self.has_open_session(identity).await?
            {
                found.identity = None;
            }
            Ok(found)
        })
    }
}

impl Identities {
    async fn has_open_session(&self, identity: &Identity) -> Result<bool, Problem> {
        let Some(session) = &identity.session else {
            return Ok(false);
        };
        let is_open = self.store.session_is_open(session).await;
        is_open.map_err(|error| ApiError::from(error).into())
    }
}
