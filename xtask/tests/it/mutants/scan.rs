//! The binary on a workspace in a temporary folder, many at a time.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use serde::Deserialize;

use crate::sandbox::{self, Ran};

/// Paths and texts of a workspace.
pub(crate) type Files = BTreeMap<String, String>;

/// App, method and path of a route.
pub(crate) type Key = (String, String, String);

/// What `xtask routes --format json` prints.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Row>,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Row {
    pub(crate) app: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) file: String,
    pub(crate) line: usize,
    pub(crate) covered_by: Vec<String>,
    pub(crate) access: Option<String>,
    pub(crate) verdict: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) message: String,
    pub(crate) file: Option<String>,
    pub(crate) line: Option<usize>,
}

impl Row {
    pub(crate) fn key(&self) -> Key {
        (self.app.clone(), self.method.clone(), self.path.clone())
    }

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
}

/// A scan that came to an end.
#[derive(Clone)]
pub(crate) struct Scanned {
    pub(crate) code: i32,
    pub(crate) table: Table,
}

pub(crate) fn write(dir: &Path, files: &Files) {
    for (file, text) in files {
        let path = dir.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// Runs `xtask routes` on a folder.
pub(crate) fn routes(dir: &Path, args: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("routes").args(args).arg("--root").arg(dir);
    sandbox::run(command)
}

pub(crate) fn scan(dir: &Path) -> Result<Scanned, String> {
    let ran = routes(dir, &["--format", "json"]);
    let Some(code @ (0 | 1)) = ran.code else {
        return Err(format!(
            "the scan ended with {:?}: {}",
            ran.code, ran.stderr
        ));
    };
    let table =
        serde_json::from_str(&ran.stdout).map_err(|error| format!("{error}: {}", ran.stderr))?;
    Ok(Scanned { code, table })
}

/// Does `work` for every item on all cores; each worker has a copy of `files` to change and mend.
pub(crate) fn on_copies<I: Sync, T: Send>(
    files: &Files,
    items: &[I],
    work: impl Fn(&Path, &I) -> T + Sync,
) -> Vec<T> {
    let queue = Mutex::new(items.iter().enumerate());
    let done = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                let dir = tempfile::tempdir().unwrap();
                write(dir.path(), files);
                loop {
                    let Some((n, item)) = queue.lock().unwrap().next() else {
                        break;
                    };
                    let result = work(dir.path(), item);
                    done.lock().unwrap().push((n, result));
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap();
    done.sort_by_key(|(n, _)| *n);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Scans `files` with these other texts, and puts the old ones back.
pub(crate) fn scan_changed(dir: &Path, files: &Files, changed: &Files) -> Result<Scanned, String> {
    write(dir, changed);
    let scanned = scan(dir);
    restore(dir, files, changed);
    scanned
}

pub(crate) fn restore(dir: &Path, files: &Files, changed: &Files) {
    for file in changed.keys() {
        match files.get(file) {
            Some(text) => std::fs::write(dir.join(file), text).unwrap(),
            None => std::fs::remove_file(dir.join(file)).unwrap(),
        }
    }
}

/// Every file below a folder that is text, by its path relative to it.
pub(crate) fn read_files(root: &Path, wanted: impl Fn(&str) -> bool) -> Files {
    let mut files = Files::new();
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry.unwrap();
        let path = entry
            .path()
            .strip_prefix(root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if entry.file_type().is_file() && wanted(&path) {
            files.insert(path, std::fs::read_to_string(entry.path()).unwrap());
        }
    }
    files
}
