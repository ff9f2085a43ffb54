//! What has been released stays as it is: two texts of one changelog compared.

use super::lines::lines;
use super::{Changelog, Release};

/// A difference below a released version. Lines are those of the later text.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) release: String,
    pub(crate) line: usize,
    pub(crate) kind: Edit,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Edit {
    /// This was put below it, and nothing else changed: most likely it belongs to `Unreleased`.
    Added(String),
    Changed,
    Removed,
}

/// What `after` says otherwise than `before` of the versions that `before` has. Line endings, blank
/// lines, link definitions and `[YANKED]` may change.
pub(crate) fn compare(before: &Changelog<'_>, after: &Changelog<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for (at, old) in before.releases.iter().enumerate() {
        if old.is_unreleased() {
            continue;
        }
        let is_same = |new: &&Release<'_>| new.name == old.name && new.package == old.package;
        // A version may stand there twice.
        let earlier = before.releases.iter().take(at).filter(is_same).count();
        let change = |line, kind| Change {
            release: old.name.to_owned(),
            line,
            kind,
        };
        let Some(new) = after.releases.iter().filter(is_same).nth(earlier) else {
            changes.push(change(1, Edit::Removed));
            continue;
        };
        if new.date != old.date {
            changes.push(change(new.line, Edit::Changed));
            continue;
        }
        let (had, has) = (said(before, old), said(after, new));
        let mut left = had.iter().map(|(_, text)| *text).peekable();
        let mut added = Vec::new();
        for (line, text) in &has {
            if left.peek() == Some(text) {
                left.next();
            } else {
                added.push((*line, *text));
            }
        }
        if left.peek().is_some() {
            let same = had
                .iter()
                .zip(&has)
                .take_while(|(old, new)| old.1 == new.1)
                .count();
            let line = has.get(same).map_or(new.line, |(line, _)| *line);
            changes.push(change(line, Edit::Changed));
        } else {
            let added = added
                .into_iter()
                .map(|(line, text)| change(line, Edit::Added(text.to_owned())));
            changes.extend(added);
        }
    }
    changes
}

/// The lines below a heading that say something, with their numbers.
fn said<'a>(log: &Changelog<'a>, release: &Release<'a>) -> Vec<(usize, &'a str)> {
    let first = release.line + lines(&log.text[release.heading.clone()]).count();
    let links: Vec<_> = (log.links.iter())
        .map(|link| &link.range)
        .filter(|range| release.body.contains(&range.start))
        .collect();
    let is_link = |at: usize| links.iter().any(|link| link.contains(&at));
    let mut at = release.body.start;
    lines(&log.text[release.body.clone()])
        .enumerate()
        .filter_map(|(number, line)| {
            let start = at;
            at += line.len();
            let text = line.trim_end();
            (!text.is_empty() && !is_link(start)).then_some((first + number, text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const BEFORE: &str = "## [Unreleased]\n\n## [1.1.0] - 2026-02-01\n\n### Added\n\n- b\n\n## [1.0.0] - 2026-01-01\n\n- a\n";

    fn changes(after: &str) -> Vec<(String, usize, Edit)> {
        compare(&parse(BEFORE), &parse(after))
            .into_iter()
            .map(|change| (change.release, change.line, change.kind))
            .collect()
    }

    #[test]
    fn a_release_and_what_does_not_show_are_no_changes() {
        assert_eq!(changes(BEFORE), []);
        assert_eq!(
            changes(&format!("\u{feff}{}", BEFORE.replace('\n', "\r\n"))),
            []
        );
        assert_eq!(changes(&BEFORE.replace('\n', "\r")), []);
        let released = BEFORE.replace(
            "## [Unreleased]\n",
            "## [Unreleased]\n\n## [2.0.0] - 2026-03-01\n\n- c\n",
        );
        assert_eq!(changes(&released), []);
        assert_eq!(changes(&BEFORE.replace("01-01", "01-01 [YANKED]")), []);
        assert_eq!(changes(&format!("{BEFORE}\n[1.0.0]: https://h\n")), []);
    }

    #[test]
    fn edits_of_what_was_released_are_named() {
        let added = BEFORE.replace("- b\n", "- b\n- new\n");
        assert_eq!(
            changes(&added),
            [("1.1.0".into(), 8, Edit::Added("- new".into()))]
        );
        let changed = BEFORE.replace("- b\n", "- better\n");
        assert_eq!(changes(&changed), [("1.1.0".into(), 7, Edit::Changed)]);
        let dropped = BEFORE.replace("- a\n", "");
        assert_eq!(changes(&dropped), [("1.0.0".into(), 9, Edit::Changed)]);
        let gone = BEFORE.replace("## [1.0.0] - 2026-01-01\n", "");
        let all = [
            ("1.1.0".into(), 10, Edit::Added("- a".into())),
            ("1.0.0".into(), 1, Edit::Removed),
        ];
        assert_eq!(changes(&gone), all);
        let moved = BEFORE.replace("2026-01-01", "2026-01-02");
        assert_eq!(changes(&moved), [("1.0.0".into(), 9, Edit::Changed)]);
    }
}
