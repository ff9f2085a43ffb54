//! Dying at a chosen moment, so that tests can prove what a kill leaves behind.
//!
//! `XTASK_FAILPOINT=STATE` or `STATE:N` ends the process like `kill -9` at the first, or the N-th,
//! time that a migration reaches the state. It can only ever stop a run.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use super::journal::State;
use crate::environment;
use crate::exit::{Code, Problem};

const NAME: &str = "XTASK_FAILPOINT";

/// Whether the chosen failpoint is one; the error lists them all.
pub(super) fn check() -> Result<()> {
    let Some(chosen) = environment::var(NAME) else {
        return Ok(());
    };
    let name = chosen.split(':').next().unwrap_or_default();
    if State::ALL.iter().any(|state| state.as_str() == name) {
        return Ok(());
    }
    let all = State::ALL.map(State::as_str).join(", ");
    Err(Problem::new(Code::Usage, format!("`{name}` is no failpoint: {all}")).into())
}

/// A migration has reached `state`: whatever is to be durable by now is.
pub(super) fn reached(state: State) {
    static TIMES: [AtomicU32; State::ALL.len()] = [const { AtomicU32::new(0) }; State::ALL.len()];
    let Some(chosen) = environment::var(NAME) else {
        return;
    };
    let (name, nth) = chosen.split_once(':').unwrap_or((&chosen, "1"));
    if name != state.as_str() {
        return;
    }
    let index = match state {
        State::Planned => 0,
        State::Begun => 1,
        State::Ran => 2,
        State::Recorded => 3,
    };
    let times = TIMES[index].fetch_add(1, Ordering::Relaxed) + 1;
    if nth.parse() == Ok(times) {
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}
