//! Databases that are not scratch: which one is meant, how it is reached, whose it is.

mod link;
mod marker;
mod permit;
mod target;

pub(crate) use link::{Link, on};
pub(crate) use marker::refusal;
pub(crate) use permit::Permit;
pub(crate) use target::{AppEnv, At, Target};
