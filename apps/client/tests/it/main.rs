//! The pages by HTTP, in front of the real `api`, and the binary.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod binary;
mod closing;
mod csrf;
mod kitchen;
mod once;
mod orders;
mod outage;
mod routes;
mod sessions;
mod sign_up;
mod stub;
