//! What a gate says: evidence, findings, and what it could not run. Every sink renders this.

pub(crate) mod github;
pub(crate) mod json;
pub(crate) mod terminal;
pub(crate) mod text;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::exit::Code;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Severity {
    Error,
    /// Shown, never red.
    Warning,
}

/// One thing that is wrong, where, and what to do about it. `line` and `column` count from 1.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) rule: String,
    pub(crate) severity: Severity,
    /// Relative to the workspace root, with `/`.
    pub(crate) file: Option<String>,
    pub(crate) line: Option<u32>,
    pub(crate) column: Option<u32>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// A unified diff that would mend it.
    pub(crate) fix: Option<String>,
}

impl Finding {
    /// `rule` must be one the gate declares; the runner refuses any other.
    pub(crate) fn error(rule: &str, message: impl AsRef<str>) -> Self {
        Self {
            rule: rule.to_owned(),
            severity: Severity::Error,
            file: None,
            line: None,
            column: None,
            message: text::clean(message.as_ref(), text::MESSAGE),
            help: None,
            fix: None,
        }
    }

    pub(crate) fn warning(rule: &str, message: impl AsRef<str>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(rule, message)
        }
    }

    pub(crate) fn file(mut self, file: impl AsRef<Path>) -> Self {
        let file = text::visible(&slashed(file.as_ref()));
        self.file = Some(text::clean(&file, text::LINE));
        self
    }

    pub(crate) fn at(mut self, file: impl AsRef<Path>, line: usize) -> Self {
        self.line = u32::try_from(line).ok();
        self.file(file)
    }

    pub(crate) fn column(mut self, column: usize) -> Self {
        self.column = u32::try_from(column).ok();
        self
    }

    pub(crate) fn help(mut self, help: impl AsRef<str>) -> Self {
        self.help = Some(text::clean(help.as_ref(), text::MESSAGE));
        self
    }

    pub(crate) fn fix(mut self, diff: impl AsRef<str>) -> Self {
        self.fix = Some(text::clean(diff.as_ref(), text::DIFF));
        self
    }

    /// `file:line:column`, as far as it is known.
    pub(crate) fn place(&self) -> Option<String> {
        let mut place = self.file.clone()?;
        for number in [self.line, self.line.and(self.column)]
            .into_iter()
            .flatten()
        {
            place.push(':');
            place.push_str(&number.to_string());
        }
        Some(place)
    }
}

/// A path relative to the root as findings print it on every platform.
pub(crate) fn slashed(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}

/// Named counts: what a gate looked at. Zero is never a pass.
pub(crate) type Evidence = BTreeMap<String, u64>;

/// An optional component that was absent. Printed in the open; red where `required`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NotRun {
    /// What did not run, and how much of it (`12 tests on PostgreSQL`).
    pub(crate) what: String,
    pub(crate) reason: String,
    /// The variable that makes it required when set to `1`.
    pub(crate) required_by: String,
    pub(crate) required: bool,
    pub(crate) help: String,
    /// Evidence and rules that are absent because of it, so that no floor or proof is held against it.
    pub(crate) hides: Vec<String>,
}

/// The answer of a gate's check.
#[derive(Debug, Default)]
pub(crate) struct Report {
    pub(crate) evidence: Evidence,
    pub(crate) findings: Vec<Finding>,
    pub(crate) not_run: Vec<NotRun>,
    /// Lines worth reading on a pass too (the closing line of the test runner).
    pub(crate) notes: Vec<String>,
}

impl Report {
    pub(crate) fn count(&mut self, name: &str, n: usize) {
        *self.evidence.entry(name.to_owned()).or_default() += n as u64;
    }

    pub(crate) fn note(&mut self, line: impl AsRef<str>) {
        self.notes.push(text::clean(line.as_ref(), text::LINE));
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// The check itself could not be carried out; see `error`.
    Broken,
    /// A gate it needs did not pass.
    Blocked,
    /// Not for this machine, or switched off by the policy with a reason.
    NotRun,
    Cancelled,
}

/// Why a check could not be carried out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Breakage {
    pub(crate) code: u8,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
}

/// One gate's line in a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) id: String,
    pub(crate) verdict: Verdict,
    pub(crate) duration_ms: u64,
    pub(crate) evidence: Evidence,
    pub(crate) findings: Vec<Finding>,
    pub(crate) not_run: Vec<NotRun>,
    pub(crate) notes: Vec<String>,
    pub(crate) error: Option<Breakage>,
    /// The exact commands it ran, to be pasted.
    pub(crate) commands: Vec<String>,
}

impl Outcome {
    pub(crate) fn new(id: &str, verdict: Verdict) -> Self {
        Self {
            id: id.to_owned(),
            verdict,
            duration_ms: 0,
            evidence: Evidence::new(),
            findings: Vec::new(),
            not_run: Vec::new(),
            notes: Vec::new(),
            error: None,
            commands: Vec::new(),
        }
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_millis(self.duration_ms)
    }

    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.findings
            .iter()
            .filter(|finding| finding.severity == severity)
            .count()
    }

    pub(crate) fn code(&self) -> Code {
        match self.verdict {
            Verdict::Passed | Verdict::NotRun => Code::Done,
            Verdict::Failed | Verdict::Blocked => Code::Red,
            Verdict::Cancelled => Code::Interrupted,
            Verdict::Broken => match self.error.as_ref().map(|error| error.code) {
                Some(code) if code == Code::ToolMissing as u8 => Code::ToolMissing,
                Some(code) if code == Code::Bug as u8 => Code::Bug,
                Some(code) if code == Code::Red as u8 => Code::Red,
                _ => Code::Precondition,
            },
        }
    }
}

/// A whole run: what `--format json` prints and `target/xtask/runs/` keeps.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Run {
    /// Version of this layout (`xtask/schema/run.schema.json`).
    pub(crate) version: u32,
    pub(crate) commit: Option<String>,
    /// The work tree differed from `commit`.
    pub(crate) dirty: bool,
    pub(crate) started: String,
    pub(crate) duration_ms: u64,
    pub(crate) exit_code: u8,
    pub(crate) gates: Vec<Outcome>,
}

impl Run {
    /// The exit code: of what is red or broken itself, not of what that blocked.
    pub(crate) fn code(&self) -> Code {
        exit_code(&self.gates)
    }
}

pub(crate) fn exit_code(gates: &[Outcome]) -> Code {
    Code::worst(
        gates
            .iter()
            .filter(|gate| gate.verdict != Verdict::Blocked)
            .map(Outcome::code),
    )
}

/// Where a run is shown. Gates finish in any order, from one thread.
pub(crate) trait Sink {
    fn started(&mut self, _id: &str) {}
    fn finished(&mut self, _outcome: &Outcome) {}
    fn ended(&mut self, run: &Run) -> std::io::Result<()>;
}
