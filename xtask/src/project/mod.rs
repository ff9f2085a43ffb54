//! Chores of a checkout: prepare it, examine it, test it, measure the runner.

pub(crate) mod bench;
pub(crate) mod doctor;
pub(crate) mod setup;
pub(crate) mod test;
