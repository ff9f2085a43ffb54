//! Versions of migrations: `YYYYMMDDHHMMSS`, in UTC.

use anyhow::{Context as _, Result};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// The time that a version names, if it is one.
pub(crate) fn time(version: &str) -> Option<DateTime> {
    if version.len() != 14 || !version.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let iso = format!(
        "{}-{}-{}T{}:{}:{}",
        &version[..4],
        &version[4..6],
        &version[6..8],
        &version[8..10],
        &version[10..12],
        &version[12..]
    );
    iso.parse().ok()
}

/// The version for a migration that is written now, and whether `newest` is ahead of the clock: then
/// it is the second after that.
pub(crate) fn next(now: Timestamp, newest: Option<i64>) -> Result<(i64, bool)> {
    let now = now.to_zoned(TimeZone::UTC).datetime();
    let version = |time: DateTime| -> Result<i64> {
        let text = time.strftime("%Y%m%d%H%M%S").to_string();
        text.parse()
            .context("the clock names no year of four digits")
    };
    let at = version(now)?;
    match newest.filter(|newest| *newest >= at) {
        None => Ok((at, false)),
        Some(newest) => {
            let time =
                time(&format!("{newest:014}")).with_context(|| format!("`{newest}` is no time"))?;
            let after = time.checked_add(1.second()).context("no time is newer")?;
            Ok((version(after)?, true))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_version_is_newer_than_clock_and_files() {
        let now: Timestamp = "2026-11-21T08:09:10.9Z".parse().unwrap();
        assert_eq!(next(now, None).unwrap(), (20_261_121_080_910, false));
        let older = Some(20_261_121_080_909);
        assert_eq!(next(now, older).unwrap(), (20_261_121_080_910, false));
        let same = Some(20_261_121_080_910);
        assert_eq!(next(now, same).unwrap(), (20_261_121_080_911, true));
        let last_second = Some(20_261_231_235_959);
        assert_eq!(next(now, last_second).unwrap(), (20_270_101_000_000, true));
        assert!(next(now, Some(99_991_231_235_959)).is_err());
    }
}
