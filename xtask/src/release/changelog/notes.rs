//! The notes of one release, complete in themselves: only the link definitions that they use, and
//! relative links made permanent.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Range;

use anyhow::{Error, Result};
use pulldown_cmark::{BrokenLink, Event, LinkType, Options, Parser, Tag, TagEnd};
use semver::Version;

use super::blocks::{Kind, blocks};
use super::definition::key;
use super::lines::{Edits, Lines, spliced};
use super::{Changelog, Files, Release, footnotes, targets};
use crate::exit::Problem;

/// What the changelog says of `version`, as Markdown with `\n`. Without `files`
/// relative links stay.
pub(crate) fn notes(
    log: &Changelog<'_>,
    version: &Version,
    files: Option<Files<'_>>,
) -> Result<String> {
    let release = the_one(log, version)?;
    let mut body = &log.text[release.body.clone()];
    // A line drawn between releases belongs to neither.
    while let Some(block) = blocks(body, 0).0.last()
        && matches!(block.kind, Kind::Rule)
    {
        body = &body[..block.range.start];
    }
    let start = release.body.start;
    let body = start..start + body.len();
    let footnotes = footnotes::elsewhere(log, &body);
    let mut used = BTreeMap::new();
    let mut out = String::new();
    for part in std::iter::once(body).chain(footnotes) {
        let text = self_contained(log, &part, files, &mut used)?;
        let gap = if out.is_empty() { "" } else { "\n" };
        writeln!(out, "{gap}{}", text.trim_matches('\n').trim_end())?;
    }
    let mut said = BTreeSet::new();
    for definition in &log.links {
        if let Some(is_image) = used.get(&definition.key)
            && said.insert(&definition.key)
        {
            if said.len() == 1 {
                out.push('\n');
            }
            let old = definition.target;
            let mut target = permanent(old, files, *is_image).unwrap_or_else(|| old.to_owned());
            if target.is_empty() || target.contains([' ', '\t']) {
                target = format!("<{target}>");
            }
            let line = format!("[{}]: {target} {}", definition.label, definition.title);
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    Ok(out)
}

/// A part of the changelog with `\n`, its links permanent and without their definitions, whose keys
/// are put into `used`.
fn self_contained(
    log: &Changelog<'_>,
    part: &Range<usize>,
    files: Option<Files<'_>>,
    used: &mut BTreeMap<String, bool>,
) -> Result<String> {
    let mut edits = links(log, part, files, used)?;
    for definition in &log.links {
        let range = &definition.range;
        if range.start >= part.start && range.end <= part.end {
            edits.push((
                range.start - part.start..range.end - part.start,
                String::new(),
            ));
        }
    }
    let text = spliced(&log.text[part.clone()], edits);
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

fn the_one<'l, 'a>(log: &'l Changelog<'a>, version: &Version) -> Result<&'l Release<'a>> {
    let release = match log.named(version).as_slice() {
        [one] => *one,
        [] => {
            let known: Vec<&str> = log
                .releases
                .iter()
                .take(5)
                .map(|release| release.name)
                .collect();
            let message = format!("the changelog has no release `{version}`");
            let help = match known.as_slice() {
                [] => "headings of releases look like `## [1.2.3] - 2026-01-31`".to_owned(),
                known => format!("its newest are {}", known.join(", ")),
            };
            return Err(Problem::precondition(message).help(help).into());
        }
        several => {
            let lines: Vec<String> = several
                .iter()
                .map(|release| release.line.to_string())
                .collect();
            let message = format!(
                "the changelog has `{version}` at lines {}",
                lines.join(", ")
            );
            return Err(Problem::precondition(message)
                .help("leave one of them")
                .into());
        }
    };
    if release.is_empty(log) {
        let message = format!(
            "there is nothing below `{version}` in the changelog, line {}",
            release.line
        );
        return Err(Problem::precondition(message)
            .help("write down what the release changed")
            .into());
    }
    Ok(release)
}

/// Edits that make the links of a part of the changelog permanent. The keys of the labels it refers
/// to are put into `used`, with whether an image does.
fn links(
    log: &Changelog<'_>,
    part: &Range<usize>,
    files: Option<Files<'_>>,
    used: &mut BTreeMap<String, bool>,
) -> Result<Edits> {
    let body = &log.text[part.clone()];
    // Most definitions stand at the end of the file, not in the body.
    let elsewhere = |link: BrokenLink<'_>| {
        let definition = log.link(&link.reference)?;
        Some((definition.target.to_owned().into(), "".into()))
    };
    let options = Options::ENABLE_FOOTNOTES;
    let parser = Parser::new_with_broken_link_callback(body, options, Some(elsewhere));
    let mut edits = Vec::new();
    // Of each open link: where it has to lead, and where its words end.
    let mut open: Vec<(Option<Address<'_>>, usize)> = Vec::new();
    for (event, range) in parser.into_offset_iter() {
        if let Event::Start(Tag::HtmlBlock) | Event::InlineHtml(_) = event {
            for (target, is_image) in targets::html(&body[range.clone()]) {
                let target = range.start + target.start..range.start + target.end;
                let new = permanent(&body[target.clone()], files, is_image);
                edits.extend(new.map(|new| (target, new)));
            }
        }
        match event {
            Event::Start(
                ref tag @ (Tag::Link {
                    link_type,
                    ref dest_url,
                    ref id,
                    ..
                }
                | Tag::Image {
                    link_type,
                    ref dest_url,
                    ref id,
                    ..
                }),
            ) => {
                let is_image = matches!(tag, Tag::Image { .. });
                let address = permanent(dest_url, files, is_image);
                let address = address.zip(files).map(|(new, files)| Address {
                    old: dest_url.to_string(),
                    new,
                    files,
                    is_image,
                });
                let is_here = match link_type {
                    LinkType::Inline => true,
                    LinkType::Autolink | LinkType::Email | LinkType::WikiLink { .. } => false,
                    _ => {
                        *used.entry(key(id)).or_default() |= is_image;
                        // What is defined within a quotation stays there.
                        log.link(id).is_none()
                    }
                };
                open.push((address.filter(|_| is_here), range.start));
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                let Some((address, words_end)) = open.pop() else {
                    continue;
                };
                if let Some(address) = address {
                    let tail = &body[words_end.min(range.end)..range.end];
                    let Some((target, new)) = address.written(tail) else {
                        let line = Lines::of(log.text).number(part.start + range.start);
                        return Err(address.refused(line));
                    };
                    edits.push((words_end + target.start..words_end + target.end, new));
                }
                if let Some((_, outer)) = open.last_mut() {
                    *outer = range.end;
                }
            }
            _ => {
                if let Some((_, end)) = open.last_mut() {
                    *end = (*end).max(range.end);
                }
            }
        }
    }
    Ok(edits)
}

/// Where a relative link has to lead.
struct Address<'a> {
    old: String,
    new: String,
    files: Files<'a>,
    is_image: bool,
}

impl Address<'_> {
    /// What stands instead of which bytes of `tail`, the link behind its words. Escapes stay as they
    /// are; `None` where they keep it from leading there.
    fn written(&self, tail: &str) -> Option<(Range<usize>, String)> {
        let target = targets::inline(tail)?;
        let new = self.files.address(&tail[target.clone()], self.is_image);
        (targets::meant(&new)? == self.new).then_some((target, new))
    }

    fn refused(&self, line: usize) -> Error {
        let old = &self.old;
        let message =
            format!("the link to `{old}` at line {line} of the changelog cannot be made permanent");
        let help = format!("write its whole address there, such as `{}`", self.new);
        Problem::precondition(message).help(help).into()
    }
}

/// The address of a relative `target`; `None` where it leads somewhere by itself.
fn permanent(target: &str, files: Option<Files<'_>>, is_image: bool) -> Option<String> {
    let files = files?;
    let scheme = target
        .split([':', '/', '?', '#'])
        .next()
        .unwrap_or_default();
    let has_scheme = target[scheme.len()..].starts_with(':')
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    let is_whole = has_scheme || target.starts_with("//") || target.is_empty();
    (!is_whole).then(|| files.address(target, is_image))
}
