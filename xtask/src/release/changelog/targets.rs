//! Where links lead, as it is written: in Markdown behind the words of a link, in HTML as the values
//! of attributes.

use std::ops::Range;

use pulldown_cmark::{Event, Parser, Tag};

/// The target in `](target "title")`, which `tail` has first. Without `<` and `>`, its escapes as
/// they stand there.
pub(super) fn inline(tail: &str) -> Option<Range<usize>> {
    let (words, behind) = tail.split_once("](")?;
    let target = behind.trim_start();
    let mut start = words.len() + 2 + behind.len() - target.len();
    let is_pointed = target.starts_with('<');
    start += usize::from(is_pointed);
    let (mut depth, mut is_escaped) = (0, false);
    let end = tail[start..].find(|c: char| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match c {
            '\\' => is_escaped = true,
            '>' if is_pointed => return true,
            _ if is_pointed => {}
            '(' => depth += 1,
            ')' if depth == 0 => return true,
            ')' => depth -= 1,
            c => return c.is_ascii_whitespace(),
        }
        false
    })?;
    Some(start..start + end)
}

/// What a `target` with escapes leads to.
pub(super) fn meant(target: &str) -> Option<String> {
    let link = format!("[a](<{target}>)");
    Parser::new(&link).find_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.into_string()),
        _ => None,
    })
}

/// The targets in `html`, comments left out, and whether each is an image's.
pub(super) fn html(html: &str) -> Vec<(Range<usize>, bool)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(open) = html[at..].find('<') {
        at += open + 1;
        if html[at..].starts_with("!--") {
            at = html[at..].find("-->").map_or(html.len(), |end| at + end);
        } else if html[at..].starts_with(|c: char| c.is_ascii_alphabetic()) {
            at = tag(html, at, &mut found);
        }
    }
    found
}

/// Reads the tag whose name stands `at`, and tells where it ends.
fn tag(html: &str, mut at: usize, found: &mut Vec<(Range<usize>, bool)>) -> usize {
    let skip = |at: usize, is_skipped: fn(char) -> bool| {
        let behind = &html[at..];
        html.len() - behind.trim_start_matches(is_skipped).len()
    };
    let is_blank = |c: char| c.is_ascii_whitespace();
    at = skip(at, |c| !c.is_ascii_whitespace() && c != '>' && c != '/');
    loop {
        let start = skip(at, |c| c.is_ascii_whitespace() || c == '/');
        at = skip(start, |c| !c.is_ascii_whitespace() && !"=>/".contains(c));
        let name = &html[start..at];
        let sign = skip(at, is_blank);
        if !html[sign..].starts_with('=') {
            if name.is_empty() {
                return at;
            }
            continue;
        }
        let start = skip(sign + 1, is_blank);
        let quote = html[start..].chars().next().filter(|c| "'\"".contains(*c));
        let start = start + usize::from(quote.is_some());
        let end = match quote {
            Some(quote) => html[start..]
                .find(quote)
                .map_or(html.len(), |end| start + end),
            None => skip(start, |c| !c.is_ascii_whitespace() && c != '>'),
        };
        values(&name.to_ascii_lowercase(), &html[..end], start, found);
        at = end + usize::from(quote.is_some() && end < html.len());
    }
}

/// The targets in the value from `start` to the end of `html`. A `srcset` has several, each with a
/// size behind it.
fn values(name: &str, html: &str, start: usize, found: &mut Vec<(Range<usize>, bool)>) {
    let value = &html[start..];
    let is_image = match name {
        "href" => false,
        "poster" | "src" | "srcset" => true,
        _ => return,
    };
    if name != "srcset" {
        let end = start + value.trim_end().len();
        let start = html.len() - value.trim_start().len();
        found.extend((start < end).then_some((start..end, is_image)));
        return;
    }
    let mut is_target = true;
    for word in value.split_ascii_whitespace() {
        let target = word.trim_end_matches(',');
        if is_target {
            let range = super::lines::place(html, target);
            found.push((range, is_image));
        }
        is_target = target.len() < word.len();
    }
}
