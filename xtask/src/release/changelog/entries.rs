//! The entries below a release, one by one.

use super::{Changelog, Kind, Lines, Release, blocks, title};

/// A list item at the margin.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// As its heading is written; `None` under no section.
    pub(crate) section: Option<&'a str>,
    pub(crate) line: usize,
    /// Its first line, without bullet.
    pub(crate) text: &'a str,
}

impl Entry<'_> {
    /// Whether it begins as Keep a Changelog 2.0 marks what breaks: `**Breaking:**`. Other case and
    /// other emphasis, `BREAKING CHANGE:` too, are meant the same.
    pub(crate) fn is_breaking(&self) -> bool {
        let text = self.text.trim_start_matches(['*', '_']).to_lowercase();
        let Some(rest) = text.strip_prefix("breaking") else {
            return false;
        };
        let rest = rest.strip_prefix(" change").unwrap_or(rest);
        let rest = rest.strip_prefix('s').unwrap_or(rest);
        rest.starts_with([':', '*', '_'])
    }
}

/// What is listed below a release, in the order of the file.
pub(crate) fn entries<'a>(log: &Changelog<'a>, release: &Release<'a>) -> Vec<Entry<'a>> {
    let lines = Lines::of(log.text);
    let start = release.body.start;
    let body = &log.text[release.body.clone()];
    let mut section = None;
    let mut entries = Vec::new();
    for block in blocks(body, 0).0 {
        match block.kind {
            Kind::Heading(depth) if depth as usize == release.level + 1 => {
                section = Some(&body[title(body, &block.range)]);
            }
            Kind::List(items) => entries.extend(items.into_iter().map(|at| Entry {
                section,
                line: lines.number(start + at),
                text: first_line(&body[at..]),
            })),
            _ => {}
        }
    }
    entries
}

/// The first line of a list item, without `-`, `*`, `+`, `1.` or `1)`.
fn first_line(item: &str) -> &str {
    let line = super::lines(item).next().unwrap_or_default().trim();
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let marks: &[char] = if rest.len() < line.len() {
        &['.', ')']
    } else {
        &['-', '*', '+']
    };
    rest.strip_prefix(marks).unwrap_or(line).trim()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn entries_with_their_sections_and_lines() {
        let text = "# Changelog\r\n\r\n## [Unreleased]\r\n\r\n- loose\r\n\r\n### Added\r\n\r\n- one\r\n  more\r\n  - inner\r\n- two\r\n\r\n```\r\n### Removed\r\n- text\r\n```\r\n\r\n### Fixed\r\n\r\n1. three\r\n\r\n## 1.0.0 - 2026-01-01\r\n\r\n- other\r\n";
        let log = parse(text);
        let found: Vec<_> = entries(&log, &log.releases[0])
            .into_iter()
            .map(|entry| (entry.section, entry.line, entry.text))
            .collect();
        let wanted = [
            (None, 5, "loose"),
            (Some("Added"), 9, "one"),
            (Some("Added"), 12, "two"),
            (Some("Fixed"), 21, "three"),
        ];
        assert_eq!(found, wanted);
    }

    #[test]
    fn how_an_entry_says_that_it_breaks() {
        let is_breaking = |text| {
            let entry = Entry {
                section: Some("Changed"),
                line: 1,
                text,
            };
            entry.is_breaking()
        };
        for text in [
            "**Breaking:** x",
            "**Breaking**: x",
            "__BREAKING CHANGE:__ x",
            "Breaking: x",
            "*breaking changes*: x",
        ] {
            assert!(is_breaking(text), "{text}");
        }
        for text in ["Breaking news on a page", "Not **Breaking:** x", "Breaks x"] {
            assert!(!is_breaking(text), "{text}");
        }
    }
}
