//! Footnotes, as GitHub has them: `[^1]`, and `[^1]: what it says` anywhere in the file.

use std::collections::BTreeMap;
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag};

use super::Changelog;
use super::blocks::start;
use super::definition::key;

/// Where the footnotes stand that `body` refers to and does not have, and those that these refer to.
pub(super) fn elsewhere(log: &Changelog<'_>, body: &Range<usize>) -> Vec<Range<usize>> {
    if !log.text[body.clone()].contains("[^") {
        return Vec::new();
    }
    let start = start(log.text);
    let mut references = Vec::new();
    let mut footnotes = BTreeMap::new();
    let parser = Parser::new_ext(&log.text[start..], Options::ENABLE_FOOTNOTES);
    for (event, range) in parser.into_offset_iter() {
        let range = range.start + start..range.end + start;
        match event {
            Event::FootnoteReference(label) => references.push((key(&label), range.start)),
            Event::Start(Tag::FootnoteDefinition(label)) => {
                let range = range.start..end(log, &range);
                // One in the body comes before any other, and then the first.
                let footnote = footnotes.entry(key(&label)).or_insert(range.clone());
                if body.contains(&range.start) && !body.contains(&footnote.start) {
                    *footnote = range;
                }
            }
            _ => {}
        }
    }
    let mut parts = vec![body.clone()];
    let mut done = 0;
    while let Some(part) = parts.get(done).cloned() {
        done += 1;
        for (label, at) in &references {
            if part.contains(at)
                && let Some(footnote) = footnotes.get(label)
                && !parts.iter().any(|part| part.contains(&footnote.start))
            {
                parts.push(footnote.clone());
            }
        }
    }
    parts.split_off(1)
}

/// Where a footnote ends, above blank lines and definitions of links that follow it at once.
fn end(log: &Changelog<'_>, range: &Range<usize>) -> usize {
    let links = log.links.iter().map(|link| link.range.start);
    let end = links.fold(range.end, |end, at| {
        if range.contains(&at) {
            end.min(at)
        } else {
            end
        }
    });
    range.start + log.text[range.start..end].trim_end().len()
}
