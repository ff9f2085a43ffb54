//! `[migrations]`: how they are applied.

use serde::Deserialize;

/// How migrations are applied to databases that are kept.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub(crate) struct Migrations {
    /// How long to wait for another migrator.
    pub(crate) migrator_lock_s: u64,
    /// How long a migration may wait for a lock on a table, and hold up all behind it. 0: for ever.
    pub(crate) lock_timeout_ms: u64,
    /// How often it is tried when it does not get the lock.
    pub(crate) lock_attempts: u32,
    /// How long one statement may take in a transaction. 0: no limit.
    pub(crate) statement_timeout_s: u64,
    /// The same outside of a transaction, where indexes are built. 0: no limit.
    pub(crate) no_transaction_timeout_s: u64,
    /// When few people notice: heavy statements at another time are warned of.
    pub(crate) heavy_window: Option<Window>,
}

/// Hours of a day in UTC, from the first up to the last: `22:00-04:00` goes over midnight.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Window {
    from: jiff::civil::Time,
    to: jiff::civil::Time,
}

impl Window {
    pub(crate) fn has(&self, moment: jiff::Timestamp) -> bool {
        let time = moment.to_zoned(jiff::tz::TimeZone::UTC).time();
        if self.from <= self.to {
            (self.from..self.to).contains(&time)
        } else {
            time >= self.from || time < self.to
        }
    }
}

impl TryFrom<String> for Window {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let time = |text: &str| jiff::civil::Time::strptime("%H:%M", text.trim()).ok();
        let window = text
            .split_once('-')
            .and_then(|(from, to)| Some((time(from)?, time(to)?)));
        match window {
            Some((from, to)) if from != to => Ok(Self { from, to }),
            _ => Err(format!(
                "`{text}` is no window, such as `22:00-04:00` (UTC)"
            )),
        }
    }
}

impl std::fmt::Display for Window {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.from.strftime("%H:%M"), self.to.strftime("%H:%M"));
        write!(f, "{from}-{to} UTC")
    }
}

impl Default for Migrations {
    fn default() -> Self {
        Self {
            migrator_lock_s: 60,
            lock_timeout_ms: 2000,
            lock_attempts: 8,
            statement_timeout_s: 900,
            no_transaction_timeout_s: 0,
            heavy_window: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn a_window_may_go_over_midnight() {
        let window = |text: &str| Window::try_from(text.to_owned());
        let at = |time: &str| format!("2026-11-21T{time}:00Z").parse().unwrap();
        let night = window("22:00-04:00").unwrap();
        for (time, inside) in [
            ("21:59", false),
            ("22:00", true),
            ("00:00", true),
            ("03:59", true),
            ("04:00", false),
            ("12:00", false),
        ] {
            assert_eq!(night.has(at(time)), inside, "{time}");
        }
        let noon = window("12:00-13:30").unwrap();
        assert!(noon.has(at("13:29")) && !noon.has(at("13:30")) && !noon.has(at("11:59")));
        assert_eq!(night.to_string(), "22:00-04:00 UTC");
        for wrong in ["", "22-4", "22:00", "22:00-22:00", "25:00-26:00", "a-b"] {
            assert!(window(wrong).is_err(), "{wrong}");
        }
    }
}
