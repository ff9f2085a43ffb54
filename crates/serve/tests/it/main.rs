//! Health routes through a finished app; everything else in a process of its own, over TCP and with
//! real signals.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod drain;
mod handover;
mod health;
mod limits;
mod metrics;
mod process;
