//! The changelog against the tags: pure comparisons.

use std::collections::BTreeSet;

use jiff::civil::Date;
use semver::Version;

use super::rule;
use super::tags::{Tag, Tags};
use crate::release::changelog::{self, Changelog, FILE, Release};
use crate::report::Finding;

/// Every tag has its section, and every dated section since the first tag its tag.
pub(super) fn pairs(log: &Changelog<'_>, tags: &Tags) -> Vec<Finding> {
    let mut findings = Vec::new();
    for tag in &tags.releases {
        if log.named(&tag.version).is_empty() {
            let message = format!("`{}` has no section in `{FILE}`", tag.name);
            let help = "write down what it changed, where its version belongs";
            findings.push(Finding::error(rule::SECTION, message).file(FILE).help(help));
        }
    }
    let first = tags.releases.iter().map(|tag| &tag.version);
    let first = first.min_by(|one, other| one.cmp_precedence(other));
    let known: BTreeSet<&Version> = tags.releases.iter().map(|tag| &tag.version).collect();
    for (release, version) in versions(log) {
        let is_older = first.is_some_and(|first| version.cmp_precedence(first).is_lt());
        if release.date.is_some() && !is_older && !known.contains(&version) {
            let message = format!("`{version}` is dated, and has no tag `v{version}`");
            let finding = Finding::error(rule::TAG, message).at(FILE, release.line);
            findings.push(
                finding.help(
                    "git fetch --tags; was it merged and never tagged: cargo xtask release tag",
                ),
            );
        }
    }
    findings
}

/// Versions and `Unreleased` that stand there twice.
pub(super) fn duplicates(log: &Changelog<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, release) in log.releases.iter().enumerate() {
        let is_same = |other: &&Release<'_>| {
            let both = release.is_unreleased() && other.is_unreleased();
            let version = release.version();
            both || (version.is_some() && version == other.version())
        };
        if let Some(first) = log.releases[..at].iter().find(is_same) {
            let message = format!("`{}` stands in line {} too", release.name, first.line);
            let finding = Finding::error(rule::DUPLICATE, message).at(FILE, release.line);
            findings.push(finding.help("leave one of them"));
        }
    }
    findings
}

/// A section has the day of its tag, in UTC, or one that is up to `open` days earlier: so long a pull
/// request may be open, and the tag comes after.
pub(super) fn days(log: &Changelog<'_>, tags: &Tags, open: u32) -> Vec<Finding> {
    let mut findings = Vec::new();
    for tag in &tags.releases {
        for release in log.named(&tag.version) {
            if let Some(message) = day(release, tag, open) {
                let finding = Finding::error(rule::DATE, message).at(FILE, release.line);
                findings.push(finding.help(
                    "write the day of the tag in UTC, with the trailer `Changelog-Edit: why`",
                ));
            }
        }
    }
    findings
}

fn day(release: &Release<'_>, tag: &Tag, open: u32) -> Option<String> {
    let tagged = tag.day()?;
    let name = &tag.name;
    let Some(written) = date(release) else {
        return Some(format!(
            "`{name}` was tagged on {tagged}, and its section has no such day"
        ));
    };
    let apart = written.until(tagged).ok()?.get_days();
    if u32::try_from(apart).is_ok_and(|apart| apart <= open) {
        return None;
    }
    let why = if apart.abs() == 1 {
        ": one day off, as a clock that is not UTC makes it, or a midnight between the two"
    } else {
        ""
    };
    Some(format!(
        "`{name}` was tagged on {tagged} (UTC), and its section says {written}{why}"
    ))
}

/// A version is not dated before the one it follows. Patches of an older minor version may be made at
/// any time: they follow each other, and the first of each minor version the first of the one before.
pub(super) fn order(log: &Changelog<'_>) -> Vec<Finding> {
    let mut dated: Vec<(Version, Date, &Release<'_>)> = versions(log)
        .filter_map(|(release, version)| Some((version, date(release)?, release)))
        .collect();
    dated.sort_by(|(one, ..), (other, ..)| one.cmp_precedence(other));
    let line = |version: &Version| (version.major, version.minor);
    let mut findings = Vec::new();
    let mut opener = 0;
    for at in 1..dated.len() {
        let (version, day, release) = &dated[at];
        let before = if line(&dated[at - 1].0) == line(version) {
            at - 1
        } else {
            std::mem::replace(&mut opener, at)
        };
        let (older, older_day, _) = &dated[before];
        if day < older_day {
            let message =
                format!("`{version}` is of {day}, and `{older}`, which it follows, of {older_day}");
            let finding = Finding::error(rule::ORDER, message).at(FILE, release.line);
            findings.push(finding.help("one of the two days is wrong: their tags tell"));
        }
    }
    findings
}

/// Links of headings that lead to another release.
pub(super) fn links(log: &Changelog<'_>) -> Vec<Finding> {
    let stale = changelog::stale(log).into_iter();
    stale
        .map(|(line, message)| {
            let help = "let it lead to `compare/<the tag before>...<its tag>`";
            Finding::error(rule::LINK, message)
                .at(FILE, line)
                .help(help)
        })
        .collect()
}

fn versions<'l, 'a>(log: &'l Changelog<'a>) -> impl Iterator<Item = (&'l Release<'a>, Version)> {
    let releases = log.releases.iter();
    releases.filter_map(|release| Some((release, release.version()?)))
}

fn date(release: &Release<'_>) -> Option<Date> {
    release.date?.parse().ok()
}
