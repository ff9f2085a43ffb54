//! Asking again for a lock that was not had.

use std::time::Duration;

use super::Limits;

/// A lock that was not had in time, and a deadlock: both go away by themselves.
const PASSING: [&str; 2] = ["55P03", "40P01"];
/// First pause after one of them; each next one is twice as long, up to the last.
const PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);

/// An attempt that failed with one of the codes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Again {
    /// From 1.
    pub(super) attempt: u32,
    pub(super) code: &'static str,
    /// Until the next one: those behind us in the queue get their turn.
    pub(super) pause: Duration,
}

/// Why there was no further attempt.
#[derive(Debug)]
pub(super) struct GaveUp<E> {
    pub(super) error: E,
    /// How many there were, where only a lock was missing.
    pub(super) passing: Option<u32>,
}

/// Does `work` until it does not fail for a lock, at most as often as `limits` say. `code` is
/// [`passing`] of an error; `on_again` is told of each attempt that is not the last.
pub(super) async fn until_locked<T, E>(
    limits: &Limits,
    mut work: impl AsyncFnMut() -> Result<T, E>,
    code: impl Fn(&E) -> Option<&'static str>,
    mut on_again: impl FnMut(Again),
) -> Result<T, GaveUp<E>> {
    let (mut attempt, mut pause) = (1, PAUSE);
    loop {
        let error = match work().await {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        let code = code(&error);
        match code.filter(|_| attempt < limits.attempts) {
            Some(code) => on_again(Again {
                attempt,
                code,
                pause,
            }),
            None => {
                return Err(GaveUp {
                    error,
                    passing: code.map(|_| attempt),
                });
            }
        }
        tokio::time::sleep(pause).await;
        attempt += 1;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// The code of an error that goes away by itself.
pub(super) fn passing(error: &sqlx::Error) -> Option<&'static str> {
    let code = error.as_database_error()?.code()?;
    PASSING.into_iter().find(|passing| *passing == code)
}
