//! Releases: what a changelog says. (Planning and applying a release build on it.)

pub(crate) mod changelog;
#[cfg_attr(not(test), expect(dead_code, reason = "the plan of a release asks it"))]
pub(crate) mod version;
