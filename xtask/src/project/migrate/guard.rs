//! `cargo xtask migrate guard`: each condition of this environment, and whether it holds.

use anyhow::Result;
use serde_json::json;

use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::exit::{self, Code};
use crate::guards::{self, Asked};

/// Prints every guard. Writes nothing, to the database neither.
pub(super) fn run(cx: &Cx, json: bool) -> Result<Code> {
    let asked = guards::ask(cx)?;
    if json {
        say_json(&as_json(&asked))?;
    } else {
        print(&asked)?;
    }
    Ok(if asked.holds() {
        Code::Done
    } else {
        Code::Precondition
    })
}

fn print(asked: &Asked) -> Result<()> {
    for (guard, state) in &asked.states {
        match state {
            Ok(()) => say(format!("held      {:<16} {}", guard.name, guard.demands))?,
            Err(error) => {
                say(format!("not held  {:<16} {error:#}", guard.name))?;
                if let Some(help) = exit::help_of(error) {
                    say(format!("          {:<16} help: {help}", ""))?;
                }
            }
        }
    }
    let held = asked
        .states
        .iter()
        .filter(|(_, state)| state.is_ok())
        .count();
    say(format!(
        "\n`{}`: {held} of {} conditions hold",
        asked.environment,
        asked.states.len()
    ))
}

fn as_json(asked: &Asked) -> serde_json::Value {
    let guards = asked.states.iter().map(|(guard, state)| {
        json!({
            "name": guard.name,
            "demands": guard.demands,
            "held": state.is_ok(),
            "why": state.as_ref().err().map(|error| format!("{error:#}")),
            "help": state.as_ref().err().and_then(exit::help_of),
        })
    });
    json!({
        "environment": asked.environment.as_str(),
        "held": asked.holds(),
        "guards": guards.collect::<Vec<_>>(),
    })
}
