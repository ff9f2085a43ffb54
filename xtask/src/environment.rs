//! The one place where xtask reads environment variables.
#![expect(
    clippy::disallowed_methods,
    reason = "the ban is for services, whose settings have a schema"
)]

use std::ffi::OsString;

/// A variable that is set and not empty, as UTF-8.
pub(crate) fn var(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable that is set and not empty.
pub(crate) fn var_os(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// `CI=true`: a pipeline, and nobody's shell.
pub(crate) fn is_ci() -> bool {
    var("CI").is_some_and(|value| value == "true")
}

/// `XTASK_REQUIRE_…=1`: an optional component that must not be left out here.
pub(crate) fn requires(name: &str) -> bool {
    var(name).is_some_and(|value| value == "1")
}

pub(crate) fn all() -> impl Iterator<Item = (OsString, OsString)> {
    std::env::vars_os()
}

/// The cargo that runs us, so that a `+toolchain` is kept.
pub(crate) fn cargo() -> String {
    var("CARGO").unwrap_or_else(|| "cargo".to_owned())
}
