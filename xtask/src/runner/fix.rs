//! `cargo xtask fix`: what a machine can mend, then the gate again as the judge.

use std::sync::Arc;

use anyhow::Result;

use super::judge;
use crate::cx::{Cx, Shared};
use crate::exit::{Code, Problem};
use crate::gates::{self, Gate};
use crate::report::Outcome;

/// What a fix did, and what the gate says after it.
#[derive(Debug)]
pub(crate) struct Fixed {
    pub(crate) actions: Vec<String>,
    pub(crate) after: Outcome,
}

/// The gates with a fix that are not switched off: those named, else all.
pub(crate) fn select(shared: &Shared, names: &[String]) -> Result<Vec<&'static Gate>> {
    let is_off = |gate: &Gate| {
        shared
            .policy
            .gates
            .get(gate.id)
            .is_some_and(|policy| policy.off.is_some())
    };
    let fixable: Vec<&Gate> = gates::GATES
        .iter()
        .filter(|gate| gate.fix.is_some() && !is_off(gate))
        .collect();
    if names.is_empty() {
        return Ok(fixable);
    }
    names
        .iter()
        .map(|name| {
            fixable
                .iter()
                .find(|gate| gate.id == *name)
                .copied()
                .ok_or_else(|| {
                    let ids: Vec<_> = fixable.iter().map(|gate| gate.id).collect();
                    Problem::new(
                        Code::Usage,
                        format!("`{name}` has nothing that a machine can fix"),
                    )
                    .help(format!("these have: {}", ids.join(", ")))
                    .into()
                })
        })
        .collect()
}

pub(crate) fn fix(shared: &Arc<Shared>, gate: &Gate) -> Result<Fixed> {
    let cx = Cx::new(&shared.again()?, gate.timeout);
    let actions = gate.fix.map_or_else(|| Ok(Vec::new()), |fix| fix(&cx))?;
    drop(cx);
    Ok(Fixed {
        actions,
        after: judge(&shared.again()?, gate, None),
    })
}
