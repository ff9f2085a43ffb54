//! A reader of Keep a Changelog files (1.1 and 2.0): headings, sections and link references with
//! their lines. Code fences and HTML comments are prose, whatever they contain.

use std::collections::BTreeMap;

/// `## [1.2.3] - 2026-01-31` and what stands below it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Release {
    /// As written between the brackets, or the first word: `Unreleased`, `1.2.3`.
    pub(crate) name: String,
    /// The name stands in brackets, so that a link reference may define it.
    pub(crate) bracketed: bool,
    pub(crate) date: Option<String>,
    /// From 1.
    pub(crate) line: usize,
    pub(crate) sections: Vec<Section>,
}

/// `### Added` and how many entries (top-level list items) it has.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Section {
    pub(crate) name: String,
    pub(crate) line: usize,
    pub(crate) entries: usize,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Changelog {
    pub(crate) releases: Vec<Release>,
    /// Link reference definitions: label in lower case → line and target.
    pub(crate) links: BTreeMap<String, (usize, String)>,
    /// List items that stand under a release but under no section.
    pub(crate) loose: Vec<usize>,
}

impl Release {
    pub(crate) fn is_unreleased(&self) -> bool {
        self.name.eq_ignore_ascii_case("unreleased")
    }

    /// The version, with or without a leading `v`.
    pub(crate) fn version(&self) -> Option<semver::Version> {
        semver::Version::parse(self.name.strip_prefix('v').unwrap_or(&self.name)).ok()
    }
}

/// Reads any text; what is not a changelog has no releases.
pub(crate) fn parse(text: &str) -> Changelog {
    let mut log = Changelog::default();
    let mut fence: Option<(char, usize)> = None;
    let mut comment = false;
    for (index, raw) in text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate()
    {
        let (line, number) = (raw.trim_end(), index + 1);
        let bare = line.trim_start();
        if let Some((mark, length)) = fence {
            let run = bare.chars().take_while(|c| *c == mark).count();
            if run >= length && bare.chars().all(|c| c == mark) {
                fence = None;
            }
            continue;
        }
        if comment {
            comment = !line.contains("-->");
            continue;
        }
        // Fences may stand inside list items, at any depth.
        if let Some(mark) = bare.chars().next().filter(|c| matches!(c, '`' | '~')) {
            let length = bare.chars().take_while(|c| *c == mark).count();
            if length >= 3 && !(mark == '`' && bare[length..].contains('`')) {
                fence = Some((mark, length));
                continue;
            }
        }
        if let Some(rest) = bare.strip_prefix("<!--") {
            comment = !rest.contains("-->");
            continue;
        }
        if line.len() - bare.len() > 3 {
            continue;
        }
        read_line(&mut log, bare, line.len() == bare.len(), number);
    }
    log
}

fn read_line(log: &mut Changelog, line: &str, at_margin: bool, number: usize) {
    let heading = |level: &str| {
        let rest = line.strip_prefix(level)?;
        rest.starts_with([' ', '\t'])
            .then(|| rest.trim().trim_end_matches('#').trim_end())
    };
    if let Some(rest) = heading("##") {
        log.releases.push(release(rest, number));
    } else if let Some(name) = heading("###") {
        if let Some(release) = log.releases.last_mut() {
            release.sections.push(Section {
                name: name.to_owned(),
                line: number,
                entries: 0,
            });
        }
    } else if at_margin && ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark)) {
        match log.releases.last_mut() {
            Some(Release { sections, .. }) if !sections.is_empty() => {
                if let Some(section) = sections.last_mut() {
                    section.entries += 1;
                }
            }
            Some(_) => log.loose.push(number),
            None => {}
        }
    } else if let Some((label, target)) = line
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]:"))
    {
        log.links
            .entry(label.to_lowercase())
            .or_insert((number, target.trim().to_owned()));
    }
}

fn release(heading: &str, line: usize) -> Release {
    let linked = heading
        .strip_prefix('[')
        .and_then(|rest| rest.split_once(']'));
    let bracketed = linked.is_some();
    let (name, rest) = linked
        .unwrap_or_else(|| heading.split_at(heading.find([' ', '\t']).unwrap_or(heading.len())));
    // `[1.2.3](https://…)` is a link too.
    let target = rest.strip_prefix('(').filter(|_| bracketed);
    let rest = target
        .and_then(|rest| rest.split_once(')'))
        .map_or(rest, |(_, rest)| rest);
    let date = rest
        .trim()
        .trim_start_matches(['-', '–', '—', '(', ' '])
        .split_whitespace()
        .next()
        .map(|word| word.trim_end_matches(')').to_owned())
        .filter(|word| !word.is_empty() && !word.eq_ignore_ascii_case("[yanked]"));
    Release {
        name: name.trim().to_owned(),
        bracketed,
        date,
        line,
        sections: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_of_every_form() {
        let read = |heading: &str| {
            let release = release(heading, 1);
            (release.name, release.date)
        };
        let date = Some("2026-01-31".to_owned());
        assert_eq!(read("[1.2.3] - 2026-01-31"), ("1.2.3".into(), date.clone()));
        assert_eq!(read("1.2.3 – 2026-01-31"), ("1.2.3".into(), date.clone()));
        assert_eq!(read("v1.2.3 (2026-01-31)"), ("v1.2.3".into(), date.clone()));
        assert_eq!(
            read("[1.2.3](https://x/y) - 2026-01-31 [YANKED]"),
            ("1.2.3".into(), date)
        );
        assert_eq!(read("[Unreleased]"), ("Unreleased".into(), None));
    }

    #[test]
    fn fences_and_comments_are_prose() {
        let text = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- a\n  ```md\n  ## [9.9.9]\n  ```\n<!--\n## [8.8.8]\n-->\n- b\n";
        let log = parse(text);
        assert_eq!(log.releases.len(), 1);
        assert_eq!(log.releases[0].sections[0].entries, 2);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read(text: String) {
            let lines = text.lines().count();
            let log = parse(&text);
            proptest::prop_assert!(log.releases.iter().all(|release| release.line <= lines));
        }
    }
}
