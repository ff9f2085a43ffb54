//! Why a service does not start, and what to do about it.

use std::error::Error as StdError;
use std::net::SocketAddr;
use std::{fmt, io};

use settings::Problems;
use telemetry::with_causes;

/// Why nothing could be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No handler could be installed.
    #[error("failed to install the signal handlers")]
    Signals(#[source] io::Error),
    /// The address cannot be had.
    #[error("failed to listen on `{addr}`")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// What was handed over is no listener.
    #[error("failed to adopt the listener of `LISTEN_FDS`")]
    Adopt(#[source] io::Error),
}

/// An error for whoever starts the service: the causes in one line, then help.
#[derive(Debug)]
pub struct StartupError {
    error: Box<dyn StdError + Send + Sync>,
    help: Option<String>,
}

impl StartupError {
    /// What went wrong; its own text may end with help.
    pub fn new(error: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self {
            error: error.into(),
            help: None,
        }
    }

    /// Adds the next step.
    #[must_use]
    pub fn help(self, help: impl Into<String>) -> Self {
        Self {
            help: Some(help.into()),
            ..self
        }
    }
}

impl fmt::Display for StartupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", with_causes(&*self.error))?;
        match &self.help {
            Some(help) => write!(f, "\nhelp: {help}"),
            None => Ok(()),
        }
    }
}

impl From<Problems> for StartupError {
    fn from(problems: Problems) -> Self {
        let help = problems.help();
        Self::new(problems).help(help)
    }
}

impl From<telemetry::Error> for StartupError {
    fn from(error: telemetry::Error) -> Self {
        let help = error.help();
        Self::new(error).help(help)
    }
}

impl From<Error> for StartupError {
    fn from(error: Error) -> Self {
        let help = match &error {
            Error::Bind { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                "another process listens there: stop it, or choose another address in the settings"
            }
            Error::Bind { .. } => "choose an address of this machine in the settings",
            Error::Adopt(_) => {
                "hand over a listening TCP socket as the first descriptor, or unset `LISTEN_FDS`"
            }
            Error::Signals(_) => "the system is short of resources: see `ulimit -a`",
        };
        Self::new(error).help(help)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_wrong_with_logs_and_metrics_comes_with_help() {
        use telemetry::Error::{Log, NoLevel, Twice};
        let short = io::Error::from_raw_os_error(24);
        for (error, help) in [
            (NoLevel("inof".to_owned()), "`LOG=info`"),
            (Log(short), "`ulimit -a`"),
            (Twice, "`telemetry::init`"),
        ] {
            let text = StartupError::from(error).to_string();
            let (_, next_step) = text.split_once("\nhelp: ").unwrap_or_default();
            assert!(next_step.contains(help), "{text}");
        }
    }
}
