//! What the changelog says: the sections below `Unreleased`, and on the way from a candidate to its
//! final release those of the candidates too.

use anyhow::{Context as _, Result, bail};

use super::{Evidence, Level, Reading, Span};
use crate::release::changelog::{Changelog, Entry, FILE, Release, entries};
use crate::repo;

/// The reading, and whether something is below `Unreleased` itself.
pub(super) struct Written {
    pub(super) reading: Reading,
    pub(super) has_unreleased: bool,
}

/// # Errors
/// A changelog that does not say under which section something stands.
pub(super) fn read(span: &Span<'_>, log: Option<&Changelog<'_>>) -> Result<Written> {
    let log = log.with_context(|| format!("there is no `{FILE}`"))?;
    let unreleased = log
        .unreleased()
        .with_context(|| format!("`{FILE}` has no `## [Unreleased]`"))?;
    let second = log
        .releases
        .iter()
        .filter(|release| release.is_unreleased())
        .nth(1);
    if let Some(second) = second {
        bail!("{FILE}:{} is a second `Unreleased`", second.line);
    }
    let last = span.last.as_ref().and_then(|(tag, _)| repo::release(tag));
    let is_candidate = |release: &&Release<'_>| {
        release.version().is_some_and(|version| {
            let is_newer = last
                .as_ref()
                .is_none_or(|last| version.cmp_precedence(last).is_gt());
            !version.pre.is_empty() && is_newer
        })
    };
    let candidates = log.releases.iter().filter(is_candidate);
    let candidates = candidates.filter(|_| !span.version.pre.is_empty());
    let mut evidence = Vec::new();
    for release in [unreleased].into_iter().chain(candidates) {
        let empty = release.sections.iter().find(|section| section.entries == 0);
        if let Some(section) = empty {
            bail!(
                "`### {}`, {FILE}:{}, has no entry",
                section.name,
                section.line
            );
        }
        for entry in entries(log, release) {
            let section = entry.section.unwrap_or("no section");
            let place = format!("{FILE}:{}", entry.line);
            let text = format!("{section}: {}", entry.text);
            evidence.push(Evidence::new(level(&entry)?, &place, &text));
        }
    }
    let note = match evidence.len() {
        1 => "1 entry".to_owned(),
        n => format!("{n} entries"),
    };
    Ok(Written {
        reading: Reading::of("changelog", note, evidence),
        has_unreleased: !entries(log, unreleased).is_empty(),
    })
}

fn level(entry: &Entry<'_>) -> Result<Level> {
    let by_section = match entry.section {
        Some("Added" | "Changed" | "Deprecated") => Level::Feature,
        Some("Removed") => Level::Breaking,
        Some("Fixed" | "Security") => Level::Fix,
        Some(other) => bail!(
            "`{other}`, above {FILE}:{}, is no section of Keep a Changelog",
            entry.line
        ),
        None => bail!("{FILE}:{} stands under no section", entry.line),
    };
    Ok(if entry.is_breaking() {
        Level::Breaking
    } else {
        by_section
    })
}
