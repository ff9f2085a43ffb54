//! The scan of a folder: the table that it prints, as data.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Deserialize;

use crate::sandbox;

/// Paths and texts of a workspace.
pub(crate) type Files = BTreeMap<String, String>;

/// App, method and path of a route.
pub(crate) type Key = (String, String, String);

/// What `xtask routes --format json` prints.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Row>,
    pub(crate) answers: Vec<Unrouted>,
    pub(crate) findings: Vec<Finding>,
}

/// One method of one path of one app.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) app: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) handler: String,
    /// `file:line` of each layer around it.
    pub(crate) covered_by: Vec<String>,
    pub(crate) access: Option<String>,
    pub(crate) verdict: String,
}

/// A 404 or 405 of axum's own.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Unrouted {
    pub(crate) root: String,
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) covered_by: Vec<String>,
    /// Of `method_not_allowed_fallback`.
    pub(crate) handler: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) message: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<usize>,
}

/// A scan that came to an end.
#[derive(Clone)]
pub(crate) struct Scanned {
    pub(crate) code: i32,
    pub(crate) table: Table,
}

impl Row {
    pub(crate) fn key(&self) -> Key {
        (self.app.clone(), self.method.clone(), self.path.clone())
    }

    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }

    pub(crate) fn is_guarded(&self) -> bool {
        self.verdict == "guarded"
    }
}

impl Finding {
    pub(crate) fn place(&self) -> String {
        let file = self.file.as_deref().unwrap_or_default();
        format!("{file}:{}", self.line.unwrap_or_default())
    }
}

impl Table {
    pub(crate) fn keys(&self) -> BTreeSet<Key> {
        self.routes.iter().map(Row::key).collect()
    }

    /// What lets whom in, wherever it is written.
    pub(crate) fn meaning(&self) -> BTreeSet<(Key, Option<&str>, &str)> {
        self.routes
            .iter()
            .map(|row| (row.key(), row.access.as_deref(), row.verdict.as_str()))
            .collect()
    }

    /// Severity and rule of each finding, sorted.
    pub(crate) fn rules(&self) -> Vec<(&str, &str)> {
        let mut rules: Vec<_> = self
            .findings
            .iter()
            .map(|finding| (finding.severity.as_str(), finding.rule.as_str()))
            .collect();
        rules.sort_unstable();
        rules
    }
}

pub(crate) fn write(dir: &Path, files: &Files) {
    for (file, text) in files {
        sandbox::write(dir, file, text);
    }
}

/// Scans a folder. Nothing of it is ever built.
pub(crate) fn scan(dir: &Path) -> Result<Scanned, String> {
    let ran = sandbox::run(sandbox::routes(dir, &["--format", "json"]));
    let Some(code @ (0 | 1)) = ran.code else {
        return Err(format!(
            "the scan ended with {:?}:\n{}\n{}",
            ran.code, ran.stdout, ran.stderr
        ));
    };
    let table = serde_json::from_str(&ran.stdout)
        .map_err(|error| format!("{error}:\n{}\n{}", ran.stdout, ran.stderr))?;
    Ok(Scanned { code, table })
}

/// The table of a workspace of these files, be it green or red.
#[track_caller]
pub(crate) fn table(files: &Files) -> Table {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    match scan(dir.path()) {
        Ok(scanned) => scanned.table,
        Err(why) => panic!("{why}"),
    }
}
