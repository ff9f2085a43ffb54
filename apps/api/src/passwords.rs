//! Passwords: hashed with argon2id, a few at a time, in a time that tells nothing.

use std::sync::Arc;
use std::time::Duration;

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::{self, try_generate_salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use axum::http::StatusCode;
use guard::Problem;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::error::ApiError;

/// Each takes 19 MiB and a whole core: more at once would only make all of them slower.
const AT_ONCE: usize = 2;
/// Whoever would wait for longer is told to come back.
const PATIENCE: Duration = Duration::from_secs(3);
/// What glibc frees of less than this it may keep for the thread; 19 MiB for each would add up. Only
/// what is used becomes memory.
const RETURNED_AT_ONCE: usize = 33 << 20;
/// Stands in for the hash of an account that is not there. Nobody knows its password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdCBvZiBub2JvZHkuLg$BwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyAhIiMkJSY";

/// Hashes and verifies. Clones share the queue.
#[derive(Clone)]
pub(crate) struct Passwords {
    turns: Arc<Semaphore>,
    patience: Duration,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self {
            turns: Arc::new(Semaphore::new(AT_ONCE)),
            patience: PATIENCE,
        }
    }

    /// A hash to keep: a PHC string with a salt of its own.
    pub(crate) async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.in_turn(move || hash(password.as_bytes())).await
    }

    /// Whether it is the password of this hash. Without one it takes as long, and is not.
    pub(crate) async fn verify(
        &self,
        password: String,
        hash: Option<String>,
    ) -> Result<bool, ApiError> {
        let is_known = hash.is_some();
        let hash = hash.unwrap_or_else(|| NOBODY.to_owned());
        let is_right = self.in_turn(move || verify(password.as_bytes(), &hash));
        Ok(is_right.await? && is_known)
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> password_hash::Result<T> + Send + 'static,
    ) -> Result<T, ApiError> {
        let turn = Arc::clone(&self.turns).acquire_owned();
        let Ok(Ok(turn)) = timeout(self.patience, turn).await else {
            tracing::warn!("too many passwords to check");
            return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE)
                .detail("too many people are signing in: try again soon")
                .retry_after(1)
                .into());
        };
        let done = spawn_blocking(move || {
            // Here, not outside: the work goes on when its caller is gone.
            let _turn = turn;
            work()
        });
        let done = done.await.map_err(|error| Problem::internal(&error))?;
        done.map_err(|error| Problem::internal(&error).into())
    }
}

fn hash(password: &[u8]) -> password_hash::Result<String> {
    let salt = try_generate_salt()?;
    // 19 MiB, two passes and one lane, as OWASP recommends.
    let params = Params::DEFAULT;
    let hash = PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: (&params).try_into()?,
        salt: Some(Salt::new(&salt)?),
        hash: Some(derive(password, &salt, params)?),
    };
    Ok(hash.to_string())
}

/// With the costs that the hash names: they may rise one day.
fn verify(password: &[u8], hash: &str) -> password_hash::Result<bool> {
    let hash = PasswordHash::new(hash)?;
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else {
        return Err(password_hash::Error::EncodingInvalid);
    };
    // Outputs are compared in constant time.
    Ok(derive(password, salt, Params::try_from(&hash)?)? == *expected)
}

fn derive(password: &[u8], salt: &[u8], params: Params) -> password_hash::Result<Output> {
    let mut memory = Vec::<Block>::with_capacity(RETURNED_AT_ONCE / size_of::<Block>());
    memory.resize(params.block_count(), Block::default());
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into_with_memory(
        password,
        salt,
        &mut output,
        &mut memory,
    )?;
    Ok(Output::new(&output)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COST: &str = "$argon2id$v=19$m=19456,t=2,p=1$";

    #[tokio::test]
    async fn a_hash_is_salted_and_costs_what_owasp_recommends() {
        let passwords = Passwords::new();
        let hash = async || {
            passwords
                .hash("correct horse".to_owned())
                .await
                .ok()
                .unwrap()
        };
        let (one, other) = tokio::join!(hash(), hash());
        assert!(one.starts_with(COST), "{one}");
        assert_ne!(one, other);
        let verify = async |password: &str| {
            let verified = passwords.verify(password.to_owned(), Some(one.clone()));
            verified.await.ok().unwrap()
        };
        assert!(verify("correct horse").await);
        assert!(!verify("correct horse ").await);
    }

    /// Else the time would tell who has an account.
    #[tokio::test]
    async fn nobodys_hash_costs_as_much_and_never_matches() {
        assert!(NOBODY.starts_with(COST), "{NOBODY}");
        let passwords = Passwords::new();
        let verified = passwords.verify("correct horse".to_owned(), None).await;
        assert!(!verified.ok().unwrap());
    }

    #[tokio::test]
    async fn who_would_wait_too_long_is_told_to_come_back() {
        let passwords = Passwords {
            patience: Duration::ZERO,
            ..Passwords::new()
        };
        let busy = passwords.turns.acquire_many(2).await.unwrap();
        assert!(passwords.hash("correct horse".to_owned()).await.is_err());
        drop(busy);
        assert!(passwords.hash("correct horse".to_owned()).await.is_ok());
    }
}
