//! The API by HTTP through the finished app, on each engine.
#![expect(clippy::unwrap_used, reason = "a failed helper fails its test")]

mod access;
mod accounts;
mod actors;
mod app;
mod audit;
mod binary;
mod expect;
mod fuzz;
mod health;
mod kitchen;
mod menu;
mod openapi;
mod orders;
mod payments;
mod preorders;
mod schemathesis;
mod secrets;
mod sessions;
mod unavailable;
