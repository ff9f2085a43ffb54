//! A suggestion for people.

use anyhow::Result;

use super::{Reading, Suggestion};
use crate::cli::say;

/// Evidence shown of a reading, and characters of each; JSON has all of it.
const SHOWN: usize = 20;
const WIDTH: usize = 80;

pub(crate) fn show(suggestion: &Suggestion) -> Result<()> {
    let version = &suggestion.version;
    say(match &suggestion.since {
        Some(tag) => format!("{version}, since {tag}"),
        None => format!("{version}, no release tag yet: since the beginning"),
    })?;
    for reading in &suggestion.readings {
        show_reading(reading)?;
    }
    say("")?;
    for objection in &suggestion.objections {
        say(format!("blocked: {}", objection.message))?;
        say(format!("    help: {}", objection.help))?;
    }
    if let Some(step) = suggestion.release {
        say(format!("next: cargo xtask release {}", step.name()))?;
    }
    Ok(())
}

fn show_reading(reading: &Reading) -> Result<()> {
    let level = match (&reading.failed, reading.level) {
        (Some(_), _) => "failed",
        (None, Some(level)) => level.name(),
        (None, None) => "nothing",
    };
    let note = reading.failed.as_deref().unwrap_or(&reading.note);
    say(format!("\n{:<9}  {level:<8}  {note}", reading.name))?;
    let mut evidence: Vec<_> = reading.evidence.iter().collect();
    evidence.sort_by_key(|found| std::cmp::Reverse(found.level));
    for found in evidence.iter().take(SHOWN) {
        let level = found.level.name();
        let mut text: String = found.text.chars().take(WIDTH).collect();
        if text.len() < found.text.len() {
            text.push('…');
        }
        say(format!("  {level:<8}  {}  {text}", found.place))?;
    }
    if evidence.len() > SHOWN {
        say(format!("  and {} more", evidence.len() - SHOWN))?;
    }
    Ok(())
}
