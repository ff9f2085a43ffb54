//! What is looked at before a database is deployed to: five checks, one file each, in this order.
//! None writes: PostgreSQL is asked in transactions that only read, SQLite with writing switched off.

mod connection;
mod env;
mod guards;
mod migrations;
mod schema;

use anyhow::Result;
use serde_json::json;

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

/// Runs the check of this name, or all, and stops at the first that is red. Says a line for each,
/// for people or as JSON.
///
/// # Errors
/// Those of the check that is red.
pub(crate) fn run(cx: &Cx, only: Option<&str>, as_json: bool) -> Result<()> {
    let is_wanted = |check: &&Check| only.is_none_or(|name| name == check.name);
    for check in CHECKS.iter().filter(is_wanted) {
        let saw = (check.run)(cx);
        match &saw {
            Ok(saw) if !as_json => say(format!("ok    {:<11} {saw}", check.name))?,
            Ok(saw) => say(json!({"check": check.name, "saw": saw}).to_string())?,
            // For people, whoever called says it.
            Err(_) if !as_json => {}
            Err(error) => {
                let error = format!("{error:#}");
                say(json!({"check": check.name, "error": error}).to_string())?;
            }
        }
        saw?;
    }
    Ok(())
}
