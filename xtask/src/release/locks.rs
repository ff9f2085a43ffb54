//! Locks that a killed git left behind. Git makes `NAME.lock` beside what it writes, and removes it
//! again unless it is killed; from then on every other git refuses to write there.
//!
//! A release begins only where none of them is, and a git of its own is known to have ended, for it
//! holds the lock of the release. What is there afterwards is removed when it holds nothing, or what
//! the release itself wrote, and when no other git is at work here. Any other one stays: git then
//! refuses, and names the file.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;

use super::git::Git;
use crate::exit::Problem;

/// What a release has git write in the folder of the repository, besides refs.
const FIXED: [&str; 3] = ["index", "HEAD", "packed-refs"];

fn lock(git: &Git<'_>, name: &str) -> Result<PathBuf> {
    let mut path = git.path(name)?.into_os_string();
    path.push(".lock");
    Ok(PathBuf::from(path))
}

/// Refuses to begin where one is held: whoever finds it later has to know whose it is.
///
/// # Errors
/// Exit 3 with the file that is in the way.
pub(super) fn none(git: &Git<'_>, refs: &[&str]) -> Result<()> {
    for name in FIXED.iter().chain(refs) {
        let lock = lock(git, name)?;
        if lock.exists() {
            return Err(Problem::precondition(format!("`{}` is there", lock.display()))
                .help("another git is at work in this repository; if none is, it was killed: remove that file")
                .into());
        }
    }
    Ok(())
}

/// Removes those that were left. `ids` are the commits, in hexadecimal, that refs are set to.
///
/// # Errors
/// When git cannot be asked where they are.
pub(super) fn sweep(git: &Git<'_>, refs: &[&str], ids: &[&str]) -> Result<()> {
    for name in FIXED.iter().chain(refs).filter(|name| **name != "index") {
        let lock = lock(git, name)?;
        let Ok(holds) = fs::read_to_string(&lock) else {
            continue;
        };
        let holds = holds.trim();
        let is_ours = holds.is_empty() || {
            let commit = git.try_run(
                &[
                    "rev-parse",
                    "--verify",
                    "--quiet",
                    &format!("{holds}^{{commit}}"),
                ],
                b"",
            )?;
            ids.contains(&String::from_utf8_lossy(&commit.stdout).trim())
        };
        if is_ours && !is_at_work(git)? {
            if *name == "packed-refs" {
                // Written under that lock.
                let _ = fs::remove_file(git.path("packed-refs.new")?);
            }
            let _ = fs::remove_file(lock);
        }
    }
    Ok(())
}

/// Whether a git works in this repository, or may: where `/proc` does not tell, one may.
fn is_at_work(git: &Git<'_>) -> Result<bool> {
    let common = git
        .top()
        .join(git.line(&["rev-parse", "--git-common-dir"])?);
    let common = common.canonicalize().unwrap_or(common);
    let Ok(processes) = fs::read_dir("/proc") else {
        return Ok(true);
    };
    let works_here = |process: &Path| {
        let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
        if !name.starts_with("git") {
            return false;
        }
        match fs::read_link(process.join("cwd")) {
            Ok(folder) => folder.starts_with(git.top()) || folder.starts_with(&common),
            // It has ended; or it is another user's.
            Err(error) => error.kind() == std::io::ErrorKind::PermissionDenied,
        }
    };
    Ok(processes
        .flatten()
        .any(|process| works_here(&process.path())))
}
