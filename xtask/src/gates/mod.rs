//! The gates: one file each, and the table that lists them. CLI, docs and order come from the table.

use std::time::Duration;

use anyhow::Result;

use crate::cx::Cx;
use crate::report::{Report, Severity};
use crate::runner::tree::{Spot, Tree};

/// Declares the module and the row of each gate, so that adding one is a single line here.
macro_rules! gates {
    ($($gate:ident,)*) => {
        $(pub(crate) mod $gate;)*
        pub(crate) const GATES: &[Gate] = &[$($gate::GATE,)*];
    };
}

// In the order of the table that a run prints at its end.
gates! {
    branch,
    changelog,
    lockfile,
    fmt,
    typecheck,
    lint,
    env,
    docs,
    routes,
    migrations,
    queries,
    test,
    build,
}

/// One check of `cargo xtask ci`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gate {
    /// Kebab-case noun; the first part of its rule ids.
    pub(crate) id: &'static str,
    /// What is red, in one line.
    pub(crate) about: &'static str,
    pub(crate) tier: Tier,
    /// Gates that must pass first; they are run too when this one is asked for.
    pub(crate) needs: &'static [&'static str],
    /// What it must have for itself while it runs.
    pub(crate) locks: &'static [Lock],
    /// What its verdict depends on.
    pub(crate) inputs: &'static [Input],
    /// May a pass be reused while the inputs are the same?
    pub(crate) cache: Cache,
    pub(crate) platforms: &'static [Platform],
    /// Longest run; `gates.<id>.timeout-s` in `xtask.toml` overrides it.
    pub(crate) timeout: Duration,
    pub(crate) rules: &'static [Rule],
    pub(crate) check: fn(&Cx) -> Result<Report>,
    /// Mends what a machine can mend, so that `check` passes; says what it did.
    pub(crate) fix: Option<Fix>,
    /// One violation per rule, for `cargo xtask prove`.
    pub(crate) plants: &'static [Plant],
}

/// Changes the tree; answers a line per change.
pub(crate) type Fix = fn(&Cx) -> Result<Vec<String>>;

/// When a gate runs: a tier includes the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum Tier {
    /// On commit: seconds.
    Hook,
    /// On every pull request.
    Pull,
    /// On trunk and before a release.
    Trunk,
}

/// Named locks; two gates that name the same one do not run at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lock {
    /// Cargo's `target/debug`.
    DevBuild,
    /// Cargo's `target/release`.
    ReleaseBuild,
}

/// Something a verdict depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Input {
    /// Sources, manifests and lock closure of the workspace's crates.
    Crates,
    /// Files by glob.
    Files(&'static str),
    /// Commits, branch and base.
    Git,
    /// A tool and its version.
    Tool(&'static str),
    /// A variable of the environment.
    Env(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cache {
    /// By the content of the inputs.
    Content,
    /// Depends on the day or on something outside.
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Linux,
    MacOs,
}

impl Platform {
    pub(crate) const ALL: &'static [Platform] = &[Platform::Linux, Platform::MacOs];

    pub(crate) fn is_this(self) -> bool {
        match self {
            Platform::Linux => cfg!(target_os = "linux"),
            Platform::MacOs => cfg!(target_os = "macos"),
        }
    }
}

/// A class of findings.
#[derive(Debug)]
pub(crate) struct Rule {
    /// `<gate>/<name>`, stable.
    pub(crate) id: &'static str,
    pub(crate) severity: Severity,
    /// What is wrong when it is reported.
    pub(crate) about: &'static str,
}

impl Rule {
    pub(crate) const fn error(id: &'static str, about: &'static str) -> Self {
        Self {
            id,
            severity: Severity::Error,
            about,
        }
    }

    pub(crate) const fn warning(id: &'static str, about: &'static str) -> Self {
        Self {
            id,
            severity: Severity::Warning,
            about,
        }
    }
}

/// Plants one violation of `rule` in a copy of the tree and says where it must be reported.
#[derive(Debug)]
pub(crate) struct Plant {
    pub(crate) rule: &'static str,
    pub(crate) plant: fn(&Tree) -> Result<Spot>,
}

pub(crate) fn ids() -> Vec<&'static str> {
    GATES.iter().map(|gate| gate.id).collect()
}

pub(crate) fn rules() -> Vec<&'static str> {
    GATES
        .iter()
        .flat_map(|gate| gate.rules)
        .map(|rule| rule.id)
        .collect()
}

pub(crate) fn find(id: &str) -> Option<&'static Gate> {
    GATES.iter().find(|gate| gate.id == id)
}

const fn minutes(n: u64) -> Duration {
    Duration::from_mins(n)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_table_is_consistent() {
        let ids: BTreeSet<_> = ids().into_iter().collect();
        assert_eq!(ids.len(), GATES.len(), "two gates of one id");
        let mut rules = BTreeSet::new();
        for gate in GATES {
            assert!(
                gate.needs.iter().all(|need| ids.contains(need)),
                "{}: unknown need",
                gate.id
            );
            assert!(
                gate.needs
                    .iter()
                    .all(|need| find(need).unwrap().tier <= gate.tier),
                "{}: tier",
                gate.id
            );
            assert!(
                !gate.rules.is_empty(),
                "{}: a gate without a rule cannot fail",
                gate.id
            );
            assert!(
                !gate.platforms.is_empty() && !gate.timeout.is_zero(),
                "{}",
                gate.id
            );
            for rule in gate.rules {
                assert!(rule.id.starts_with(&format!("{}/", gate.id)), "{}", rule.id);
                assert!(rules.insert(rule.id), "{} is declared twice", rule.id);
            }
            for plant in gate.plants {
                assert!(
                    gate.rules.iter().any(|rule| rule.id == plant.rule),
                    "{}: plants a stranger",
                    plant.rule
                );
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_table() {
        let files = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/gates")).unwrap();
        let names: BTreeSet<String> = files
            .map(|file| {
                file.unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .filter(|name| name != "mod")
            .collect();
        assert_eq!(names, ids().into_iter().map(str::to_owned).collect());
    }
}
