//! What is looked at before a database is deployed to: five checks, one file each, in this order.
//! None writes: PostgreSQL is asked in transactions that only read, SQLite with writing switched off.

mod connection;
mod env;
mod guards;
mod migrations;
mod schema;

use anyhow::Result;

use crate::cli::say;
use crate::cx::Cx;

/// One look at one thing.
pub(crate) struct Check {
    pub(crate) name: &'static str,
    /// Answers what it saw, in a few words. The error says what is wrong; its exit code is the
    /// command's.
    run: fn(&Cx) -> Result<String>,
}

/// All of them, in the order in which a deployment runs them.
pub(crate) const CHECKS: &[Check] = &[
    guards::CHECK,
    env::CHECK,
    connection::CHECK,
    migrations::CHECK,
    schema::CHECK,
];

/// Runs the checks of these names, or all, and stops at the first that is red.
pub(crate) fn run(cx: &Cx, only: Option<&str>) -> Result<()> {
    for check in CHECKS {
        if only.is_none_or(|name| name == check.name) {
            let saw = (check.run)(cx)?;
            say(format!("ok    {:<11} {saw}", check.name))?;
        }
    }
    Ok(())
}
