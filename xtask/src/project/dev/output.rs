//! The lines of several apps on one stdout: each whole, clean, and with the name of who said it.

use std::io::Write as _;
use std::sync::Mutex;

use crate::report::terminal::is_colored;
use crate::report::text;

/// Longest line shown of an app, in bytes.
const LINE: usize = 8 * 1024;
/// Cyan, yellow, magenta, green, blue: red is for errors.
const COLORS: [u8; 5] = [36, 33, 35, 32, 34];

/// Where everything of a `dev` is shown.
#[derive(Debug)]
pub(super) struct Output {
    color: bool,
    /// In the order of their colours.
    names: Vec<String>,
    width: usize,
    whole_lines: Mutex<()>,
}

impl Output {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self {
            color: is_colored(),
            width: names.iter().map(String::len).max().unwrap_or(0).max(3),
            names,
            whole_lines: Mutex::new(()),
        }
    }

    /// A line of an app: foreign text.
    pub(super) fn line(&self, name: &str, line: &[u8]) {
        let color = self.names.iter().position(|known| known == name);
        let color = color.map(|n| COLORS[n % COLORS.len()]);
        self.write(name, color, &text::clean_bytes(line, LINE));
    }

    /// What `dev` itself has to say, a line or more.
    pub(super) fn say(&self, words: impl AsRef<str>) {
        for line in words.as_ref().lines() {
            self.write("dev", Some(1), line);
        }
    }

    fn write(&self, name: &str, color: Option<u8>, line: &str) {
        let width = self.width;
        let prefix = match color.filter(|_| self.color) {
            Some(color) => format!("\x1b[{color}m{name:<width$} |\x1b[0m"),
            None => format!("{name:<width$} |"),
        };
        let _one_at_a_time = self.whole_lines.lock();
        // When nobody reads any more the apps still run until Ctrl-C.
        let _ = writeln!(
            std::io::stdout(),
            "{}",
            format!("{prefix} {line}").trim_end()
        );
    }
}
