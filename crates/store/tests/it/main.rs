//! The store on both engines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod connect;
mod queries;
mod repositories;
mod unavailable;
