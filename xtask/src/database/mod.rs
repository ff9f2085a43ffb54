//! Databases: which one is meant, how it is reached, whose it is, and what may be done to it.

pub(crate) mod backup;
pub(crate) mod clock;
mod drift;
mod link;
mod marker;
mod permit;
mod pooler;
pub(crate) mod receipt;
mod record;
pub(crate) mod roles;
mod scratch;
mod target;

pub(crate) use drift::drift;
pub(crate) use link::{FRESH, Link, on};
pub(crate) use marker::refusal;
pub(crate) use permit::Permit;
pub(crate) use scratch::Scratch;
pub(crate) use target::{AppEnv, At, Target};
