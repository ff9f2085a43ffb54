//! Turns what is unreleased into a release: a heading is put in, and of the links one line is
//! changed and one put in. All other bytes stay.

mod link;
mod title;

use std::collections::BTreeSet;
use std::ops::Range;

use anyhow::Result;
use jiff::civil::Date;
use semver::Version;

use super::blocks::{Kind, blocks};
use super::lines::{ending, lines, spliced};
use super::{Changelog, Link, Release, parse, stale};
use crate::exit::Problem;

/// The release to write down.
#[derive(Clone, Copy)]
pub(crate) struct Cut<'a> {
    pub(crate) version: &'a Version,
    /// In UTC.
    pub(crate) date: Date,
    /// The git tag, for links: `v1.3.0`.
    pub(crate) tag: &'a str,
    /// The repository's page, `https://host/owner/name`, for a file whose links do not tell it.
    pub(crate) page: Option<&'a str>,
}

/// `text` with the release in it, and an empty `Unreleased` above. Refused are a text without that
/// heading, with several, with nothing below it, and with the version in it already.
pub(crate) fn cut(text: &str, cut: &Cut<'_>) -> Result<String> {
    let log = parse(text);
    let plan = Plan::of(&log, cut)?;
    let title = plan.title();
    let mut edits = plan.links(&title);
    edits.push(plan.heading(&title)?);
    let new = spliced(text, edits);
    prove(&new, cut.version)?;
    Ok(new)
}

/// Refuses what no version can be cut from: a text without the heading `Unreleased`, with several,
/// and with nothing below it. Right after a candidate its final version may still have nothing.
pub(crate) fn ready(text: &str) -> Result<()> {
    let log = parse(text);
    let unreleased = unreleased(&log)?;
    let is_candidate = |(_, newest): &(_, Version)| !newest.pre.is_empty();
    if unreleased.is_empty(&log) && !line(&log).first().is_some_and(is_candidate) {
        return Err(nothing(unreleased));
    }
    Ok(())
}

/// What is known of the file before anything is changed.
struct Plan<'p> {
    log: &'p Changelog<'p>,
    cut: &'p Cut<'p>,
    unreleased: &'p Release<'p>,
    /// The releases that the new one continues, with their versions, newest first.
    line: Vec<(&'p Release<'p>, Version)>,
    /// Where the new heading is to lead.
    target: Option<String>,
    eol: &'p str,
}

impl<'p> Plan<'p> {
    fn of(log: &'p Changelog<'p>, cut: &'p Cut<'p>) -> Result<Self> {
        let unreleased = unreleased(log)?;
        if let Some(there) = log.named(cut.version).first() {
            let message = format!(
                "`{}` is in the changelog already, line {}",
                cut.version, there.line
            );
            return Err(Problem::precondition(message)
                .help("choose a higher version, or take that heading out if it was never released")
                .into());
        }
        let line = line(log);
        let target = link::target(log, unreleased, &line, cut);
        let heading = &log.text[unreleased.heading.clone()];
        let eol = ending(heading)
            .or_else(|| ending(lines(log.text).next()?))
            .unwrap_or("\n");
        Ok(Self {
            log,
            cut,
            unreleased,
            line,
            target,
            eol,
        })
    }

    /// The new heading, below that of `Unreleased`.
    fn heading(&self, title: &str) -> Result<(Range<usize>, String)> {
        let (text, eol) = (self.log.text, self.eol);
        let Release { level, body, .. } = self.unreleased;
        let at = self.unreleased.heading.end;
        let is_open = ending(&text[..at]).is_none();
        let mut new = String::new();
        if is_open {
            new.push_str(eol);
        }
        // Some draw a line between releases.
        let is_last = self.log.releases.last() == Some(self.unreleased);
        let below = &text[body.clone()];
        if let Some(block) = blocks(below, 0).0.last()
            && matches!(block.kind, Kind::Rule)
            && !is_last
        {
            let rule = below[block.range.clone()].trim();
            new.extend([eol, rule, eol]);
        }
        new.push_str(eol);
        let like = self
            .line
            .first()
            .map_or(self.unreleased, |(newest, _)| newest);
        let is_underlined = !text[like.heading.clone()].trim_start().starts_with('#');
        if is_underlined && like.level == *level {
            let mark = if *level == 1 { "=" } else { "-" };
            new.extend([title, eol, &mark.repeat(title.chars().count()), eol]);
        } else {
            new.extend([&"#".repeat(*level), " ", title, eol]);
        }
        if self.unreleased.is_empty(self.log) {
            new.extend([eol, &self.nothing_new()?, eol]);
            let is_apart = lines(&text[at..])
                .next()
                .is_none_or(|line| line.trim().is_empty());
            if !is_apart {
                new.push_str(eol);
            }
        }
        if is_open {
            new.truncate(new.len() - eol.len());
        }
        Ok((at..at, new))
    }

    /// What a final release says that follows its candidate as it was.
    fn nothing_new(&self) -> Result<String> {
        let version = self.cut.version;
        let core = |version: &Version| (version.major, version.minor, version.patch);
        match self.line.first() {
            Some((_, newest))
                if version.pre.is_empty()
                    && !newest.pre.is_empty()
                    && core(newest) == core(version) =>
            {
                Ok(format!("No changes since {newest}."))
            }
            _ => Err(nothing(self.unreleased)),
        }
    }
}

fn nothing(unreleased: &Release<'_>) -> anyhow::Error {
    let message = format!(
        "there is nothing below `{}` in the changelog, line {}",
        unreleased.name, unreleased.line
    );
    Problem::precondition(message)
        .help("write down what changed: a release tells its users something")
        .into()
}

/// The one `Unreleased`, above all releases.
fn unreleased<'l, 'a>(log: &'l Changelog<'a>) -> Result<&'l Release<'a>> {
    let found: Vec<&Release<'a>> = log
        .releases
        .iter()
        .filter(|release| release.is_unreleased())
        .collect();
    match found.as_slice() {
        [one] if log.releases.first() == Some(*one) => Ok(one),
        [one] => {
            let first = log.releases.first().map_or("", |release| release.name);
            let message = format!(
                "`{}` stands below `{first}` in the changelog, line {}",
                one.name, one.line
            );
            Err(Problem::precondition(message)
                .help("move it above all releases, with its entries")
                .into())
        }
        [] => Err(
            Problem::precondition("the changelog has no `Unreleased` heading")
                .help("write `## [Unreleased]` above the newest release, and below it what changed")
                .into(),
        ),
        several => {
            let lines: Vec<String> = several
                .iter()
                .map(|release| release.line.to_string())
                .collect();
            let message = format!(
                "the changelog has `Unreleased` at lines {}",
                lines.join(", ")
            );
            Err(Problem::precondition(message)
                .help("move all entries below the first one")
                .into())
        }
    }
}

/// The versions of the file. Where it tells of several packages, those that name none.
fn line<'l, 'a>(log: &'l Changelog<'a>) -> Vec<(&'l Release<'a>, Version)> {
    let versions = log
        .releases
        .iter()
        .filter_map(|release| Some((release, release.version()?)));
    let packages: BTreeSet<_> = versions
        .clone()
        .map(|(release, _)| release.package)
        .collect();
    versions
        .filter(|(release, _)| release.package.is_none() || packages.len() == 1)
        .collect()
}

/// Reads the release from what was made. What is open at its place, as a code fence without end at
/// the bottom is, would swallow what was put there; and its label may be defined already.
fn prove(new: &str, version: &Version) -> Result<()> {
    let log = parse(new);
    let found = log
        .releases
        .get(1)
        .filter(|_| log.releases[0].is_unreleased())
        .filter(|release| release.version().as_ref() == Some(version))
        .filter(|release| !release.is_empty(&log));
    let definition = found.and_then(|release| release.definition(&log));
    let leads = found.is_some_and(|release| match release.link {
        Link::Reference(_) => definition.is_some(),
        Link::None | Link::Inline(_) => true,
    });
    if !leads {
        let message = format!("`{version}` would not be read from the changelog that this makes");
        return Err(Problem::precondition(message)
            .help("close what is open in it: a code fence, a comment")
            .into());
    }
    let wrong = stale(&log)
        .into_iter()
        .find(|(line, _)| definition.is_some_and(|definition| definition.line == *line));
    match wrong {
        None => Ok(()),
        Some((_, message)) => Err(Problem::precondition(message)
            .help("take this definition out of the changelog: the release makes its own")
            .into()),
    }
}
