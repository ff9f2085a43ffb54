//! What tests of the sample share: a migrated database of their own, on each engine.

mod database;
mod engines;
mod migrations;

pub use database::{Database, postgres, postgres_alone, sqlite};
