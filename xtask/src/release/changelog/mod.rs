//! An engine for Keep a Changelog files, 1.1 and 2.0. It never prints a changelog anew: structure is
//! read with byte ranges, and an edit replaces ranges, so every other byte stays what it was.
//!
//! Blocks are CommonMark's, read by pulldown-cmark: headings in code fences and HTML comments are
//! text, at any depth, with any line ending.

mod blocks;
mod cut;
mod definition;
mod entries;
mod footnotes;
mod forge;
mod heading;
mod history;
#[cfg(test)]
mod laws;
mod lines;
mod links;
mod notes;
mod targets;
#[cfg(test)]
mod tests;

use std::ops::Range;

use pulldown_cmark::HeadingLevel;

use blocks::{Kind, blocks, outside_tags, start, title};
use definition::{Definition, definitions, key};
use lines::{Lines, lines};

pub(crate) use cut::{Cut, cut, ready};
pub(crate) use entries::{Entry, entries};
pub(crate) use forge::Files;
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
    pub(crate) link: Link<'a>,
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

impl<'a> Release<'a> {
    pub(crate) fn is_unreleased(&self) -> bool {
        self.name.eq_ignore_ascii_case("unreleased")
    }

    /// The version, with or without a leading `v`.
    pub(crate) fn version(&self) -> Option<semver::Version> {
        semver::Version::parse(self.name.strip_prefix('v').unwrap_or(self.name)).ok()
    }

    /// The definition that its heading leads to, or would with brackets.
    fn definition<'l>(&self, log: &'l Changelog<'a>) -> Option<&'l Definition<'a>> {
        match self.link {
            Link::Reference(label) => log.link(label),
            Link::None => log.link(self.name),
            Link::Inline(_) => None,
        }
    }

    /// Where its heading leads.
    fn target(&self, log: &Changelog<'a>) -> Option<&'a str> {
        match self.link {
            Link::Inline(target) => Some(target),
            Link::None | Link::Reference(_) => Some(self.definition(log)?.target),
        }
    }

    /// Nothing stands below it but headings, comments and rules.
    pub(crate) fn is_empty(&self, log: &Changelog<'a>) -> bool {
        let body = &log.text[self.body.clone()];
        !blocks(body, 0).0.iter().any(|block| match block.kind {
            Kind::List(_) | Kind::Text => true,
            Kind::Html => {
                outside_tags(&body[block.range.clone()]).any(|shown| !shown.is_whitespace())
            }
            Kind::Heading(_) | Kind::Rule => false,
        })
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
                    log.releases.push(Release {
                        name: read.name,
                        package: read.package,
                        link: read.link,
                        date: read.date,
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

fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H2,
        _ => HeadingLevel::H3,
    }
}
