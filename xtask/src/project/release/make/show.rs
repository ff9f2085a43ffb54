//! What a release says: the plan, what stands against it, what was made.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Value, json};

use super::Session;
use crate::cli::{Format, say, say_json};
use crate::exit::{self, Code, Problem};
use crate::release::journal::{Journal, Way};
use crate::release::plan::Plan;
use crate::release::verify::{self, Gates};
use crate::report::text::plural;

impl Session<'_> {
    /// What would be done, in a line.
    pub(super) fn line(&self, plan: &Plan, way: &Way) -> String {
        let files = plural(plan.files.len(), "file");
        let branch = self.branch(plan, way);
        let branch = branch.trim_start_matches("refs/heads/");
        let push = if self.how.push { ", pushed" } else { "" };
        match way {
            Way::Direct => format!(
                "{} → {}: {files}, a commit on {branch}, the tag {}{push}",
                plan.from, plan.to, plan.tag
            ),
            Way::Request => format!(
                "{} → {}: {files}, a commit on {branch}{push}",
                plan.from, plan.to
            ),
            Way::Merged(commit) => format!(
                "the tag {} on {}{push}",
                plan.tag,
                commit.get(..10).unwrap_or(commit)
            ),
        }
    }

    /// The plan and all that stands against it.
    pub(super) fn show(
        &self,
        plan: Option<&(Plan, Way)>,
        gates: &Gates,
        problems: &[anyhow::Error],
    ) -> Result<Code> {
        let code = Code::worst(problems.iter().map(exit::code_of));
        let (ran, missing) = match gates {
            Gates::Green => ("green", Vec::new()),
            Gates::Red(_) => ("red", Vec::new()),
            Gates::NotRun(missing) => ("not-run", missing.iter().map(|gate| gate.id).collect()),
        };
        if self.how.format == Format::Json {
            let plan = plan.map(|(plan, way)| self.json(plan, way));
            let problems: Vec<Value> = (problems.iter())
                .map(|error| json!({ "message": format!("{error:#}"), "help": exit::help_of(error) }))
                .collect();
            say_json(&json!({
                "version": 1,
                "plan": plan,
                "gates": { "verdict": ran, "missing": missing },
                "problems": problems,
            }))?;
            return Ok(code);
        }
        if let Some((plan, way)) = plan {
            for change in plan.files.iter().filter(|_| !matches!(way, Way::Merged(_))) {
                say(change.diff().trim_end_matches('\n'))?;
            }
            say(format!("\n{}", self.line(plan, way)))?;
            say(format!("plan {}", plan.hash()))?;
        }
        if !missing.is_empty() {
            say(format!(
                "gates that did not run on this commit run first: {}",
                missing.join(", ")
            ))?;
        }
        if let Some(problem) = listed(problems) {
            return Err(problem.into());
        }
        Ok(code)
    }

    fn json(&self, plan: &Plan, way: &Way) -> Value {
        let files: Vec<Value> = (plan.files.iter())
            .map(|change| json!({ "path": change.path, "diff": change.diff() }))
            .collect();
        json!({
            "from": plan.from.to_string(),
            "to": plan.to.to_string(),
            "tag": (*way != Way::Request).then_some(&plan.tag),
            "branch": self.branch(plan, way),
            "parent": plan.parent,
            "message": plan.message,
            "files": files,
            "hash": plan.hash(),
        })
    }

    /// What was made, and what comes next.
    pub(super) fn made(&self, journal: &Journal) -> Result<Code> {
        let plan = &journal.plan;
        let commit = journal.commit.as_deref().unwrap_or_default();
        if self.how.format == Format::Json {
            say_json(&json!({
                "version": 1,
                "released": plan.to.to_string(),
                "branch": journal.branch,
                "commit": commit,
                "tag": journal.tag.as_ref().map(|object| json!({ "name": plan.tag, "object": object })),
                "pushed": journal.push,
            }))?;
            return Ok(Code::Done);
        }
        let short = commit.get(..10).unwrap_or(commit);
        let branch = journal.branch.trim_start_matches("refs/heads/");
        let what = match journal.way {
            Way::Direct => format!("{branch} is at {short}, tagged {}", plan.tag),
            Way::Request => format!("{branch} is at {short}"),
            Way::Merged(_) => format!("{short} is tagged {}", plan.tag),
        };
        say(what)?;
        let mut refs = Vec::new();
        let mut undo = Vec::new();
        if !matches!(journal.way, Way::Merged(_)) {
            refs.push(journal.branch.clone());
        }
        if journal.tag.is_some() {
            refs.push(format!("refs/tags/{}", plan.tag));
            undo.push(format!("git tag --delete {}", plan.tag));
        }
        match journal.way {
            Way::Direct => undo.push(format!("git reset --keep {}", plan.parent)),
            Way::Request => undo.push(format!("git branch --delete --force {branch}")),
            Way::Merged(_) => {}
        }
        if let Some(remote) = &journal.push {
            say(format!("pushed to {remote}"))?;
        } else {
            if let Some(remote) = verify::remote(self.shared, &self.repo, &self.git)? {
                say(format!(
                    "push it: git push --atomic {remote} {}",
                    refs.join(" ")
                ))?;
            }
            say(format!("undo it: {}", undo.join(" && ")))?;
        }
        if journal.way == Way::Request {
            say("open a pull request of it; once it is merged: cargo xtask release tag")?;
        }
        Ok(Code::Done)
    }
}

/// All of them as one.
pub(super) fn listed(problems: &[anyhow::Error]) -> Option<Problem> {
    if problems.is_empty() {
        return None;
    }
    let mut message = format!(
        "{}, nothing was changed:",
        plural(problems.len(), "problem")
    );
    for error in problems {
        let _ = write!(message, "\n  - {error:#}");
        if let Some(help) = exit::help_of(error) {
            let _ = write!(message, "\n    help: {help}");
        }
    }
    Some(Problem::new(
        Code::worst(problems.iter().map(exit::code_of)),
        message,
    ))
}
