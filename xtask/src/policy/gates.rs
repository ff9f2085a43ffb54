//! `[gates]` and `[[allow]]`: what a gate leaves out.

use std::time::Duration;

use serde::Deserialize;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct GatePolicy {
    /// Switches the gate off, for this reason; shown in every run.
    pub(crate) off: Option<String>,
    pub(crate) timeout_s: Option<u64>,
}

impl GatePolicy {
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout_s.map(Duration::from_secs)
    }
}

/// One accepted finding. It must keep matching: an entry that matches nothing is reported.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(crate) struct Allow {
    pub(crate) rule: String,
    /// Exact path of the finding, or a folder ending in `/`.
    pub(crate) path: String,
    pub(crate) reason: String,
}

impl Allow {
    pub(crate) fn covers(&self, rule: &str, file: Option<&str>) -> bool {
        self.rule == rule
            && file.is_some_and(|file| {
                file == self.path || (self.path.ends_with('/') && file.starts_with(&self.path))
            })
    }
}

#[cfg(test)]
mod tests {
    use super::Allow;

    #[test]
    fn an_allowance_covers_a_file_or_a_folder() {
        let allow = |path: &str| Allow {
            rule: "a/b".into(),
            path: path.into(),
            reason: "x".into(),
        };
        assert!(allow("src/").covers("a/b", Some("src/lib.rs")));
        assert!(allow("src/lib.rs").covers("a/b", Some("src/lib.rs")));
        assert!(!allow("src").covers("a/b", Some("src/lib.rs")));
        assert!(!allow("src/").covers("a/c", Some("src/lib.rs")));
    }
}
