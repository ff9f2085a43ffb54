//! The layout of `flags.toml`.

use jiff::civil::Date;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use settings::AppEnv;
use toml::value::Datetime;

/// A field per flag: serde refuses a table without its field, and a field without its table. A
/// field that no variant of [`Flag`](crate::Flag) reads is dead code, which the compiler tells.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct File {
    pub(crate) preorders: Definition,
}

/// One table of the file.
#[expect(clippy::struct_excessive_bools, reason = "one for each environment")]
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    /// What is there when it is on, in one line.
    #[serde(deserialize_with = "filled")]
    #[expect(dead_code, reason = "for whoever reads the file")]
    about: String,
    /// Who removes it in time.
    #[serde(deserialize_with = "filled")]
    #[expect(dead_code, reason = "for whoever reads the file")]
    owner: String,
    /// The day it was added.
    #[serde(deserialize_with = "date")]
    #[expect(dead_code, reason = "for whoever reads the file")]
    created: Date,
    #[serde(default)]
    local: bool,
    #[serde(default)]
    preview: bool,
    #[serde(default)]
    staging: bool,
    #[serde(default)]
    production: bool,
}

impl Definition {
    /// Whether it is on in that environment.
    pub(crate) fn is_on(&self, env: AppEnv) -> bool {
        match env {
            AppEnv::Local => self.local,
            AppEnv::Preview => self.preview,
            AppEnv::Staging => self.staging,
            AppEnv::Production => self.production,
        }
    }
}

fn filled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Err(D::Error::custom("empty text"));
    }
    Ok(text)
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let value = Datetime::deserialize(deserializer)?;
    let is_date = value.time.is_none() && value.offset.is_none();
    let date = is_date.then(|| value.to_string().parse().ok()).flatten();
    date.ok_or_else(|| D::Error::custom(format!("`{value}` is not a date such as 2026-11-21")))
}
