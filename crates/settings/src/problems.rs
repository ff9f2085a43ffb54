//! Everything that is wrong with the settings, told at once.

use std::fmt;

use crate::{AppEnv, Surface};

/// Why the settings of a surface cannot be used. Never holds the value of a secret.
#[derive(Debug)]
pub struct Problems {
    pub(crate) surface: Surface,
    pub(crate) app_env: AppEnv,
    pub(crate) found: Vec<String>,
}

impl Problems {
    /// One line for each problem.
    pub fn found(&self) -> &[String] {
        &self.found
    }

    /// What to do next.
    pub fn help(&self) -> String {
        if self.app_env.is_local() {
            "run `cargo xtask setup` to write `.env.local`, and start from the workspace root"
                .into()
        } else {
            format!(
                "set them in the environment of the release; `{} describe settings` lists all",
                self.surface
            )
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings of `{}` cannot be used", self.surface)?;
        self.found
            .iter()
            .try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
