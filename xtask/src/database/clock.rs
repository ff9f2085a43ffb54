//! Times that another machine has written down.

use anyhow::Result;
use jiff::{SignedDuration, Timestamp};

use crate::exit::Problem;

/// How far the clocks of two machines may be apart: ages of backups and receipts are measured in
/// hours.
pub(crate) const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What to do about a clock that is wrong.
pub(crate) const SET: &str =
    "set the clock (ntp): the ages of backups and receipts are measured with it";

/// How old `what` is at `now`, which was `created` by another clock; zero where that is ahead a little.
///
/// # Errors
/// Exit 3 when it is further ahead.
pub(crate) fn age(what: &str, created: Timestamp, now: Timestamp) -> Result<SignedDuration> {
    let age = now.duration_since(created);
    if age >= -SKEW {
        return Ok(age.max(SignedDuration::ZERO));
    }
    Err(Problem::precondition(format!(
        "{what} is of {created}, {} min in the future: this machine's clock is behind",
        age.abs().as_mins()
    ))
    .help(SET)
    .into())
}
