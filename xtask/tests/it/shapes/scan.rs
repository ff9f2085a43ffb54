//! The scan's answer as data, as far as shapes can tell it apart.

use std::collections::BTreeMap;
use std::process::Command;

use serde::Deserialize;

use crate::sandbox;

/// What `xtask routes --format json` prints.
#[derive(Debug, Deserialize)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Row>,
    pub(crate) findings: Vec<Finding>,
}

/// One method of one path of one app.
#[derive(Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) app: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) handler: String,
    pub(crate) verdict: String,
    /// `file:line` of each layer around it.
    pub(crate) covered_by: Vec<String>,
    file: String,
    line: usize,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) message: String,
    file: Option<String>,
    line: Option<usize>,
}

impl Row {
    pub(crate) fn place(&self) -> String {
        format!("{}:{}", self.file, self.line)
    }
}

impl Finding {
    pub(crate) fn place(&self) -> String {
        let file = self.file.as_deref().unwrap_or_default();
        format!("{file}:{}", self.line.unwrap_or_default())
    }
}

/// Scans a workspace of these files. Nothing of it is ever built.
pub(crate) fn scan(files: &BTreeMap<String, String>) -> Table {
    let dir = tempfile::tempdir().unwrap();
    for (file, text) in files {
        let path = dir.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.args(["routes", "--format", "json", "--root"]);
    command.arg(dir.path()).current_dir(dir.path());
    let ran = sandbox::run(command);
    // Red is what apps without guards are.
    assert!(
        matches!(ran.code, Some(0 | 1)),
        "the scan ended with {:?}:\n{}\n{}",
        ran.code,
        ran.stdout,
        ran.stderr
    );
    serde_json::from_str(&ran.stdout)
        .unwrap_or_else(|error| panic!("{error}:\n{}\n{}", ran.stdout, ran.stderr))
}
