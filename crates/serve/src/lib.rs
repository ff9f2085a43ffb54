//! Runs a finished app: command line, health routes, listeners, and a drain that loses no request.

mod accept;
mod admin;
mod cli;
mod connection;
mod health;
mod listener;
mod patience;
mod run;
mod signals;
mod startup;

pub use cli::{Described, cli, start};
pub use health::{Check, Health};
pub use run::{Outcome, run};
pub use startup::{Error, StartupError};
