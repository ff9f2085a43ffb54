//! The settings of a surface as data: what `<app> describe settings` prints.

use serde::Serialize;

use crate::{Fallback, Kind, Surface, Variable};

/// Every setting of one surface.
#[derive(Debug, Serialize)]
pub struct Description {
    /// Whose they are.
    pub surface: Surface,
    /// One for each variable, in the order of the table.
    pub settings: Vec<Setting>,
}

/// One variable.
#[derive(Debug, Serialize)]
pub struct Setting {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// Whether it must be set outside `local`; a default is then for `local` only.
    pub required: bool,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// What applies when it is not set.
    pub default: Option<&'static str>,
    /// A value to copy.
    pub example: Option<&'static str>,
}

/// Lists the settings of a surface. Reads nothing.
pub fn describe(surface: Surface) -> Description {
    Description {
        surface,
        settings: surface.variables().map(Setting::from).collect(),
    }
}

impl From<&Variable> for Setting {
    fn from(variable: &Variable) -> Self {
        let (required, default) = match variable.fallback {
            Fallback::Required => (true, None),
            Fallback::Locally(value) => (true, Some(value)),
            Fallback::Always(value) => (false, Some(value)),
        };
        Self {
            name: variable.name,
            about: variable.about,
            kind: variable.kind,
            required,
            secret: variable.secret,
            default,
            example: variable.example,
        }
    }
}
