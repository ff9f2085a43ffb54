//! What is logged and counted, and which request ids are taken over.

#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod alone;
mod canary;
mod lines;
mod metrics;
mod requests;
#[cfg(feature = "otel")]
mod traces;
