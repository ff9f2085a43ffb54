//! The environment a release runs in.

use std::fmt;
use std::str::FromStr;

/// Where the process runs; decides defaults and what is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppEnv {
    /// A developer's machine.
    Local,
    /// A short-lived deployment of one branch.
    Preview,
    /// The rehearsal for production.
    Staging,
    /// The real thing.
    Production,
}

impl AppEnv {
    /// The marker that a database must carry to be used from here.
    pub const fn expected_marker(self) -> &'static str {
        match self {
            Self::Local | Self::Preview => "dev",
            Self::Staging => "staging",
            Self::Production => "prod",
        }
    }

    /// Whether this is a developer's machine.
    pub const fn is_local(self) -> bool {
        matches!(self, Self::Local)
    }

    /// The spelling used in `APP_ENV`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Preview => "preview",
            Self::Staging => "staging",
            Self::Production => "production",
        }
    }
}

impl fmt::Display for AppEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AppEnv {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        [Self::Local, Self::Preview, Self::Staging, Self::Production]
            .into_iter()
            .find(|env| env.as_str() == text)
            .ok_or(())
    }
}
