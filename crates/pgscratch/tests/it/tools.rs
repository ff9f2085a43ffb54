//! What the tests look at: processes and folders.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Pid;
use tempfile::TempDir;

/// A temporary folder that no other test collects leftovers in.
pub(crate) fn own_tmp() -> TempDir {
    let tmp = tempfile::tempdir_in("/tmp").unwrap();
    fs::set_permissions(tmp.path(), fs::Permissions::from_mode(0o1777)).unwrap();
    tmp
}

/// Living processes with `text` in an argument: the supervisor, the server, an `initdb`.
pub(crate) fn processes(text: &str) -> Vec<Pid> {
    fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&arguments).contains(text)
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// Waits until neither a process nor a file of the cluster in `dir` is left, and says whether
/// that came true.
pub(crate) fn wait_until_gone(dir: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(15);
    while Instant::now() < deadline {
        if !Path::new(dir).exists() && processes(dir).is_empty() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[track_caller]
pub(crate) fn assert_gone(dir: &str) {
    assert!(
        wait_until_gone(dir),
        "`{dir}` is still there: {:?}",
        processes(dir)
    );
}
