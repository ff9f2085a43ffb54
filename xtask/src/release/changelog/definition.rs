//! Definitions of links, and the labels that lead to them.

use std::ops::Range;

use super::lines::{self, Lines};

/// `[label]: target "title"`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Definition<'a> {
    pub(crate) label: &'a str,
    /// What labels are told apart by.
    pub(crate) key: String,
    /// Without `<` and `>`.
    pub(crate) target: &'a str,
    /// With its quotes; empty without one.
    pub(super) title: &'a str,
    pub(crate) line: usize,
    /// The line with its ending.
    pub(super) range: Range<usize>,
}

/// Labels are told apart without case, blanks as one (CommonMark 0.31, "matches").
pub(super) fn key(label: &str) -> String {
    let words: Vec<&str> = label.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// Definitions make no event: they are lines of which nothing else is made, wherever they stand.
pub(super) fn definitions<'a>(
    text: &'a str,
    start: usize,
    made: &[Range<usize>],
    numbers: &Lines,
) -> Vec<Definition<'a>> {
    let mut found = Vec::new();
    let mut at = start;
    let mut rest = lines::lines(&text[start..]);
    while let Some(line) = rest.next() {
        let mut range = at..at + line.len();
        at = range.end;
        let Some((label, mut target)) = line
            .trim_start_matches(' ')
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]:"))
            // A footnote.
            .filter(|(label, _)| !label.starts_with('^'))
        else {
            continue;
        };
        let next = made.partition_point(|made| made.end <= range.start);
        if made.get(next).is_none_or(|made| made.start >= range.end) {
            // The target may stand on a line of its own.
            if target.trim().is_empty()
                && let Some(line) = rest.next()
            {
                (target, at) = (line, at + line.len());
                range.end = at;
            }
            let target = target.trim();
            let pointed = target.strip_prefix('<');
            let (target, title) = pointed
                .and_then(|rest| rest.split_once('>'))
                .or_else(|| target.split_once(char::is_whitespace))
                .unwrap_or((target, ""));
            found.push(Definition {
                label,
                key: key(label),
                target,
                title: title.trim(),
                line: numbers.number(range.start),
                range,
            });
        }
    }
    found
}
