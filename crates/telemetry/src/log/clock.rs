//! The time of a line.

use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;

/// Knows how the last second was written, so that most lines only add their milliseconds.
#[derive(Default)]
pub(crate) struct Clock {
    second: u64,
    text: String,
}

impl Clock {
    /// Writes now as `2025-01-29T12:00:00.000Z`, or only its `12:00:00.000`.
    pub(crate) fn push_now(&mut self, line: &mut String, with_date: bool) {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        if self.text.is_empty() || since.as_secs() != self.second {
            self.second = since.as_secs();
            let second = self.second.try_into().unwrap_or_default();
            self.text = Timestamp::from_second(second)
                .unwrap_or_default()
                .to_string();
        }
        let second = self.text.trim_end_matches('Z');
        let time = second.find('T').map_or(0, |at| at + 1);
        line.push_str(if with_date { second } else { &second[time..] });
        line.push('.');
        for unit in [100, 10, 1] {
            let digit = since.subsec_millis() / unit % 10;
            line.push(char::from_digit(digit, 10).unwrap_or_default());
        }
        if with_date {
            line.push('Z');
        }
    }
}
