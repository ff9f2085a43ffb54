//! The store on both engines.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod audit;
mod connect;
mod kitchen;
mod meals;
mod migrations;
mod orders;
mod payments;
mod queries;
mod repeated;
mod seed;
mod sessions;
mod unavailable;
