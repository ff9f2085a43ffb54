//! Clusters whose owner and supervisor were both killed: found by their folder, ended, removed.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, Uid, geteuid, kill_process};

const PREFIX: &str = "pgscratch-";

/// How long a server may take for an immediate shutdown before it is killed.
const QUIT_LIMIT: Duration = Duration::from_secs(5);
/// How long to try before a folder is left for the next time.
const DESTROY_LIMIT: Duration = Duration::from_secs(10);

/// The process a cluster belongs to. Process numbers are used again, so the start time (clock
/// ticks since boot; 0 where the platform does not tell) is part of its identity. So is the space
/// of the numbers: a container that shares the temporary folder has its own.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    namespace: u64,
    pid: u32,
    started: u64,
}

impl Owner {
    pub(crate) fn this_process() -> Owner {
        let pid = process::id();
        Owner {
            namespace: namespace(),
            pid,
            started: running(pid).unwrap_or(0),
        }
    }

    /// The name of this owner's `n`th folder.
    pub(crate) fn dir_name(&self, n: u32) -> String {
        format!(
            "{PREFIX}{}-{}-{}-{n}",
            self.namespace, self.pid, self.started
        )
    }

    fn of_dir(dir: &Path) -> Option<Owner> {
        let mut parts = dir.file_name()?.to_str()?.strip_prefix(PREFIX)?.split('-');
        let owner = Owner {
            namespace: parts.next()?.parse().ok()?,
            pid: parts.next()?.parse().ok()?,
            started: parts.next()?.parse().ok()?,
        };
        let _n: u32 = parts.next()?.parse().ok()?;
        parts.next().is_none().then_some(owner)
    }

    /// Whether it is known to have ended; of another space of numbers nothing is known.
    fn is_dead(&self) -> bool {
        self.namespace == namespace() && running(self.pid) != Some(self.started)
    }
}

/// The space in which process numbers count; 0 where the platform has but one.
fn namespace() -> u64 {
    fs::metadata("/proc/self/ns/pid").map_or(0, |m| m.ino())
}

/// Whether this user can remove a folder of `uid`: another's would only be tried in vain, for as
/// long as [`DESTROY_LIMIT`]. Root's own clusters belong to the account of the server.
fn may_remove(uid: u32, user: Uid) -> bool {
    user.is_root() || uid == user.as_raw()
}

/// Removes the clusters whose owner is dead, with their server if it still runs, and says how
/// many. Clusters of living owners are not touched. Blocks for as long as the servers take to
/// stop, usually well under a second.
///
/// [`crate::Cluster::start`] calls it; a clean-up command may, too.
pub fn collect_leftovers() -> usize {
    let parents = BTreeSet::from([env::temp_dir(), PathBuf::from("/tmp")]);
    parents
        .iter()
        .filter_map(|parent| fs::read_dir(parent).ok())
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        // The server writes into the real folder; a link of that name is not ours.
        .filter(|dir| {
            fs::symlink_metadata(dir).is_ok_and(|m| m.is_dir() && may_remove(m.uid(), geteuid()))
        })
        .filter(|dir| Owner::of_dir(dir).is_some_and(|owner| owner.is_dead()))
        .filter(|dir| destroy(dir))
        .count()
}

/// Ends the processes that serve the cluster in `dir` and removes it; whether it is gone.
///
/// Several processes may do this to one folder at once.
pub(crate) fn destroy(dir: &Path) -> bool {
    let began = Instant::now();
    while dir.exists() && began.elapsed() < DESTROY_LIMIT {
        let signal = if began.elapsed() < QUIT_LIMIT {
            Signal::QUIT
        } else {
            Signal::KILL
        };
        let servers = servers_of(dir);
        for &pid in &servers {
            // It may have ended by itself since it was listed.
            let _ = kill_process(pid, signal);
        }
        // A backend that is still ending may put a file back: then the next round removes it.
        if servers.is_empty() && fs::remove_dir_all(dir).is_ok() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    !dir.exists()
}

/// The processes started with `-D <dir>/data`: `postgres` itself, or an `initdb` under way. The
/// argument is what makes a process this cluster's; a number read from a file could by now
/// belong to another.
#[cfg(target_os = "linux")]
fn servers_of(dir: &Path) -> Vec<Pid> {
    use std::os::unix::ffi::OsStrExt as _;

    let data = dir.join("data");
    let data = data.as_os_str().as_bytes();
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|pid| {
            let arguments = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let arguments: Vec<&[u8]> = arguments.split(|&byte| byte == 0).collect();
            arguments
                .windows(2)
                .any(|pair| pair[0] == b"-D" && pair[1] == data)
        })
        .filter_map(Pid::from_raw)
        .collect()
}

/// As on Linux, by asking `ps`.
#[cfg(not(target_os = "linux"))]
fn servers_of(dir: &Path) -> Vec<Pid> {
    let data = format!(" -D {} ", dir.join("data").display());
    let listed = process::Command::new("ps")
        .args(["-A", "-o", "pid=,args="])
        .output();
    let listed = listed.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&listed)
        .lines()
        .filter(|line| format!("{line} ").contains(&data))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .filter_map(Pid::from_raw)
        .collect()
}

/// When the process started, if it runs. One that is dead but not yet waited for does not run.
#[cfg(target_os = "linux")]
fn running(pid: u32) -> Option<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The program's name, in parentheses, may hold anything; the fields after it may not.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    let state = fields.next()?;
    let started = fields.nth(18)?.parse().ok()?;
    (!matches!(state, "Z" | "X")).then_some(started)
}

/// Zero if the process runs: this platform does not tell since when without help.
#[cfg(not(target_os = "linux"))]
fn running(pid: u32) -> Option<u64> {
    let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
    match rustix::process::test_kill_process(pid) {
        Ok(()) | Err(rustix::io::Errno::PERM) => Some(0),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use rustix::process::Uid;

    use super::{Owner, may_remove};

    #[test]
    fn a_folder_name_is_the_record_of_its_owner() {
        let me = Owner::this_process();
        assert!(!me.is_dead());
        assert_eq!(
            Owner::of_dir(&Path::new("/tmp").join(me.dir_name(3))),
            Some(me)
        );
        for other in [
            "pgscratch-1-2-3",
            "pgscratch-1-2-3-4-5",
            "pgscratch-1-x-3-4",
            "pgscratch",
            "a",
        ] {
            assert_eq!(Owner::of_dir(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_process_number_used_again_is_another_owner() {
        let me = Owner::this_process();
        let other = Owner {
            started: me.started + 1,
            ..me
        };
        assert!(other.is_dead());
    }

    #[test]
    fn of_another_namespace_nobody_is_known_to_be_dead() {
        let me = Owner::this_process();
        let other = Owner {
            namespace: me.namespace + 1,
            // Beyond what any system gives out.
            pid: 4_194_305,
            ..me
        };
        assert!(!other.is_dead());
    }

    #[test]
    fn only_root_removes_what_is_anothers() {
        let (root, user) = (Uid::ROOT, Uid::from_raw(1000));
        assert!(may_remove(1000, user) && may_remove(1000, root));
        assert!(!may_remove(0, user) && !may_remove(1001, user));
    }
}
