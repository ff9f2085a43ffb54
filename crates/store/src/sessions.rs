//! Sessions, and the refresh tokens that keep them going: only hashes of those are kept.

use std::time::Duration;

use crate::accounts::AccountRow;
use crate::pool::run;
use crate::tx::Tx;
use crate::{Account, By, Store, StoreError};

/// What became of a refresh token that somebody showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotation {
    /// It is used up, and the next one is in its place.
    Rotated {
        /// The session's id.
        session: String,
        /// Whose session it is.
        account: Account,
    },
    /// It was used before, so one of its two users has stolen it: the session is closed.
    Reused,
    /// It never was, it has expired, or its session is closed.
    Unknown,
}

impl Store {
    /// Opens a session of the account `by.actor` with its first refresh token, which expires after
    /// `ttl`. Gives the session's id, which is opaque and no secret.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such account.
    pub async fn open_session(
        &self,
        by: &By<'_>,
        token_hash: &str,
        ttl: Duration,
    ) -> Result<String, StoreError> {
        let mut tx = self.begin().await?;
        let (session,): (String,) = run!(&mut tx, fetch_one, OPEN_SESSION, (by.actor))?;
        add_token(&mut tx, token_hash, &session, ttl).await?;
        tx.commit_as(by, "session.opened", &format!("session/{session}"), "")
            .await?;
        Ok(session)
    }

    /// Puts the refresh token `new_hash`, which expires after `ttl`, in the place of `old_hash`. Of
    /// several callers with the same token one succeeds.
    pub async fn rotate_session(
        &self,
        request_id: &str,
        old_hash: &str,
        new_hash: &str,
        ttl: Duration,
    ) -> Result<Rotation, StoreError> {
        let mut tx = self.begin().await?;
        // Whoever else shows the same token waits here, and then finds it used.
        let used: Option<(String,)> = run!(&mut tx, fetch_optional, USE_TOKEN, (old_hash))?;
        if let Some((session,)) = used {
            add_token(&mut tx, new_hash, &session, ttl).await?;
            let account: AccountRow = run!(&mut tx, fetch_one, SESSION_ACCOUNT, (&session))?;
            tx.commit_silently().await?;
            let account = account.into();
            return Ok(Rotation::Rotated { session, account });
        }
        let reused: Option<(String, String)> =
            run!(&mut tx, fetch_optional, REVOKE_SESSION, (old_hash))?;
        let Some((session, account)) = reused else {
            return Ok(Rotation::Unknown);
        };
        let by = By {
            actor: &account,
            request_id,
        };
        let subject = format!("session/{session}");
        let detail = "a refresh token was used twice";
        tx.commit_as(&by, "session.revoked", &subject, detail)
            .await?;
        Ok(Rotation::Reused)
    }

    /// Closes a session; one that is closed, or never was, stays as it is.
    pub async fn close_session(&self, by: &By<'_>, session: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let closed: Option<(String,)> = run!(&mut tx, fetch_optional, CLOSE_SESSION, (session))?;
        let Some((session,)) = closed else {
            return Ok(());
        };
        tx.commit_as(by, "session.closed", &format!("session/{session}"), "")
            .await
    }

    /// Whether there is such a session and it is not closed.
    pub async fn session_is_open(&self, session: &str) -> Result<bool, StoreError> {
        let open: Option<(i64,)> = run!(self, fetch_optional, OPEN_SESSION_EXISTS, (session))?;
        Ok(open.is_some())
    }
}

async fn add_token(
    tx: &mut Tx,
    hash: &str,
    session: &str,
    ttl: Duration,
) -> Result<(), StoreError> {
    let seconds = i64::try_from(ttl.as_secs()).unwrap_or(i64::MAX);
    let _: (String,) = run!(tx, fetch_one, ADD_TOKEN, (hash, session, seconds))?;
    Ok(())
}
