//! Feature flags, decided on the server.
//!
//! `flags.toml` at the root of the workspace is part of the binary: a flag changes by a release,
//! which can be rolled back, and every instance of a release agrees on it. File and code cannot
//! drift apart: a table without its variant, and a variant without its table, are refused.
//!
//! ```
//! use flags::{Flag, Flags};
//! use settings::AppEnv;
//!
//! let flags = Flags::load(AppEnv::Local)?;
//! assert!(flags.is_on(Flag::Preorders));
//! # Ok::<(), flags::FlagsError>(())
//! ```

mod error;
mod file;

use settings::AppEnv;

pub use error::FlagsError;

use file::{Definition, File};

/// The file, as it was when this binary was built.
const TEXT: &str = include_str!("../../../flags.toml");

/// One feature that is not for everybody yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flag {
    /// Customers say when they want their meal.
    Preorders,
}

/// What is on in one environment.
#[derive(Clone, Debug)]
pub struct Flags {
    env: AppEnv,
    file: File,
}

impl Flags {
    /// Reads and checks the flags that are part of this binary; nothing of the machine is read.
    pub fn load(env: AppEnv) -> Result<Self, FlagsError> {
        Self::parse(TEXT, env)
    }

    /// Reads the text of a `flags.toml`; the error names line and key.
    pub fn parse(text: &str, env: AppEnv) -> Result<Self, FlagsError> {
        let file = toml::from_str(text).map_err(|error| FlagsError::new(text, &error))?;
        Ok(Self { env, file })
    }

    /// Whether the feature is there for people in this environment.
    pub fn is_on(&self, flag: Flag) -> bool {
        self.definition(flag).is_on(self.env)
    }

    fn definition(&self, flag: Flag) -> &Definition {
        match flag {
            Flag::Preorders => &self.file.preorders,
        }
    }
}
