//! `[deploy]` and `[roles]`: what the databases of others demand.

use serde::Deserialize;

/// What a deployment relies on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Deploy {
    /// How old the receipt of staging may be when production is migrated.
    pub(crate) receipt_max_age_h: u32,
}

impl Default for Deploy {
    fn default() -> Self {
        Self {
            receipt_max_age_h: 168,
        }
    }
}

/// The roles of PostgreSQL, by name.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Roles {
    /// Owns the tables, and migrates.
    pub(crate) owner: RoleName,
    /// Of the apps.
    pub(crate) app: RoleName,
    /// Reads everything.
    pub(crate) backup: RoleName,
}

impl Default for Roles {
    fn default() -> Self {
        let name = |name: &str| RoleName(name.to_owned());
        Self {
            owner: name("app_owner"),
            app: name("app"),
            backup: name("app_backup"),
        }
    }
}

/// A name that needs no quotes in SQL.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RoleName(String);

impl std::ops::Deref for RoleName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for RoleName {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_plain = name.chars().all(fits) && name.starts_with(|c: char| !c.is_ascii_digit());
        if is_plain && name.len() <= 63 && !name.starts_with("pg_") {
            return Ok(Self(name));
        }
        Err(format!(
            "`{name}` is no name of a role: lower case letters, digits and `_`"
        ))
    }
}
