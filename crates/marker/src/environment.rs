//! The environments a database can belong to.

use std::fmt;
use std::str::FromStr;

/// Whose data is in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Environment {
    /// A developer's machine, a test, a preview.
    Dev,
    /// The rehearsal.
    Staging,
    /// Real customers.
    Prod,
}

impl Environment {
    /// The word in the marker.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Staging => "staging",
            Self::Prod => "prod",
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = UnknownEnvironment;

    fn from_str(text: &str) -> Result<Self, UnknownEnvironment> {
        [Self::Dev, Self::Staging, Self::Prod]
            .into_iter()
            .find(|environment| environment.as_str() == text)
            .ok_or_else(|| UnknownEnvironment(text.to_owned()))
    }
}

/// A text that names no environment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no environment of a database: `dev`, `staging` or `prod`")]
pub struct UnknownEnvironment(String);
