//! The human sink: a live line per running gate on a terminal, plain lines elsewhere, then what is
//! wrong, one table, and how to run again what failed.

use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::{Evidence, Finding, Outcome, Run, Severity, Sink, Verdict, text};

/// Findings shown per gate; the rest is counted.
const SHOWN: usize = 50;

pub(crate) struct Terminal<W: Write> {
    out: W,
    color: bool,
    quiet: bool,
    live: Option<MultiProgress>,
    bars: BTreeMap<String, ProgressBar>,
    /// The first failed write; shown at the end instead of being lost.
    failed: Option<std::io::Error>,
}

#[derive(Clone, Copy)]
enum Style {
    Bold,
    Dim,
    Green,
    Red,
    Yellow,
}

/// Whether a person looks at stdout, who has nothing against colours.
pub(crate) fn is_colored() -> bool {
    std::io::stdout().is_terminal() && crate::environment::var_os("NO_COLOR").is_none()
}

impl Terminal<std::io::Stdout> {
    /// Stdout, with colour and live lines where a person looks at it (`NO_COLOR` honoured).
    pub(crate) fn stdout(quiet: bool) -> Self {
        let terminal = std::io::stdout().is_terminal();
        let color = is_colored();
        let live = (terminal && std::io::stderr().is_terminal() && !quiet).then(MultiProgress::new);
        Self {
            out: std::io::stdout(),
            color,
            quiet,
            live,
            bars: BTreeMap::new(),
            failed: None,
        }
    }
}

impl<W: Write> Terminal<W> {
    /// Without colour and live lines.
    pub(crate) fn plain(out: W, quiet: bool) -> Self {
        Self {
            out,
            color: false,
            quiet,
            live: None,
            bars: BTreeMap::new(),
            failed: None,
        }
    }

    pub(crate) fn out(&mut self) -> &mut W {
        &mut self.out
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match style {
            Style::Bold => "1",
            Style::Dim => "2",
            Style::Red => "31",
            Style::Green => "32",
            Style::Yellow => "33",
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    fn say(&mut self, line: &str) {
        let to = &mut self.out;
        let mut print = || writeln!(to, "{line}");
        let written = match &self.live {
            Some(bars) => bars.suspend(print),
            None => print(),
        };
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }

    fn verdict(&self, verdict: Verdict) -> String {
        let (style, word) = match verdict {
            Verdict::Passed => (Style::Green, "passed"),
            Verdict::Failed => (Style::Red, "failed"),
            Verdict::Broken => (Style::Red, "broken"),
            Verdict::Blocked => (Style::Yellow, "blocked"),
            Verdict::NotRun => (Style::Yellow, "not run"),
            Verdict::Cancelled => (Style::Yellow, "cancelled"),
        };
        self.paint(style, &format!("{word:<9}"))
    }

    fn finding(&mut self, finding: &Finding) {
        let (style, word) = match finding.severity {
            Severity::Error => (Style::Red, "error"),
            Severity::Warning => (Style::Yellow, "warning"),
        };
        let head = format!("{}[{}]", self.paint(style, word), finding.rule);
        let mut message = finding.message.lines();
        let first = self.paint(Style::Bold, message.next().unwrap_or_default());
        self.say(&format!("  {head}: {first}"));
        if let Some(place) = finding.place() {
            self.say(&format!("    --> {place}"));
        }
        for line in message.take(40) {
            self.say(&format!("    {line}"));
        }
        if let Some(help) = &finding.help {
            self.say(&format!("    help: {}", indented(help, "          ")));
        }
        for line in finding.fix.iter().flat_map(|fix| fix.lines()) {
            self.say(&format!("    {line}"));
        }
    }

    /// What is wrong with a gate, and the commands that showed it.
    fn details(&mut self, gate: &Outcome) {
        let title = self.paint(Style::Bold, &format!("── {} ", gate.id));
        self.say(&format!("\n{title}"));
        for finding in gate.findings.iter().take(SHOWN) {
            self.finding(finding);
        }
        if gate.findings.len() > SHOWN {
            let more = gate.findings.len() - SHOWN;
            self.say(&format!(
                "  … and {} more: cargo xtask ci {} --format json",
                more, gate.id
            ));
        }
        if let Some(error) = &gate.error {
            let word = self.paint(Style::Red, "error");
            self.say(&format!("  {word}: {}", indented(&error.message, "    ")));
            if let Some(help) = &error.help {
                self.say(&format!("    help: {help}"));
            }
        }
        if gate.code() != crate::exit::Code::Done {
            for command in &gate.commands {
                let line = self.paint(Style::Dim, &format!("  ran: {command}"));
                self.say(&line);
            }
            let fix = crate::gates::find(&gate.id).and_then(|gate| gate.fix);
            if fix.is_some() && gate.verdict == Verdict::Failed {
                self.say(&format!("  fix: cargo xtask fix {}", gate.id));
            }
        }
    }

    fn table(&mut self, run: &Run) {
        let width = run
            .gates
            .iter()
            .map(|gate| gate.id.len())
            .max()
            .unwrap_or(4)
            .max(4);
        let head = format!(
            "{:<width$}  {:<9}  {:>7}  evidence",
            "gate", "verdict", "time"
        );
        let head = self.paint(Style::Bold, &head);
        self.say(&format!("\n{head}"));
        for gate in &run.gates {
            let mut seen = evidence(&gate.evidence);
            for (n, thing) in [
                (gate.count(Severity::Error), "error"),
                (gate.count(Severity::Warning), "warning"),
            ] {
                if n > 0 {
                    seen.push(text::plural(n, thing));
                }
            }
            let reason = matches!(
                gate.verdict,
                Verdict::Blocked | Verdict::NotRun | Verdict::Cancelled
            );
            seen.extend(gate.notes.iter().filter(|_| reason).cloned());
            let line = format!(
                "{:<width$}  {}  {:>7}  {}",
                gate.id,
                self.verdict(gate.verdict),
                seconds(gate.duration()),
                seen.join(", ")
            );
            self.say(line.trim_end());
        }
        for gate in &run.gates {
            for not_run in &gate.not_run {
                let word = self.paint(Style::Yellow, "not run");
                let required = format!("{}=1 makes this red", not_run.required_by);
                self.say(&format!(
                    "{word}: {}: {} ({}; {required})",
                    gate.id, not_run.what, not_run.reason
                ));
                self.say(&format!(
                    "         help: {}",
                    indented(&not_run.help, "         ")
                ));
            }
        }
    }
}

impl<W: Write> Sink for Terminal<W> {
    fn started(&mut self, id: &str) {
        if let Some(live) = &self.live {
            let bar = live.add(ProgressBar::new_spinner());
            let style = ProgressStyle::with_template("{spinner} {msg} {elapsed}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar.set_message(id.to_owned());
            bar.enable_steady_tick(Duration::from_millis(120));
            self.bars.insert(id.to_owned(), bar);
        }
    }

    fn finished(&mut self, outcome: &Outcome) {
        if let (Some(bar), Some(live)) = (self.bars.remove(&outcome.id), &self.live) {
            bar.finish_and_clear();
            live.remove(&bar);
        }
        if self.quiet {
            return;
        }
        let line = format!(
            "{} {} ({})",
            self.verdict(outcome.verdict),
            outcome.id,
            seconds(outcome.duration())
        );
        self.say(&line);
        for note in &outcome.notes {
            self.say(&format!("          {}", indented(note, "          ")));
        }
    }

    fn ended(&mut self, run: &Run) -> std::io::Result<()> {
        for gate in &run.gates {
            if !gate.findings.is_empty() || gate.error.is_some() {
                self.details(gate);
            }
        }
        if !self.quiet {
            self.table(run);
        }
        let red: Vec<&Outcome> = run
            .gates
            .iter()
            .filter(|gate| gate.code() != crate::exit::Code::Done)
            .collect();
        if red.is_empty() {
            let warnings: usize = run
                .gates
                .iter()
                .map(|gate| gate.count(Severity::Warning))
                .sum();
            let passed = run
                .gates
                .iter()
                .filter(|gate| gate.verdict == Verdict::Passed)
                .count();
            let mut line = format!(
                "{} passed in {}",
                text::plural(passed, "gate"),
                seconds(Duration::from_millis(run.duration_ms))
            );
            if warnings > 0 {
                line = format!("{line}, {}", text::plural(warnings, "warning"));
            }
            let line = self.paint(Style::Green, &line);
            self.say(&format!("\n{line}"));
        } else {
            let ids: Vec<&str> = red.iter().map(|gate| gate.id.as_str()).collect();
            let line = self.paint(
                Style::Red,
                &format!(
                    "{} not green: {}",
                    text::plural(ids.len(), "gate"),
                    ids.join(", ")
                ),
            );
            self.say(&format!("\n{line}"));
            // A blocked gate comes back with what blocked it.
            let causes: Vec<&str> = red
                .iter()
                .filter(|gate| gate.verdict != Verdict::Blocked)
                .map(|gate| gate.id.as_str())
                .collect();
            self.say(&format!("rerun: cargo xtask ci {}", causes.join(" ")));
        }
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

fn evidence(evidence: &Evidence) -> Vec<String> {
    evidence
        .iter()
        .map(|(name, n)| format!("{} {n}", name.replace('-', " ")))
        .collect()
}

/// `text` with every line but the first moved right, so that no line of it starts a line of ours.
fn indented(text: &str, by: &str) -> String {
    text.trim_end()
        .lines()
        .collect::<Vec<_>>()
        .join(&format!("\n{by}"))
}

/// `0.04s`, `12.3s`, `2m05s`.
pub(crate) fn seconds(duration: Duration) -> String {
    let s = duration.as_secs_f64();
    match duration.as_secs() {
        0 => format!("{s:.2}s"),
        1..60 => format!("{s:.1}s"),
        whole => format!("{}m{:02}s", whole / 60, whole % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(outcome: Outcome, quiet: bool) -> String {
        let mut out = Vec::new();
        let mut sink = Terminal::plain(&mut out, quiet);
        sink.finished(&outcome);
        let exit_code = outcome.code() as u8;
        let run = Run {
            version: 1,
            commit: None,
            dirty: false,
            started: String::new(),
            duration_ms: 1500,
            exit_code,
            gates: vec![outcome],
        };
        sink.ended(&run).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_failure_says_where_and_what_next() {
        let mut outcome = Outcome::new("fmt", Verdict::Failed);
        outcome.evidence.insert("files".into(), 3);
        outcome.findings.push(
            Finding::error("fmt/style", "not formatted")
                .at("src/lib.rs", 7)
                .help("run rustfmt"),
        );
        let text = render(outcome, false);
        assert!(
            text.contains(
                "error[fmt/style]: not formatted\n    --> src/lib.rs:7\n    help: run rustfmt\n"
            ),
            "{text}"
        );
        assert!(text.contains("fix: cargo xtask fix fmt"), "{text}");
        assert!(text.contains("files 3, 1 error"), "{text}");
        assert!(
            text.ends_with("1 gate not green: fmt\nrerun: cargo xtask ci fmt\n"),
            "{text}"
        );
    }

    #[test]
    fn no_line_of_foreign_text_starts_a_line_and_no_escape_gets_through() {
        let mut outcome = Outcome::new("test", Verdict::Failed);
        let hostile = "x\n::error::y\n\x1b]0;title\x07\x1b[2Jz";
        outcome.findings.push(
            Finding::error("test/failed", hostile)
                .help(hostile)
                .fix(hostile),
        );
        let text = render(outcome, false);
        assert!(!text.contains('\x1b') && !text.contains('\x07'), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("::")), "{text}");
    }

    #[test]
    fn quiet_leaves_the_verdict() {
        assert_eq!(
            render(Outcome::new("fmt", Verdict::Passed), true),
            "\n1 gate passed in 1.5s\n"
        );
    }
}
