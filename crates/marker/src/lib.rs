//! Which environment a database belongs to, and whether it is still the database that was marked.
//!
//! The marker is one row of a table of its own, `_env_marker`, that no migration makes: a database
//! is marked before it is migrated for the first time. The row names the [`Environment`] and the
//! [`Identity`] of the database it was written in. Whoever copies, clones or restores a database
//! copies the row with it, and the identity no longer fits: the copy is recognised. A seal over
//! both tells a row that was edited by hand; it is no secret, it only makes the edit deliberate.
//!
//! Services and tools ask the same question here, so that they cannot disagree.

mod environment;
pub mod postgres;
mod row;
pub mod sqlite;

use std::fmt::{self, Write as _};

use sha2::{Digest as _, Sha256};

pub use environment::{Environment, UnknownEnvironment};

/// What a database says of itself, apart from its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// PostgreSQL: `system_identifier` of the cluster and, after a `/`, the oid of the database, which
    /// one that is dropped and made anew does not keep. SQLite: the id that the marker gave the file,
    /// empty before.
    pub system: String,
    /// PostgreSQL: the database's name. SQLite: the absolute path of the file.
    pub database: String,
    /// PostgreSQL: address and port as the server sees them, or the name given to the server, or the
    /// socket's folder. SQLite: empty.
    pub server: String,
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.system, &*self.server) {
            (_, "") => f.write_str(&self.database),
            (system, server) => write!(f, "{} at {server} (system {system})", self.database),
        }
    }
}

/// The row of `_env_marker`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marker {
    /// As it is written there; a hand may have written anything.
    pub environment: String,
    /// Of the database that was marked.
    pub identity: Identity,
    /// See [`seal`].
    pub seal: String,
}

/// What was found in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// `None` where there is no table; one of empty texts where there is no row in it.
    pub marker: Option<Marker>,
    /// Of the database that was asked.
    pub identity: Identity,
}

/// Why a database is not to be used from here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// There is no marker.
    #[error("it has no environment marker, `{expected}` is expected")]
    Unmarked {
        /// The environment it should be of.
        expected: Environment,
    },
    /// The row is not one that was written by marking.
    #[error("its environment marker was edited by hand")]
    Edited,
    /// The row was written in another database, from which this one was copied or restored.
    #[error("it is a copy: it was marked `{environment}` as `{of}`, and is `{is}`")]
    Copy {
        /// The environment of the original.
        environment: Environment,
        /// The original.
        of: Box<Identity>,
        /// This one.
        is: Box<Identity>,
    },
    /// It belongs to another environment.
    #[error("it is marked `{found}`, `{expected}` is expected")]
    Wrong {
        /// The environment it should be of.
        expected: Environment,
        /// The environment it is of.
        found: Environment,
    },
}

impl Refusal {
    /// What to do about it, for people.
    pub fn help(&self) -> String {
        match self {
            Refusal::Unmarked {
                expected: Environment::Dev,
            } => "`cargo xtask setup` prepares a new local one; a database that is yours is marked once: \
                  `cargo xtask db mark dev`"
                .to_owned(),
            Refusal::Unmarked { expected } => format!(
                "check `DATABASE_URL`; a new database is marked once: `cargo xtask db mark {expected}`"
            ),
            Refusal::Edited => "put the row of `_env_marker` back; or, once you know whose data it is, \
                                `cargo xtask db mark ENVIRONMENT --adopt`"
                .to_owned(),
            Refusal::Copy { environment, .. } => format!(
                "check `DATABASE_URL`; a copy that takes the place of the original is adopted: \
                 `cargo xtask db mark {environment} --adopt`; where a server's address changes, name it \
                 by `DATABASE_SERVER_ID`"
            ),
            Refusal::Wrong { .. } => {
                "check `DATABASE_URL` and `APP_ENV`; a marker is never changed to fit".to_owned()
            }
        }
    }
}

impl Found {
    /// Whether the database is of `expected`, and the very one that was marked so.
    ///
    /// # Errors
    /// The first of: no marker, an edited one, a copy, another environment.
    pub fn check(&self, expected: Environment) -> Result<(), Refusal> {
        match self.environment()? {
            None => Err(Refusal::Unmarked { expected }),
            Some(found) if found == expected => Ok(()),
            Some(found) => Err(Refusal::Wrong { expected, found }),
        }
    }

    /// The environment it is marked as, if it is marked and is the database that was marked.
    ///
    /// # Errors
    /// [`Refusal::Edited`] and [`Refusal::Copy`].
    pub fn environment(&self) -> Result<Option<Environment>, Refusal> {
        let Some(marker) = &self.marker else {
            return Ok(None);
        };
        let environment: Environment = marker.environment.parse().map_err(|_| Refusal::Edited)?;
        if marker.seal != seal(environment, &marker.identity) {
            return Err(Refusal::Edited);
        }
        if marker.identity != self.identity {
            return Err(Refusal::Copy {
                environment,
                of: Box::new(marker.identity.clone()),
                is: Box::new(self.identity.clone()),
            });
        }
        Ok(Some(environment))
    }
}

/// SHA-256 over environment and identity, in hexadecimal: an edit of either does not fit it.
pub fn seal(environment: Environment, identity: &Identity) -> String {
    let parts = [
        environment.as_str(),
        &identity.system,
        &identity.database,
        &identity.server,
    ];
    let mut hash = Sha256::new();
    for part in parts {
        // With its length, so that no two ways of cutting one text are the same.
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    hex(&hash.finalize())
}

/// Bytes in hexadecimal, in lower case.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::{Environment, Found, Identity, Marker, Refusal, seal};

    fn identity(database: &str) -> Identity {
        Identity {
            system: "7".to_owned(),
            database: database.to_owned(),
            server: "10.0.0.5:5432".to_owned(),
        }
    }

    fn found(environment: Environment) -> Found {
        let identity = identity("kitchen");
        Found {
            marker: Some(Marker {
                environment: environment.to_string(),
                seal: seal(environment, &identity),
                identity: identity.clone(),
            }),
            identity,
        }
    }

    #[test]
    fn the_database_that_was_marked_is_taken_and_no_other() {
        let prod = found(Environment::Prod);
        assert_eq!(prod.check(Environment::Prod), Ok(()));
        assert_eq!(
            prod.check(Environment::Staging),
            Err(Refusal::Wrong {
                expected: Environment::Staging,
                found: Environment::Prod
            })
        );

        let mut unmarked = prod.clone();
        unmarked.marker = None;
        let expected = Environment::Dev;
        assert_eq!(
            unmarked.check(expected),
            Err(Refusal::Unmarked { expected })
        );
    }

    #[test]
    fn each_part_of_the_identity_tells_a_copy() {
        for change in [
            |identity: &mut Identity| identity.system.push('1'),
            |identity: &mut Identity| identity.database.push('1'),
            |identity: &mut Identity| identity.server.push('1'),
        ] {
            let mut copy = found(Environment::Prod);
            change(&mut copy.identity);
            let refusal = copy.check(Environment::Prod).unwrap_err();
            assert!(matches!(refusal, Refusal::Copy { .. }), "{refusal}");
        }
    }

    #[test]
    fn each_edit_by_hand_breaks_the_seal() {
        for edit in [
            |marker: &mut Marker| marker.environment = "staging".to_owned(),
            |marker: &mut Marker| marker.environment = "production".to_owned(),
            |marker: &mut Marker| marker.identity.database = "other".to_owned(),
            |marker: &mut Marker| marker.seal.clear(),
        ] {
            let mut edited = found(Environment::Prod);
            edit(edited.marker.as_mut().unwrap());
            assert_eq!(edited.check(Environment::Prod), Err(Refusal::Edited));
        }
    }

    #[test]
    fn parts_of_an_identity_do_not_run_into_each_other() {
        let cut = |system: &str, database: &str| Identity {
            system: system.to_owned(),
            database: database.to_owned(),
            server: String::new(),
        };
        let (a, b) = (cut("1", "23"), cut("12", "3"));
        assert_ne!(seal(Environment::Dev, &a), seal(Environment::Dev, &b));
    }
}
