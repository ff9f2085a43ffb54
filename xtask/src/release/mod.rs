//! Releases: what a changelog says. (Planning and applying a release build on it.)

pub(crate) mod changelog;
