//! Runs a finished app: command line, health routes, listener, and a drain that loses no request.

mod cli;
mod connection;
mod health;
mod listener;
mod run;
mod signals;
mod startup;

pub use cli::cli;
pub use health::{Check, Health};
pub use run::{Outcome, run};
pub use startup::{Error, StartupError};
