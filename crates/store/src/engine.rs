//! The two database engines.

use std::fmt;

use crate::StoreError;

/// A database engine the store speaks to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One file, one host: the embedded default.
    Sqlite,
    /// A server: staging and production.
    Postgres,
}

impl Engine {
    /// The engine of a database URL, by its scheme: `sqlite:`, `postgres:` or `postgresql:`.
    ///
    /// # Errors
    /// [`StoreError::Scheme`] for any other. The error does not show more of the URL.
    pub fn of_url(url: &str) -> Result<Engine, StoreError> {
        match url.split_once(':').map(|(scheme, _)| scheme) {
            Some("sqlite") => Ok(Engine::Sqlite),
            Some("postgres" | "postgresql") => Ok(Engine::Postgres),
            // What looks like no scheme may be anything, a password included.
            other => Err(StoreError::Scheme(
                other
                    .filter(|s| s.chars().all(char::is_alphabetic))
                    .unwrap_or_default()
                    .to_owned(),
            )),
        }
    }
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Engine::Sqlite => "sqlite",
            Engine::Postgres => "postgres",
        })
    }
}
