//! What can go wrong with a throwaway cluster.

use std::error::Error as StdError;
use std::io;
use std::path::PathBuf;

use crate::Missing;

/// Why there is no cluster, or no database in it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No PostgreSQL server is installed.
    #[error(transparent)]
    Missing(#[from] Missing),

    /// This process is root and the machine has no other account to run the server as.
    #[error("failed to find an unprivileged account for postgresql, which refuses to run as root")]
    Account(#[source] io::Error),

    /// The cluster's folder could not be created or handed to the server's account.
    #[error("failed to create the cluster folder `{}`", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },

    /// The supervisor of the server could not be started.
    #[error("failed to start `/bin/sh` to supervise postgresql")]
    Supervisor(#[source] io::Error),

    /// The server ended, or did not answer in time.
    #[error("postgresql {what}; its log ends with:\n{log}")]
    Start {
        /// What was observed: ended, or silent for how long.
        what: String,
        /// The end of the server's log.
        log: String,
    },

    /// A template key that is not a plain name.
    #[error(
        "template key `{0}` is not a name\nhelp: use 1 to 48 of lower case letters, digits and `_`"
    )]
    Key(String),

    /// A statement of this crate's own failed.
    #[error("failed to {doing} on the scratch server")]
    Sql {
        /// What the statement was for.
        doing: &'static str,
        /// Why.
        source: sqlx::Error,
    },

    /// The caller's preparation of a template failed; nothing of the template is kept.
    #[error("failed to prepare the template database `{key}`")]
    Prepare {
        /// The template's key.
        key: String,
        /// Why.
        source: Box<dyn StdError + Send + Sync>,
    },
}

impl Error {
    /// Names the purpose of a statement that failed.
    pub(crate) fn sql(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Error {
        move |source| Error::Sql { doing, source }
    }
}

/// An error and its causes on one line, as a failing test should show it.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
