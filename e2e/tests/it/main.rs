//! All surfaces together, each a process of its own, as a browser and an operator see them.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod browser;
mod canary;
mod fuzz;
mod name;
mod routes;
mod surfaces;
mod tour;
