//! The way to `api`, against servers that behave well and badly.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod behalf;
mod broken;
