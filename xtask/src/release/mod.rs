//! Releases: what a changelog says, and the files that hold the version. (Planning and applying a
//! release build on it.)

pub(crate) mod changelog;
#[cfg_attr(not(test), expect(dead_code, reason = "the plan of a release asks it"))]
pub(crate) mod lockfile;
#[cfg_attr(not(test), expect(dead_code, reason = "the plan of a release asks it"))]
pub(crate) mod manifest;
mod toml;
#[cfg_attr(not(test), expect(dead_code, reason = "the plan of a release asks it"))]
pub(crate) mod version;
