//! The environment a database belongs to.

use std::fmt;
use std::str::FromStr;

/// The environment in a database's `env_marker` row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Marker {
    /// A developer's machine, a test, a preview.
    Dev,
    /// The rehearsal.
    Staging,
    /// Real customers.
    Prod,
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Marker::Dev => "dev",
            Marker::Staging => "staging",
            Marker::Prod => "prod",
        })
    }
}

impl FromStr for Marker {
    type Err = UnknownMarker;

    fn from_str(text: &str) -> Result<Marker, UnknownMarker> {
        match text {
            "dev" => Ok(Marker::Dev),
            "staging" => Ok(Marker::Staging),
            "prod" => Ok(Marker::Prod),
            _ => Err(UnknownMarker(text.to_owned())),
        }
    }
}

/// A text that names no environment.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is not an environment marker: `dev`, `staging` or `prod`")]
pub struct UnknownMarker(String);
