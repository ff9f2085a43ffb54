//! What can go wrong between a service and its database.

use std::time::Duration;

use sqlx::error::ErrorKind;
use sqlx::postgres::PgDatabaseError;
use sqlx::sqlite::SqliteError;

use crate::connect::Refused;
use crate::pool::STATEMENT_LIMIT;
use crate::{Engine, Refusal};

/// Why the store refused or failed. No text of it, nor of its causes, holds the database URL.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The URL names no engine of ours; holds its scheme.
    #[error(
        "database url scheme `{0}` is not supported\n\
         help: start the url with `sqlite:`, `postgres:` or `postgresql:`"
    )]
    Scheme(String),

    /// The URL cannot be read. Why is not told: the reason quotes what it stumbled over.
    #[error(
        "the {0} url cannot be read\n\
         help: write `sqlite://path/to/file` or `postgres://user:password@host:port/database`, and \
         `%` codes for special characters in user and password"
    )]
    Url(Engine),

    /// The database does not answer, is not there, or refuses the login.
    #[error("failed to connect to the database `{target}`")]
    Connect {
        /// Where it was looked for, without credentials.
        target: String,
        /// Why.
        source: sqlx::Error,
    },

    /// The database is not the one that was marked for here.
    #[error(
        "the database `{target}` is refused: {refusal}\nhelp: {}",
        refusal.help()
    )]
    Refused {
        /// The database, without credentials.
        target: String,
        /// Why.
        refusal: Refusal,
    },

    /// Something with the same unique value exists.
    #[error("`{0}` conflicts with an existing row")]
    Conflict(&'static str),

    /// What the statement refers to is not there.
    #[error("`{0}` found no such row")]
    NotFound(&'static str),

    /// It was changed meanwhile, or is not as the caller believed.
    #[error("`{query}` came too late: the row is at version {current}")]
    Stale {
        /// The statement's name in [`crate::sql`].
        query: &'static str,
        /// The version of the row as it is.
        current: i32,
    },

    /// A value is outside of what the schema allows.
    #[error("`{0}` has a value out of range")]
    Invalid(&'static str),

    /// The database did not answer in time. PostgreSQL has given the statement up, or will: what
    /// was to be changed is not. Only of `COMMIT` nobody knows.
    #[error("`{query}` had no answer within {limit:?}")]
    Timeout {
        /// The statement's name in [`crate::sql`].
        query: &'static str,
        /// The time it was given.
        limit: Duration,
    },

    /// The database went away while serving, or has no connection to spare: later it may answer
    /// again.
    #[error("failed to reach the database for `{query}`")]
    Unavailable {
        /// The statement's name in [`crate::sql`].
        query: &'static str,
        /// Why.
        source: sqlx::Error,
    },

    /// A statement failed for another reason.
    #[error("failed to run `{query}`")]
    Query {
        /// The statement's name in [`crate::sql`].
        query: &'static str,
        /// Why.
        source: sqlx::Error,
    },
}

impl StoreError {
    /// Sorts a failed statement by what its caller can do about it.
    pub(crate) fn of_query(query: &'static str, source: sqlx::Error) -> StoreError {
        let source = match refused(source) {
            Ok(Refused { target, refusal }) => return StoreError::Refused { target, refusal },
            Err(source) => source,
        };
        let error = source.as_database_error();
        match error.map(sqlx::error::DatabaseError::kind) {
            Some(ErrorKind::UniqueViolation) => StoreError::Conflict(query),
            Some(ErrorKind::ForeignKeyViolation) => StoreError::NotFound(query),
            Some(ErrorKind::CheckViolation) => StoreError::Invalid(query),
            _ if has_sqlstate(&source, QUERY_CANCELED) => StoreError::Timeout {
                query,
                limit: STATEMENT_LIMIT,
            },
            _ if has_sqlstate(&source, DATA_EXCEPTION) => StoreError::Invalid(query),
            _ if is_unavailable(&source) => StoreError::Unavailable { query, source },
            _ => StoreError::Query { query, source },
        }
    }
}

/// What `error` is of a connection that was refused; else the error.
fn refused(error: sqlx::Error) -> Result<Refused, sqlx::Error> {
    match error {
        sqlx::Error::Configuration(why) => match why.downcast() {
            Ok(refused) => Ok(*refused),
            Err(why) => Err(sqlx::Error::Configuration(why)),
        },
        other => Err(other),
    }
}

/// The server gave the statement up.
const QUERY_CANCELED: &str = "57014";
/// A class: a value that its type cannot hold, such as a text with a NUL.
const DATA_EXCEPTION: &str = "22";

/// Whether PostgreSQL says so; SQLite's codes are numbers of another kind.
fn has_sqlstate(error: &sqlx::Error, start: &str) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.try_downcast_ref::<PgDatabaseError>().is_some()
            && error.code().is_some_and(|code| code.starts_with(start))
    })
}

/// Whether a statement failed for want of a working connection, not for what it says.
fn is_unavailable(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error.try_downcast_ref::<SqliteError>().is_some() {
                is_unavailable_sqlite(&code)
            } else {
                is_unavailable_postgres(&code)
            }
        }
        _ => false,
    }
}

/// By result code, of which the lower byte is the kind: busy for longer than a writer waits, an
/// I/O error, and a file that cannot be opened.
fn is_unavailable_sqlite(code: &str) -> bool {
    const BUSY: u32 = 5;
    const IO_ERROR: u32 = 10;
    const CANNOT_OPEN: u32 = 14;

    code.parse()
        .is_ok_and(|code: u32| [BUSY, IO_ERROR, CANNOT_OPEN].contains(&(code & 0xff)))
}

/// By SQLSTATE: the connection broke, or the server is shutting down, recovering or starting up.
/// The pool connects anew at any time, so the login may be refused now (28) and the database may
/// no longer exist (3D).
fn is_unavailable_postgres(code: &str) -> bool {
    ["08", "57P", "28", "3D"]
        .iter()
        .any(|class| code.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::{is_unavailable_postgres, is_unavailable_sqlite};

    #[test]
    fn codes_tell_a_lost_database_from_a_wrong_statement() {
        for lost in ["5", "517", "10", "522", "14", "526"] {
            assert!(is_unavailable_sqlite(lost), "{lost}");
        }
        for wrong in ["", "1", "8", "11", "19", "2067"] {
            assert!(!is_unavailable_sqlite(wrong), "{wrong}");
        }
        for lost in ["08006", "57P01", "57P02", "57P03", "28P01", "3D000"] {
            assert!(is_unavailable_postgres(lost), "{lost}");
        }
        for wrong in ["", "42P01", "23505", "57014", "40001", "22003"] {
            assert!(!is_unavailable_postgres(wrong), "{wrong}");
        }
    }
}
