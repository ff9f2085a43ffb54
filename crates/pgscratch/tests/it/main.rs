//! The throwaway cluster against real servers and real kills.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests fail by panicking, and talk to their helper by environment"
)]

mod helper;
mod postgres;
mod search;
mod tools;
