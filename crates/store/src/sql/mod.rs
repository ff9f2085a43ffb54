//! Every statement of the store: a constant of the same name for each engine.
//!
//! The lists named `ALL` are what a check prepares against a freshly migrated database.

pub mod postgres;
pub mod sqlite;
