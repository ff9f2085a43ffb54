//! Lines and bytes of a text, and edits of it.

use std::ops::Range;

/// Where the line of `at` ends, with its ending; at the end of a line it is `at` itself. Lines end as
/// in CommonMark: with `\n`, `\r\n` or `\r`.
pub(super) fn end_of_line(text: &str, at: usize) -> usize {
    let (before, behind) = text.split_at(at);
    if before.ends_with('\r') && behind.starts_with('\n') {
        return at + 1;
    }
    if before.ends_with(['\n', '\r']) {
        return at;
    }
    match memchr::memchr2(b'\n', b'\r', behind.as_bytes()) {
        Some(found) if behind[found..].starts_with("\r\n") => at + found + 2,
        Some(found) => at + found + 1,
        None => text.len(),
    }
}

/// Lines with their endings.
pub(super) fn lines(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (line, behind) = text.split_at(end_of_line(text, 0));
        text = behind;
        (!line.is_empty()).then_some(line)
    })
}

/// Where lines begin.
pub(super) struct Lines(Vec<usize>);

impl Lines {
    pub(super) fn of(text: &str) -> Self {
        let ends = lines(text).scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        });
        Self(std::iter::once(0).chain(ends).collect())
    }

    /// The line of a byte, from 1.
    pub(super) fn number(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }
}
/// Where `part` stands, which is a slice of `text`.
pub(super) fn place(text: &str, part: &str) -> Range<usize> {
    let start = part.as_ptr().addr() - text.as_ptr().addr();
    start..start + part.len()
}

/// What stands instead of which bytes.
pub(super) type Edits = Vec<(Range<usize>, String)>;

/// How a text ends its last line; `None` when it does not.
pub(super) fn ending(text: &str) -> Option<&'static str> {
    let found = ["\r\n", "\n", "\r"];
    found.into_iter().find(|end| text.ends_with(end))
}

/// `text` with each range replaced; ranges do not overlap.
pub(super) fn spliced(text: &str, mut edits: Edits) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len() + 256);
    let mut at = 0;
    for (range, new) in edits {
        out.push_str(&text[at..range.start]);
        out.push_str(&new);
        at = range.end;
    }
    out.push_str(&text[at..]);
    out
}
