//! Reads any text as a changelog, and cuts a release into it: `cargo +nightly fuzz run changelog`.
//! What must hold stands in `laws.rs`, which the tests of `xtask` run too, on texts of their own.
#![no_main]

#[path = "../../xtask/src/release/changelog/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the target calls a part of it")]
mod changelog;
#[path = "../../xtask/src/exit.rs"]
#[allow(dead_code, reason = "the changelog knows one of its errors")]
mod exit;
#[path = "../../xtask/src/release/changelog/laws.rs"]
#[allow(dead_code, reason = "the tests of `xtask` call more of them")]
mod laws;

use changelog::{Changelog, Cut, Files, Link, Release, compare, cut, notes, parse, stale};

libfuzzer_sys::fuzz_target!(|text: &str| laws::hold(text));
