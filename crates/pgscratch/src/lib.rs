//! A throwaway PostgreSQL cluster for tests and checks.
//!
//! The cluster lives in a private folder, listens on a Unix socket inside it and nowhere else,
//! and is gone when its owner is gone, however the owner ended:
//!
//! 1. dropping [`Cluster`] stops the server and removes the folder before it returns;
//! 2. an owner that exits or is killed leaves a supervisor behind, which does the same;
//! 3. what outlives even a killed supervisor is collected by the next [`Cluster::start`].
//!
//! Tests take a [`Handle`] from [`for_tests`] and from it a [`Database`] each, copied from a
//! template that is migrated once. A runner of many test processes starts one cluster and gives
//! them [`Cluster::env`], so that they share it.

mod account;
mod cluster;
mod error;
mod handle;
mod leftovers;
mod server;
mod shared;
mod wait;

use std::ffi::OsString;

pub use cluster::Cluster;
pub use error::Error;
pub use handle::{Database, Handle};
pub use leftovers::collect_leftovers;
pub use server::{Missing, Server, find};
pub use shared::{REQUIRED_ENV, SOCKET_DIR_ENV, cluster, for_tests, server_for_tests};

/// Reads a variable of the environment.
#[expect(
    clippy::disallowed_methods,
    reason = "a tool of developers, not a service with settings"
)]
fn variable(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}
