//! Where the new heading leads, and the definitions that say so.

use std::ops::Range;

use semver::Version;

use super::super::forge::base;
use super::super::lines::{Edits, ending, lines, place};
use super::super::links::{Target, is_tag_of, prefix};
use super::super::{Changelog, Link, Release, heading};
use super::{Cut, Plan};

/// Where the heading of the new release leads, in the form of the file's links.
pub(super) fn target<'a>(
    log: &Changelog<'a>,
    unreleased: &Release<'a>,
    line: &[(&Release<'a>, Version)],
    cut: &Cut<'a>,
) -> Option<String> {
    let of = |release: &Release<'a>| release.target(log).and_then(Target::of);
    let newest = line.first().and_then(|(newest, _)| of(newest));
    let own = of(unreleased);
    let model = [own, newest]
        .into_iter()
        .flatten()
        .find(|target| target.from.is_some())
        .or(newest);
    // A final release compares with the final one before it, and the first one with nothing.
    let before = line.iter().find(|(_, version)| {
        let is_final = version.pre.is_empty() || !cut.version.pre.is_empty();
        is_final && version.cmp_precedence(cut.version).is_lt()
    });
    let own_from = own.and_then(|own| own.from);
    let from = before.map(|(release, version)| {
        let known = [of(release).map(|target| target.to), own_from];
        let known = known
            .into_iter()
            .flatten()
            .find(|tag| is_tag_of(tag, release.name));
        known.map_or_else(
            || format!("{}{version}", prefix(own_from.unwrap_or(cut.tag))),
            str::to_owned,
        )
    });
    let inferred = cut.page.map(|page| base(page.trim_end_matches('/')));
    let compares = model.is_none_or(|model| model.from.is_some());
    let target = Target {
        page: model.map(|model| model.page).or(inferred.as_deref())?,
        from: from.as_deref().filter(|_| compares),
        dots: model.map_or("...", |model| model.dots),
        to: cut.tag,
    };
    Some(target.to_string())
}

impl Plan<'_> {
    /// `Unreleased` compares with the new tag, and the new heading's label gets its definition.
    pub(super) fn links(&self, title: &str) -> Edits {
        let (log, tag) = (self.log, self.cut.tag);
        let mut edits = Vec::new();
        let own = self.unreleased.definition(log);
        if let Some(from) = self
            .unreleased
            .target(log)
            .and_then(|to| Target::of(to)?.from)
        {
            edits.push((place(log.text, from), tag.to_owned()));
        }
        let (Some(target), Some(Link::Reference(label))) = (
            &self.target,
            heading::read(title).map(|heading| heading.link),
        ) else {
            return edits;
        };
        if log.link(label).is_some() {
            return edits;
        }
        let line = format!("[{label}]: {target}");
        let below = self
            .line
            .first()
            .and_then(|(newest, _)| newest.definition(log));
        match (own, below) {
            (Some(own), _) => edits.push(self.insert(own.range.end, &[line])),
            (None, Some(below)) => edits.push(self.insert(below.range.start, &[line])),
            (None, None) => {
                let mut both = vec![line];
                if let (Link::Reference(label), Some(to)) =
                    (self.unreleased.link, Target::of(target))
                {
                    let compared = Target {
                        from: Some(tag),
                        to: "HEAD",
                        ..to
                    };
                    both.insert(0, format!("[{label}]: {compared}"));
                }
                edits.push(self.insert(log.text.len(), &both));
            }
        }
        edits
    }

    /// Definitions at the start of a line, or at the end of the text.
    fn insert(&self, at: usize, definitions: &[String]) -> (Range<usize>, String) {
        let above = &self.log.text[..at];
        let eol = ending(above).unwrap_or(self.eol);
        // Right below prose they would be prose.
        let is_apart = lines(above)
            .last()
            .is_none_or(|line| line.trim().is_empty())
            || self
                .log
                .links
                .iter()
                .any(|link| link.range.end == at || link.range.start == at);
        let apart = if is_apart { "" } else { eol };
        let new = definitions.join(eol);
        let new = if ending(above).is_none() {
            format!("{eol}{apart}{new}")
        } else {
            format!("{apart}{new}{eol}")
        };
        (at..at, new)
    }
}
