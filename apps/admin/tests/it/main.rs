//! The pages by HTTP, in front of the real `api`, and the binary.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a failed helper fails its test"
)]

mod access;
mod audit;
mod binary;
mod board;
mod kitchen;
mod menu;
