//! Dying at a chosen moment, so that tests can prove what a kill leaves behind.
//!
//! `XTASK_FAILPOINT=STATE` or `STATE:N` ends the process like `kill -9` at the first, or the N-th,
//! time that the state of a journal is reached. It can only ever stop a run.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;

use crate::environment;
use crate::exit::{Code, Problem};

const NAME: &str = "XTASK_FAILPOINT";

/// Whether the chosen failpoint is one of the states `all`; the error lists them.
pub(crate) fn check(all: &[&str]) -> Result<()> {
    let Some(chosen) = environment::var(NAME) else {
        return Ok(());
    };
    let name = chosen.split(':').next().unwrap_or_default();
    if all.contains(&name) {
        return Ok(());
    }
    let all = all.join(", ");
    Err(Problem::new(Code::Usage, format!("`{name}` is no failpoint: {all}")).into())
}

/// The state is reached: whatever is to be durable by now is.
pub(crate) fn reached(state: &str) {
    // Of the chosen one; no other is counted.
    static TIMES: AtomicU32 = AtomicU32::new(0);
    let Some(chosen) = environment::var(NAME) else {
        return;
    };
    let (name, nth) = chosen.split_once(':').unwrap_or((&chosen, "1"));
    if name != state {
        return;
    }
    if nth.parse() == Ok(TIMES.fetch_add(1, Ordering::Relaxed) + 1) {
        let me = rustix::process::getpid();
        let _ = rustix::process::kill_process(me, rustix::process::Signal::KILL);
    }
}
