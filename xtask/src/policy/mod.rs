//! `xtask.toml`: the only knob file. Every key has a default, so a workspace without one works.

mod backup;
mod deploy;
mod gates;
mod migrations;
mod routes;
mod workspace;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::exit::Problem;

use backup::Backup;
use deploy::Deploy;
pub(crate) use deploy::Roles;
pub(crate) use gates::{Allow, GatePolicy};
pub(crate) use migrations::Migrations;
pub(crate) use routes::{PublicRoute, RouteRule, Routes};
pub(crate) use workspace::{Apps, Branch};
use workspace::{Changelog, Docs, Queries};

pub(crate) const FILE: &str = "xtask.toml";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Policy {
    pub(crate) branch: Branch,
    pub(crate) apps: Apps,
    pub(crate) docs: Docs,
    pub(crate) changelog: Changelog,
    pub(crate) routes: Routes,
    pub(crate) migrations: Migrations,
    pub(crate) queries: Queries,
    pub(crate) backup: Backup,
    pub(crate) deploy: Deploy,
    pub(crate) roles: Roles,
    /// Per gate id.
    pub(crate) gates: BTreeMap<String, GatePolicy>,
    pub(crate) allow: Vec<Allow>,
}

impl Policy {
    /// Reads `xtask.toml` below `root`; a missing file is the default policy.
    pub(crate) fn load(root: &Path) -> Result<Self> {
        Self::read(&root.join(FILE), FILE)
    }

    /// Reads a policy from anywhere.
    pub(crate) fn load_file(path: &Path) -> Result<Self> {
        Self::read(path, &path.display().to_string())
    }

    fn read(path: &Path, name: &str) -> Result<Self> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => {
                return Err(error).context(
                    Problem::precondition(format!("failed to read `{name}`"))
                        .help("make the file readable UTF-8 text"),
                );
            }
        };
        Self::parse(&text, name)
    }

    /// `name` is the file's, for errors.
    pub(crate) fn parse(text: &str, name: &str) -> Result<Self> {
        let mut policy: Self = toml_edit::de::from_str(text).map_err(|error| {
            // The error of `toml_edit` quotes the line and puts a caret under the spot.
            Problem::precondition(format!(
                "failed to parse `{name}`\n{}",
                error.to_string().trim_end()
            ))
            .help(format!("mend the marked spot in `{name}`"))
        })?;
        name.clone_into(&mut policy.routes.file);
        let reasons = policy
            .allow
            .iter()
            .map(|allow| (&allow.rule, &allow.reason))
            .chain(
                policy
                    .branch
                    .bots
                    .iter()
                    .map(|bot| (&bot.prefix, &bot.reason)),
            );
        for (what, reason) in reasons {
            if reason.trim().is_empty() {
                return Err(Problem::precondition(format!(
                    "empty reason for `{what}` in `{name}`"
                ))
                .help("say why the exception is right")
                .into());
            }
        }
        (policy.backup.check()).map_err(|(what, help)| {
            Problem::precondition(format!("{what}, in `{name}`")).help(help)
        })?;
        Ok(policy)
    }

    /// Refuses names of gates and rules that do not exist: a typo must not switch nothing off.
    pub(crate) fn check_names(&self, known: &[&str], rules: &[&str]) -> Result<()> {
        for allow in &self.allow {
            if !rules.contains(&allow.rule.as_str()) {
                return Err(Problem::precondition(format!(
                    "unknown rule `{}` in `{FILE}`",
                    allow.rule
                ))
                .help("docs/gates.md lists the rules")
                .into());
            }
        }
        for (id, gate) in &self.gates {
            if !known.contains(&id.as_str()) {
                return Err(
                    Problem::precondition(format!("unknown gate `{id}` in `{FILE}`"))
                        .help(format!("the gates are: {}", known.join(", ")))
                        .into(),
                );
            }
            if gate
                .off
                .as_ref()
                .is_some_and(|reason| reason.trim().is_empty())
            {
                return Err(Problem::precondition(format!(
                    "empty reason in `gates.{id}.off` in `{FILE}`"
                ))
                .help("say why the gate is off")
                .into());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{FILE, Policy};

    #[test]
    fn a_broken_policy_is_shown_with_a_caret() {
        let error = Policy::parse("[branch]\ntrunk = \"main\"\nprefixs = []\n", FILE).unwrap_err();
        let text = format!("{error:#}");
        assert!(
            text.contains("line 3") && text.contains("^^^^^^^"),
            "{text}"
        );
        assert!(text.contains("unknown field `prefixs`"), "{text}");
    }

    #[test]
    fn an_exception_needs_a_reason() {
        let text = "[[allow]]\nrule = \"docs/dead-link\"\npath = \"README.md\"\nreason = \" \"\n";
        assert!(format!("{:#}", Policy::parse(text, FILE).unwrap_err()).contains("empty reason"));
    }

    #[test]
    fn a_typo_in_a_gate_name_is_refused() {
        let policy = Policy::parse("[gates.lnt]\noff = \"later\"\n", FILE).unwrap();
        assert!(policy.check_names(&["lint"], &[]).is_err());
    }
}
