//! Which backups may go.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use super::VerifiedBackup;
use super::folder::{Folder, Kept};
use crate::cx::Cx;
use crate::exit::{Code, Problem};

/// Removes what is older than the policy keeps, now that `newest` was proven: of its own database
/// alone. When any other is newer than it, a clock is wrong and nothing goes.
///
/// # Errors
/// Exit 1 when one of them cannot be removed; the others are, and `newest` is as good as before.
pub(crate) fn retire(cx: &Cx, newest: &VerifiedBackup) -> Result<()> {
    let manifest = newest.manifest();
    let folder = Folder::of(cx, manifest.environment);
    let mut of_this = folder.kept()?;
    of_this.retain(|kept| kept.manifest.identity == manifest.identity);
    let days = cx.policy.backup.keep_days(manifest.environment);
    let times: Vec<Timestamp> = of_this
        .iter()
        .map(|kept| kept.manifest.created_at)
        .collect();
    let mut failed: Vec<String> = (expired(&times, manifest.created_at, days).into_iter())
        .filter_map(|n| remove(&of_this[n]).err())
        .collect();
    // Nobody knows how old the data beside it is.
    let torn = folder.torn(&manifest.identity)?;
    failed.extend(
        torn.iter()
            .map(|path| format!("`{}`: no manifest that can be read", path.display())),
    );
    if failed.is_empty() {
        return Ok(());
    }
    Err(
        Problem::new(Code::Red, format!("failed to remove {}", failed.join(", ")))
            .help("remove it by hand, or mend the rights of the folder; the new backup is whole")
            .into(),
    )
}

/// The dump first: a manifest without one is no backup, and goes with the next run.
fn remove(kept: &Kept) -> Result<(), String> {
    for path in [kept.dump(), kept.path.clone()] {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(format!("`{}`: {error}", path.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Places in `times` of those that are older than `days` before `proven`, the newest there is.
fn expired(times: &[Timestamp], proven: Timestamp, days: u32) -> Vec<usize> {
    if times.iter().any(|time| *time > proven) {
        return Vec::new();
    }
    let limit = SignedDuration::from_hours(24 * i64::from(days));
    let is_old = |time: &Timestamp| proven.duration_since(*time) > limit;
    (0..times.len()).filter(|n| is_old(&times[*n])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(hours: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_hours(hours)
    }

    proptest! {
        /// The proven one is never among those that go, nor any that is young; where one is newer
        /// than it, none goes.
        #[test]
        fn only_what_is_old_goes(mut hours in prop::collection::vec(0_i64..5000, 0..20), proven in 0_i64..5000, days in 7_u32..90) {
            hours.push(proven);
            let times: Vec<Timestamp> = hours.iter().copied().map(at).collect();
            let gone = expired(&times, at(proven), days);
            let is_wrong = hours.iter().any(|other| *other > proven);
            for (n, hour) in hours.iter().enumerate() {
                let is_old = proven - hour > 24 * i64::from(days);
                prop_assert_eq!(gone.contains(&n), is_old && !is_wrong);
            }
        }
    }
}
