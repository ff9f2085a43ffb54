//! `--format github`: the terminal's text with workflow commands switched off around it, so that
//! nothing a test prints can command the runner, and annotations of our own in between.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io::Write;

use super::terminal::Terminal;
use super::{Finding, Outcome, Run, Severity, Sink};

/// GitHub drops annotations beyond this many per kind and step; the table still lists all.
const PER_KIND: usize = 10;

pub(crate) struct GitHub<W: Write> {
    text: Terminal<W>,
    quiet: Quiet,
    left: [usize; 2],
}

/// A stretch of output in which workflow commands are off.
pub(crate) struct Quiet {
    /// Known to nobody before the run, so that no output can switch commands on again.
    token: String,
}

impl Quiet {
    pub(crate) fn start(mut out: impl Write) -> Self {
        // The standard library's hasher is seeded by the operating system.
        let random = || RandomState::new().build_hasher().finish();
        let token = format!("{:016x}{:016x}", random(), random());
        // Where this cannot be written, nothing after it can be either, and that is reported.
        let _ = writeln!(out, "::stop-commands::{token}");
        Self { token }
    }

    pub(crate) fn end(&self, out: &mut impl Write) -> std::io::Result<()> {
        writeln!(out, "::{}::", self.token)
    }
}

impl<W: Write> GitHub<W> {
    pub(crate) fn new(mut text: Terminal<W>) -> Self {
        let quiet = Quiet::start(text.out());
        Self {
            text,
            quiet,
            left: [PER_KIND; 2],
        }
    }

    fn annotate(&mut self, finding: &Finding) -> std::io::Result<()> {
        let (kind, left) = match finding.severity {
            Severity::Error => ("error", &mut self.left[0]),
            Severity::Warning => ("warning", &mut self.left[1]),
        };
        if *left == 0 {
            return Ok(());
        }
        *left -= 1;
        let line = annotation(kind, finding);
        let (token, out) = (&self.quiet.token, self.text.out());
        writeln!(out, "::{token}::\n{line}\n::stop-commands::{token}")
    }
}

/// One `::error file=…,line=…::message` line, escaped as the runner unescapes it.
fn annotation(kind: &str, finding: &Finding) -> String {
    let mut properties = vec![format!("title={}", property(&finding.rule))];
    if let Some(file) = &finding.file {
        properties.push(format!("file={}", property(file)));
        properties.extend(finding.line.map(|line| format!("line={line}")));
        properties.extend(
            finding
                .line
                .and(finding.column)
                .map(|column| format!("col={column}")),
        );
    }
    let help = finding
        .help
        .as_ref()
        .map(|help| format!("\nhelp: {help}"))
        .unwrap_or_default();
    format!(
        "::{kind} {}::{}",
        properties.join(","),
        data(&format!("{}{help}", finding.message))
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

impl<W: Write> Sink for GitHub<W> {
    fn started(&mut self, id: &str) {
        self.text.started(id);
    }

    fn finished(&mut self, outcome: &Outcome) {
        self.text.finished(outcome);
    }

    fn ended(&mut self, run: &Run) -> std::io::Result<()> {
        self.text.ended(run)?;
        for finding in run.gates.iter().flat_map(|gate| &gate.findings) {
            self.annotate(finding)?;
        }
        self.quiet.end(self.text.out())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Verdict;

    #[test]
    fn a_hostile_finding_stays_one_annotation() {
        let finding =
            Finding::error("lint/rustc", "a%\r\n::set-env name=X::y\n\x1b[31m").at("a,b:c.rs", 3);
        assert_eq!(
            annotation("error", &finding),
            "::error title=lint/rustc,file=a%2Cb%3Ac.rs,line=3::a%25%0A::set-env name=X::y%0A"
        );
    }

    #[test]
    fn hostile_output_stands_between_stop_commands() {
        let mut out = Vec::new();
        let mut sink = GitHub::new(Terminal::plain(&mut out, false));
        let token = sink.quiet.token.clone();
        let mut outcome = Outcome::new("test", Verdict::Failed);
        outcome
            .notes
            .push("::error::from a test\n::set-output name=a::b\n##[command]x".to_owned());
        outcome
            .findings
            .push(Finding::error("test/failed", "::warning::x"));
        sink.finished(&outcome);
        let run = Run {
            version: 1,
            commit: None,
            dirty: false,
            started: String::new(),
            duration_ms: 0,
            exit_code: 1,
            gates: vec![outcome],
        };
        sink.ended(&run).unwrap();
        let text = String::from_utf8(out).unwrap();
        let mut commands = true;
        for line in text.lines() {
            if line == format!("::stop-commands::{token}") {
                commands = false;
            } else if line == format!("::{token}::") {
                commands = true;
            } else if line.trim_start().starts_with("::") || line.contains("##[") {
                let ours = line == "::error title=test/failed::::warning::x";
                assert_eq!(commands, ours, "{line}");
            }
        }
        assert!(commands, "commands are on again for the next step");
    }
}
