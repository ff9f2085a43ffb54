//! What tests of the sample share: a migrated database of their own, on each engine, and what every
//! app's binary must do.

mod binary;
mod database;
mod engines;
mod migrations;

pub use binary::{Binary, Run};
pub use database::{Database, postgres, postgres_alone, sqlite};
