//! The pages by HTTP, in front of the real `api`, and the binary.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod binary;
mod pages;
mod serving;
