//! What the workspace consists of: its branches, apps, documents, and where SQL may stand.

use serde::Deserialize;

/// Trunk-based development: what a branch may be called and how long it may live.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Branch {
    pub(crate) trunk: String,
    pub(crate) prefixes: Vec<String>,
    pub(crate) bots: Vec<Bot>,
    pub(crate) max_age_days: u32,
}

impl Default for Branch {
    fn default() -> Self {
        Self {
            trunk: "main".to_owned(),
            prefixes: ["feat/", "fix/", "chore/", "hotfix/"]
                .map(str::to_owned)
                .to_vec(),
            bots: Vec::new(),
            max_age_days: 2,
        }
    }
}

/// Branches of a bot are named by the bot.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Bot {
    pub(crate) prefix: String,
    pub(crate) reason: String,
}

/// The deployables: crates below this folder, each with `describe settings|routes`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Apps {
    pub(crate) dir: String,
    /// Crates that may touch axum's own router: they are the guard.
    pub(crate) guard_crates: Vec<String>,
}

impl Default for Apps {
    fn default() -> Self {
        Self {
            dir: "apps".to_owned(),
            guard_crates: vec!["crates/guard".to_owned()],
        }
    }
}

/// Where SQL may stand.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Queries {
    /// Folders of crates that have SQL of their own: they make, mark or check databases, and are no
    /// part of what an app asks of its own.
    pub(crate) exempt: Vec<String>,
}

impl Default for Queries {
    fn default() -> Self {
        let exempt = [
            "crates/marker",
            "crates/pgscratch",
            "crates/testkit",
            "xtask",
        ];
        Self {
            exempt: exempt.map(str::to_owned).to_vec(),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Docs {
    /// Markdown that is not ours to mend (vendored, test input), by path prefix.
    pub(crate) skip: Vec<String>,
}

/// What the changelog has to say.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Changelog {
    /// Every branch that changes something has an entry below `Unreleased`, or a commit with the line
    /// `Changelog-Skip: why`. Off: what users do not notice needs no entry, and a machine cannot tell.
    pub(crate) entry_per_branch: bool,
}
