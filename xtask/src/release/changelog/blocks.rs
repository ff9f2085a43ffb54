//! The blocks of CommonMark that stand at the margin, with the bytes that they are made of.

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag};

use super::lines::{end_of_line, lines};

/// A block at the margin of the file.
pub(super) struct Block {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

pub(super) enum Kind {
    Heading(HeadingLevel),
    /// A list, with where its items begin.
    List(Vec<usize>),
    Html,
    /// `---`.
    Rule,
    Text,
}

/// Where the Markdown begins: behind a byte order mark, and front matter between two lines `---`.
pub(super) fn start(text: &str) -> usize {
    let top = text.len() - text.trim_start_matches('\u{feff}').len();
    let mut lines = lines(&text[top..]);
    let is_fence = |line: &&str| line.trim_end() == "---";
    let Some(fence) = lines.next().filter(is_fence) else {
        return top;
    };
    let mut at = top + fence.len();
    for (number, line) in lines.enumerate() {
        // With a blank line behind it, it is a rule.
        if number == 0 && line.trim().is_empty() {
            return top;
        }
        at += line.len();
        if is_fence(&line) {
            return at;
        }
    }
    top
}

/// The blocks at the margin behind `start`, and the ranges of all that text, code and HTML is made
/// of, in order.
pub(super) fn blocks(text: &str, start: usize) -> (Vec<Block>, Vec<Range<usize>>) {
    let mut made = Vec::new();
    let mut blocks = Vec::new();
    let mut depth = 0;
    for (event, range) in Parser::new(&text[start..]).into_offset_iter() {
        let range = range.start + start..range.end + start;
        match event {
            Event::Start(tag) => {
                if depth == 0 {
                    let kind = match tag {
                        Tag::Heading { level, .. } => Kind::Heading(level),
                        Tag::List(_) => Kind::List(Vec::new()),
                        Tag::HtmlBlock => Kind::Html,
                        _ => Kind::Text,
                    };
                    let range = range.start..end_of_line(text, range.end);
                    blocks.push(Block { range, kind });
                } else if let (1, Tag::Item, Some(Kind::List(items))) =
                    (depth, tag, blocks.last_mut().map(|block| &mut block.kind))
                {
                    items.push(range.start);
                }
                depth += 1;
            }
            Event::End(_) => depth -= 1,
            Event::Rule if depth == 0 => {
                let range = range.start..end_of_line(text, range.end);
                made.push(range.clone());
                blocks.push(Block {
                    range,
                    kind: Kind::Rule,
                });
            }
            _ => made.push(range),
        }
    }
    (blocks, made)
}

/// The words of a heading, without `#`, underline and blanks around.
pub(super) fn title(text: &str, range: &Range<usize>) -> Range<usize> {
    let whole = &text[range.clone()];
    let line = lines(whole).next().unwrap_or_default();
    let head = line.trim_start();
    let is_atx = head.starts_with('#');
    let words = if is_atx {
        head.trim_start_matches('#')
    } else {
        line
    };
    let start = range.start + line.len() - words.trim_start().len();
    let words = words.trim();
    // A closing run of `#` belongs to the heading only after a blank.
    let bare = words.trim_end_matches('#');
    let closed = is_atx && (bare.is_empty() || bare.ends_with([' ', '\t']));
    let words = if closed { bare.trim_end() } else { words };
    start..start + words.len()
}

/// The characters of HTML that are shown, or would be: those outside of tags and comments.
pub(super) fn outside_tags(html: &str) -> impl Iterator<Item = char> {
    let mut rest = html;
    std::iter::from_fn(move || {
        while rest.starts_with('<') {
            let close = if rest.starts_with("<!--") { "-->" } else { ">" };
            rest = rest.split_once(close).map_or("", |(_, behind)| behind);
        }
        let mut chars = rest.chars();
        let first = chars.next();
        rest = chars.as_str();
        first
    })
}
