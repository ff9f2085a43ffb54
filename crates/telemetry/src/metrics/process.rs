//! What the system knows about this process. Where it does not say (all but Linux), nothing is
//! shown.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use metrics::gauge;

use super::table::{OPEN_FDS, RESIDENT_MEMORY, START_TIME};

/// Notes the time; close enough to when the system started the process.
pub(super) fn started() {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    gauge!(START_TIME).set(since.unwrap_or_default().as_secs_f64());
}

/// Reads the rest anew.
pub(super) fn sample() {
    if let Some(bytes) = resident_bytes() {
        gauge!(RESIDENT_MEMORY).set(bytes);
    }
    if let Ok(fds) = fs::read_dir("/proc/self/fd") {
        // Without the one that lists them.
        let open = fds.count().saturating_sub(1);
        gauge!(OPEN_FDS).set(u32::try_from(open).unwrap_or(u32::MAX));
    }
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u32 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(f64::from(kib) * 1024.0)
}
