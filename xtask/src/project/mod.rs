//! Chores of a checkout: prepare it, examine it, run it, test it, measure it.

pub(crate) mod bench;
mod database;
pub(crate) mod db;
pub(crate) mod deploy;
pub(crate) mod dev;
pub(crate) mod doctor;
pub(crate) mod migrate;
pub(crate) mod release;
mod service;
pub(crate) mod setup;
pub(crate) mod test;
