//! What the surfaces share: who is there, how often, with which headers.

pub mod assets;
pub mod auth;
pub mod headers;
pub mod health;
pub mod limit;
pub mod sign_in;
