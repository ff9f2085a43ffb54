//! The route scan against the real axum.
//!
//! What the scan says of a program is compared with what axum does with it: each layer leaves a
//! mark on the answers that pass it, each handler its name, and requests for every path and method
//! show who answers behind what. Three kinds of programs: random ones, which are scanned as text
//! and built call by call (`random`); a few of these compiled from their text, which shows that
//! text and calls are the same program (`samples`); and hand-written ones, the orders of layers
//! that people get wrong (`fixtures`).
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the oracle is axum's own router, without the guard"
)]

mod build;
mod compare;
mod emit;
mod fixtures;
mod program;
mod random;
mod samples;
mod scan;
mod strategy;

use build::mark;
