//! Scans of many workspaces at a time, each a change of one.

use std::path::Path;
use std::sync::Mutex;

use crate::scan::{Files, Scanned, scan, write};

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
