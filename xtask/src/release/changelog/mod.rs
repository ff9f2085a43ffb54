//! An engine for Keep a Changelog files, 1.1 and 2.0. It never prints a changelog anew: structure is
//! read with byte ranges, and an edit replaces ranges, so every other byte stays what it was.
//!
//! Blocks are CommonMark's, read by pulldown-cmark: headings in code fences and HTML comments are
//! text, at any depth, with any line ending.

mod entries;
mod heading;
mod history;
mod links;
mod notes;
#[cfg(test)]
mod tests;

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag};

pub(crate) use entries::{Entry, entries};
pub(crate) use heading::Link;
pub(crate) use history::{Change, Edit, compare};
pub(crate) use links::stale;
pub(crate) use notes::notes;

/// Where it stands, from the root.
pub(crate) const FILE: &str = "CHANGELOG.md";

/// What a changelog says, in the order of the file. Ranges are bytes of the text, lines count from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Changelog<'a> {
    text: &'a str,
    pub(crate) releases: Vec<Release<'a>>,
    /// Headings where releases stand, that name none. Those that look like a version, `1.0`, end
    /// what stands below the release above.
    pub(crate) strange: Vec<(usize, &'a str)>,
    /// List items that stand under a release but under no section.
    pub(crate) loose: Vec<usize>,
    pub(crate) links: Vec<Definition<'a>>,
}

/// `## [1.2.3] - 2026-01-31` and what stands below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Release<'a> {
    /// As it is written: `1.2.3`, `v1.2.3`, `Unreleased`.
    pub(crate) name: &'a str,
    /// The package, in a file that tells of several.
    pub(crate) package: Option<&'a str>,
    pub(crate) link: Link,
    /// `YYYY-MM-DD` in form; there may be no such day.
    pub(crate) date: Option<&'a str>,
    pub(crate) yanked: bool,
    pub(crate) line: usize,
    pub(crate) sections: Vec<Section<'a>>,
    /// 1 or 2.
    level: usize,
    /// The heading with its line ending.
    heading: Range<usize>,
    /// Its text without marks.
    title: Range<usize>,
    /// All that stands below the heading, definitions of links left out at the end of the file.
    body: Range<usize>,
}

/// `### Added` and how many entries (top-level list items) it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section<'a> {
    pub(crate) name: &'a str,
    pub(crate) line: usize,
    pub(crate) entries: usize,
}

/// `[label]: target "title"`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Definition<'a> {
    pub(crate) label: &'a str,
    /// What labels are told apart by.
    pub(crate) key: String,
    /// Without `<` and `>`.
    pub(crate) target: &'a str,
    /// With its quotes; empty without one.
    title: &'a str,
    pub(crate) line: usize,
    /// The line with its ending.
    range: Range<usize>,
}

/// Labels are told apart without case, blanks as one (CommonMark 0.31, "matches").
fn key(label: &str) -> String {
    let words: Vec<&str> = label.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

impl<'a> Release<'a> {
    pub(crate) fn is_unreleased(&self) -> bool {
        self.name.eq_ignore_ascii_case("unreleased")
    }

    /// The version, with or without a leading `v`.
    pub(crate) fn version(&self) -> Option<semver::Version> {
        semver::Version::parse(self.name.strip_prefix('v').unwrap_or(self.name)).ok()
    }

    /// Nothing stands below it but headings, comments and rules.
    pub(crate) fn is_empty(&self, log: &Changelog<'a>) -> bool {
        let body = &log.text[self.body.clone()];
        let says = |kind: &Kind| matches!(kind, Kind::List(_) | Kind::Text);
        !blocks(body, 0).0.iter().any(|block| says(&block.kind))
    }
}

impl<'a> Changelog<'a> {
    pub(crate) fn unreleased(&self) -> Option<&Release<'a>> {
        self.releases.iter().find(|release| release.is_unreleased())
    }

    /// The releases of `version`; more than one is for the caller to refuse.
    pub(crate) fn named(&self, version: &semver::Version) -> Vec<&Release<'a>> {
        self.releases
            .iter()
            .filter(|release| release.version().as_ref() == Some(version))
            .collect()
    }

    /// The text of a line, without blanks at its end.
    pub(crate) fn line(&self, number: usize) -> Option<&'a str> {
        let before = number.checked_sub(1)?;
        lines(self.text).nth(before).map(str::trim_end)
    }

    /// The first line that is `text`, blanks at its end aside.
    pub(crate) fn line_of(&self, text: &str) -> Option<usize> {
        let at = lines(self.text).position(|line| line.trim_end() == text)?;
        Some(at + 1)
    }

    /// The definition that a `label` leads to: the first one counts.
    pub(crate) fn link(&self, label: &str) -> Option<&Definition<'a>> {
        let key = key(label);
        self.links.iter().find(|link| link.key == key)
    }
}

/// A block at the margin of the file.
struct Block {
    range: Range<usize>,
    kind: Kind,
}

enum Kind {
    Heading(HeadingLevel),
    /// A list, with where its items begin.
    List(Vec<usize>),
    Html,
    /// `---`.
    Rule,
    Text,
}

/// Reads any text; what is not a changelog has no releases.
pub(crate) fn parse(text: &str) -> Changelog<'_> {
    let start = start(text);
    let (blocks, made) = blocks(text, start);
    let lines = Lines::of(text);
    let mut log = Changelog {
        text,
        releases: Vec::new(),
        strange: Vec::new(),
        loose: Vec::new(),
        links: definitions(text, start, &made, &lines),
    };
    // Of the release above; files mix `# 1.1.0` and `## 1.0.1`.
    let mut level = None;
    let mut is_open = false;
    let mut ends = Vec::new();
    for block in &blocks {
        let line = lines.number(block.range.start);
        match &block.kind {
            Kind::Heading(depth) => {
                let title = title(text, &block.range);
                let words = &text[title.clone()];
                let read = (*depth <= HeadingLevel::H2)
                    .then(|| heading::read(words))
                    .flatten();
                if let Some(read) = read {
                    (level, is_open) = (Some(*depth), true);
                    ends.push(block.range.start);
                    let of = |range: Range<usize>| &words[range];
                    log.releases.push(Release {
                        name: of(read.name),
                        package: read.package.map(of),
                        link: read.link,
                        date: read.date.map(of),
                        yanked: read.yanked,
                        line,
                        sections: Vec::new(),
                        level: *depth as usize,
                        heading: block.range.clone(),
                        title,
                        body: block.range.end..text.len(),
                    });
                } else if level.is_some_and(|level| *depth <= level)
                    && heading::is_like_version(words)
                {
                    is_open = false;
                    ends.push(block.range.start);
                    log.strange.push((line, words));
                } else if level == Some(*depth) {
                    log.strange.push((line, words));
                } else if level.is_some_and(|level| below(level) == *depth)
                    && let Some(release) = log.releases.last_mut().filter(|_| is_open)
                {
                    release.sections.push(Section {
                        name: words,
                        line,
                        entries: 0,
                    });
                }
            }
            Kind::List(items) => {
                let Some(release) = log.releases.last_mut().filter(|_| is_open) else {
                    continue;
                };
                match release.sections.last_mut() {
                    Some(section) => section.entries += items.len(),
                    None => log.loose.extend(items.iter().map(|at| lines.number(*at))),
                }
            }
            Kind::Html | Kind::Rule | Kind::Text => {}
        }
    }
    ends.extend(blocks.last().map(|block| block.range.end));
    for release in &mut log.releases {
        let end = ends.iter().find(|end| **end >= release.body.start);
        release.body.end = end.copied().unwrap_or(release.body.start);
    }
    log
}

/// Where the Markdown begins: behind a byte order mark, and front matter between two lines `---`.
fn start(text: &str) -> usize {
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
fn blocks(text: &str, start: usize) -> (Vec<Block>, Vec<Range<usize>>) {
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

/// Where the line of `at` ends, with its ending; at the end of a line it is `at` itself. Lines end as
/// in CommonMark: with `\n`, `\r\n` or `\r`.
fn end_of_line(text: &str, at: usize) -> usize {
    let (before, behind) = text.split_at(at);
    if before.ends_with('\r') && behind.starts_with('\n') {
        return at + 1;
    }
    if before.ends_with(['\n', '\r']) {
        return at;
    }
    match behind.find(['\n', '\r']) {
        Some(found) if behind[found..].starts_with("\r\n") => at + found + 2,
        Some(found) => at + found + 1,
        None => text.len(),
    }
}

/// Lines with their endings.
fn lines(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (line, behind) = text.split_at(end_of_line(text, 0));
        text = behind;
        (!line.is_empty()).then_some(line)
    })
}

/// Definitions make no event: they are lines of which nothing else is made, wherever they stand.
fn definitions<'a>(
    text: &'a str,
    start: usize,
    made: &[Range<usize>],
    lines: &Lines,
) -> Vec<Definition<'a>> {
    let mut found = Vec::new();
    let mut at = start;
    let mut rest = self::lines(&text[start..]);
    while let Some(line) = rest.next() {
        let mut range = at..at + line.len();
        at = range.end;
        let Some((label, mut target)) = line
            .trim_start_matches(' ')
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]:"))
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
                line: lines.number(range.start),
                range,
            });
        }
    }
    found
}

/// The words of a heading, without `#`, underline and blanks around.
fn title(text: &str, range: &Range<usize>) -> Range<usize> {
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

fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        _ => HeadingLevel::H3,
    }
}

/// `text` with each range replaced; ranges do not overlap.
fn spliced(text: &str, mut edits: Vec<(Range<usize>, String)>) -> String {
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

/// Where lines begin.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = lines(text).scan(0, |at, line| {
            *at += line.len();
            Some(*at)
        });
        Self(std::iter::once(0).chain(ends).collect())
    }

    /// The line of a byte, from 1.
    fn number(&self, at: usize) -> usize {
        self.0.partition_point(|start| *start <= at)
    }
}
