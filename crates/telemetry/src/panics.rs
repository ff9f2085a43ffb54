//! Panics as log lines.

use std::panic::{self, PanicHookInfo};
use std::time::{Duration, Instant};

use crate::log::{Queue, is_literal};

/// A panic may be the last thing that happens, so its line is waited for; but never for long, since
/// it may as well be one request's.
const PATIENCE: Duration = Duration::from_millis(100);

/// Replaces what prints panics on standard error: that would show their messages.
pub(crate) fn log_them(queue: Queue) {
    panic::set_hook(Box::new(move |info| {
        let location = info
            .location()
            .map(|at| format!("{}:{}", at.file(), at.line()));
        tracing::error!(location, panic = message(info), "panicked");
        queue.flush(Instant::now() + PATIENCE);
    }));
}

/// Only a message that was compiled in. One that was put together at run time quotes what the
/// program had in hand: `unwrap` shows the error, `assert_eq!` both values, and any of it can be a
/// customer's, or a key. The location finds the line in the source, everywhere alike: what is not
/// seen in production is not missed there.
fn message<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload_as_str()
        .filter(|text| is_literal(text))
        .unwrap_or("its message was made at run time")
}
