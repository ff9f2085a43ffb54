//! The engine on texts made for it; its submodules have real and random ones.

mod corpus;
mod cuts;
mod generated;
mod notes;

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
use semver::Version;

use super::*;

/// The text behind a byte order mark and front matter.
fn markdown(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    text.strip_prefix("---")
        .filter(|rest| !rest.lines().nth(1).unwrap_or_default().trim().is_empty())
        .and_then(|rest| Some(rest.split_once("\n---")?.1.split_once('\n')?.1))
        .unwrap_or(text)
}

/// What the headings of the first two levels say when rendered: a reading without ranges.
fn rendered_headings(text: &str) -> Vec<String> {
    let mut headings: Vec<String> = Vec::new();
    let (mut inside, mut depth) = (false, 0);
    for event in Parser::new(markdown(text)) {
        match event {
            Event::Start(Tag::Heading { level, .. }) if depth == 0 && level <= HeadingLevel::H2 => {
                headings.push(String::new());
                (inside, depth) = (true, depth + 1);
            }
            Event::End(TagEnd::Heading(_)) => (inside, depth) = (false, depth - 1),
            Event::Start(_) => depth += 1,
            Event::End(_) => depth -= 1,
            Event::Text(text) | Event::Code(text) if inside => {
                headings.last_mut().unwrap().push_str(&text);
            }
            _ => {}
        }
    }
    headings
}

/// Names of the releases.
fn names(text: &str) -> Vec<&str> {
    let log = parse(text);
    log.releases.iter().map(|release| release.name).collect()
}

#[test]
fn front_matter_stands_at_the_top_alone() {
    let rules = "## 1.1.0\n\n---\n[a]: b\n\n## 1.0.0\n\n- a\n\n---\n\n## 0.1.0\n";
    assert_eq!(names(rules), ["1.1.0", "1.0.0", "0.1.0"]);
    let front = format!("---\n## 9.9.9\n[c]: d\n---\n{rules}");
    for text in [
        front.clone(),
        format!("\u{feff}{front}"),
        front.replace('\n', "\r\n"),
    ] {
        assert_eq!(names(&text), ["1.1.0", "1.0.0", "0.1.0"], "{text}");
        let log = parse(&text);
        assert_eq!(log.links.len(), 1);
        assert_eq!(log.releases[0].line, 5);
    }
    let rule = format!("---\n\n{rules}");
    assert_eq!(names(&rule), ["1.1.0", "1.0.0", "0.1.0"]);
    assert_eq!(names("---\n## 1.0.0\n"), ["1.0.0"]);
}

#[test]
fn releases_of_two_levels_and_what_looks_like_one() {
    let text = "# [1.1.0](https://h)\n\n## Routing\n\n- a\n\n## [1.0.1](https://h)\n\n- b\n\n## What's Changed\n\n- c\n\n### 0.5\n\n## 1.0\n\n- d\n\n## 0.9.0\n\n- e\n\n# v0\n\n- f\n";
    let log = parse(text);
    let bodies: Vec<_> = log
        .releases
        .iter()
        .map(|release| (release.name, &text[release.body.clone()]))
        .collect();
    assert_eq!(
        bodies,
        [
            ("1.1.0", "\n## Routing\n\n- a\n\n"),
            ("1.0.1", "\n- b\n\n## What's Changed\n\n- c\n\n### 0.5\n\n"),
            ("0.9.0", "\n- e\n\n"),
        ]
    );
    let strange: Vec<_> = log.strange.iter().map(|(_, words)| *words).collect();
    assert_eq!(strange, ["What's Changed", "1.0", "v0"]);
    assert_eq!(log.releases[0].sections[0].entries, 1);
    assert_eq!(log.loose, [9, 13, 23]);
}

#[test]
fn links_of_candidates_and_of_branches_are_not_stale() {
    let text = "## [Unreleased]\n\n## [2.0.0-rc.1]\n\n## [1.1.0]\n\n## [1.1.0-rc.1]\n\n## [1.0.1]\n\n## [1.0.0]\n\n[Unreleased]: https://h/compare/v1.1.0...HEAD\n[2.0.0-rc.1]: https://h/compare/v1.0.0...v2.0.0-rc.1\n[1.1.0]: https://h/compare/v1.0.0...v1.1.0\n[1.1.0-rc.1]: https://h/compare/v1.0.0...v1.1.0-rc.1\n[1.0.1]: https://h/compare/v1.0.0...v1.0.1\n[1.0.0]: https://h/releases/tag/v1.0.0\n";
    let lines = |text: &str| -> Vec<usize> {
        let found = stale(&parse(text));
        found.into_iter().map(|(line, _)| line).collect()
    };
    assert_eq!(lines(text), [] as [usize; 0]);
    for (from, to, line) in [
        ("v1.1.0...HEAD", "v1.0.1...HEAD", 13),
        ("v1.0.0...v1.1.0\n", "v2.0.0-rc.1...v1.1.0\n", 15),
        ("v1.0.0...v1.1.0\n", "v1.1.0...v1.1.0\n", 15),
        ("v1.0.0...v1.1.0\n", "v0.9.0...v1.1.0\n", 15),
        ("v1.0.0...v1.1.0\n", "v1.0.0...v1.0.1\n", 15),
    ] {
        assert!(text.contains(from));
        assert_eq!(lines(&text.replacen(from, to, 1)), [line], "{to}");
    }
}

#[test]
fn definitions_have_a_target_and_a_title() {
    let text = "## [1.0.0]\n\n- [A  b] and ![c] and [d], [e](/e.md), [f](#f) ![g](./g.png)\n\n[1.0.0]: <https://h/releases/tag/v1.0.0> \"t\"\n[a B]: <docs/a b.md> 'of a'\n[c]: docs/c.png \"of c\"\n[d]: <>\n[a b]: other\n";
    let log = parse(text);
    assert_eq!(stale(&log), []);
    for (page, blob, raw) in [
        ("https://github.com/o/n", "blob", "raw"),
        ("https://gitlab.com/g/o/n", "-/blob", "-/raw"),
        ("https://codeberg.org/o/n", "src/tag", "raw/tag"),
    ] {
        let files = Files {
            page,
            tag: "v1.0.0",
            folder: "sub/",
        };
        let notes = notes(&log, &Version::new(1, 0, 0), Some(files)).unwrap();
        let (blob, raw) = (
            format!("{page}/{blob}/v1.0.0"),
            format!("{page}/{raw}/v1.0.0"),
        );
        let links =
            format!("[e]({blob}/e.md), [f]({blob}/sub/CHANGELOG.md#f) ![g]({raw}/sub/g.png)");
        let definitions = format!(
            "[a B]: <{blob}/sub/docs/a b.md> 'of a'\n[c]: {raw}/sub/docs/c.png \"of c\"\n[d]: <>\n"
        );
        assert_eq!(
            notes,
            format!("- [A  b] and ![c] and [d], {links}\n\n{definitions}")
        );
    }
}
