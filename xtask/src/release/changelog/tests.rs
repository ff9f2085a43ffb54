//! The engine on real changelogs: those of the packages that this workspace depends on, and, where
//! `XTASK_CHANGELOGS` names a folder, the files there. Each as it is and in four other encodings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulldown_cmark::{CowStr, Event, HeadingLevel, Parser, Tag, TagEnd};
use semver::Version;

use super::*;

/// Name and text of each file, in every encoding.
fn corpus() -> Vec<(String, String)> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let mut files: BTreeSet<PathBuf> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            Path::new(package["manifest_path"].as_str().unwrap()).with_file_name("CHANGELOG.md")
        })
        .filter(|file| file.is_file())
        .collect();
    if let Some(folder) = crate::environment::var("XTASK_CHANGELOGS") {
        files.extend(
            std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().path()),
        );
    }
    assert!(files.len() > 40, "{}", files.len());
    files
        .iter()
        .flat_map(|file| {
            let text = std::fs::read_to_string(file).unwrap();
            let folder = file
                .parent()
                .unwrap()
                .file_name()
                .unwrap()
                .to_string_lossy();
            let name = format!("{folder}/{}", file.file_name().unwrap().to_string_lossy());
            let bare = text.trim_start_matches('\u{feff}');
            let lf = bare.replace("\r\n", "\n");
            [
                ("as it is", text.clone()),
                ("lf", lf.clone()),
                ("crlf", lf.replace('\n', "\r\n")),
                ("bom", format!("\u{feff}{bare}")),
                ("no final newline", bare.trim_end().to_owned()),
            ]
            .map(|(encoding, text)| (format!("{name} ({encoding})"), text))
        })
        .collect()
}

/// The text behind a byte order mark and front matter.
fn markdown(text: &str) -> &str {
    let text = text.trim_start_matches('\u{feff}');
    text.strip_prefix("---")
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

#[test]
fn every_version_of_a_real_changelog_is_found() {
    let mut found = 0;
    for (name, text) in corpus() {
        let log = parse(&text);
        let is_version = |word: &str| {
            let word = word.trim_start_matches('v');
            Version::parse(word).is_ok() || word.eq_ignore_ascii_case("unreleased")
        };
        // The first two words: a package may stand before its version.
        let wanted: Vec<String> = rendered_headings(&text)
            .into_iter()
            .filter_map(|words| {
                let mut words = words
                    .split(|c: char| {
                        c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | ':' | ',' | '~')
                    })
                    .filter(|word| !matches!(*word, "" | "-" | "–"));
                let version = words.by_ref().take(2).find(|word| is_version(word))?;
                Some(version.to_owned())
            })
            .collect();
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        let got: Vec<&str> = log
            .releases
            .iter()
            .filter(|release| is_version(release.name))
            .map(|release| release.name)
            .collect();
        assert_eq!(got, wanted, "{name}");
        found += got.len();
    }
    assert!(found > 2000, "{found}");
}

#[test]
fn the_parts_of_a_real_changelog_are_the_whole() {
    for (name, text) in corpus() {
        let log = parse(&text);
        let numbers = Lines::of(&text);
        let Some(first) = log.releases.first() else {
            continue;
        };
        let mut parts = text[..first.heading.start].to_owned();
        let is_strange = |at: usize| {
            let line = numbers.number(at);
            log.strange.iter().any(|(strange, _)| *strange == line)
        };
        for release in &log.releases {
            let (at, start) = (parts.len(), release.heading.start);
            assert!(at == start || is_strange(at), "{name} {at} {start}");
            parts.push_str(&text[at..start]);
            parts.push_str(&text[release.heading.clone()]);
            parts.push_str(&text[release.body.clone()]);
            assert_eq!(
                numbers.number(release.heading.start),
                release.line,
                "{name}"
            );
        }
        let end = log.releases.last().unwrap().body.end;
        parts.push_str(&text[end..]);
        assert!(parts == text, "{name}");
        if is_strange(end) {
            continue;
        }
        let behind: usize = log
            .links
            .iter()
            .filter(|link| link.range.start >= end)
            .count();
        let lines = lines(&text[end..])
            .filter(|line| line.starts_with('['))
            .count();
        assert_eq!(
            behind, lines,
            "{name}: what follows the last release are links"
        );
    }
}

/// Where the links among `events` lead.
fn targets<'a>(events: impl Iterator<Item = Event<'a>>) -> Vec<CowStr<'a>> {
    events
        .filter_map(|event| match event {
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                Some(dest_url)
            }
            _ => None,
        })
        .collect()
}

#[test]
fn notes_of_a_real_release_are_complete_in_themselves() {
    let mut seen = 0;
    for (name, text) in corpus() {
        let log = parse(&text);
        // Every release of a file as it is, some of the others.
        let step = if name.ends_with("(as it is)") { 1 } else { 17 };
        let skipped = text.len() - markdown(&text).len();
        let whole: Vec<_> = Parser::new(&text[skipped..]).into_offset_iter().collect();
        for release in log.releases.iter().rev().step_by(step) {
            let Some(version) = release
                .version()
                .filter(|version| log.named(version).len() == 1)
            else {
                continue;
            };
            if release.is_empty(&log) {
                assert!(notes(&log, &version, None).is_err(), "{name} {version}");
                continue;
            }
            let got = notes(&log, &version, None).unwrap();
            let wanted = targets(
                whole
                    .iter()
                    .filter(|(_, range)| release.body.contains(&(range.start + skipped)))
                    .map(|(event, _)| event.clone()),
            );
            assert_eq!(
                targets(Parser::new(&got)),
                wanted,
                "{name} {version}\n{got}"
            );
            let used = got
                .lines()
                .filter(|line| line.starts_with('[') && line.contains("]: "))
                .count();
            assert!(used <= wanted.len(), "{name} {version}\n{got}");
            assert!(
                !got.contains('\r') && got.ends_with('\n') && !got.ends_with("\n\n"),
                "{name} {version}"
            );
            seen += 1;
        }
    }
    assert!(seen > 2000, "{seen}");
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
    let text = "## [1.0.0]\n\n- [A  b] and [c] and [d]\n\n[1.0.0]: <https://h/releases/tag/v1.0.0> \"t\"\n[a B]: <docs/a b.md> 'of a'\n[c]: docs/c.md \"of c\"\n[d]: <>\n[a b]: other\n";
    let log = parse(text);
    assert_eq!(stale(&log), []);
    let notes = notes(&log, &Version::new(1, 0, 0), Some("https://h/blob/v1.0.0")).unwrap();
    assert_eq!(
        notes,
        "- [A  b] and [c] and [d]\n\n[a B]: <https://h/blob/v1.0.0/docs/a b.md> 'of a'\n[c]: https://h/blob/v1.0.0/docs/c.md \"of c\"\n[d]: <>\n"
    );
}

proptest::proptest! {
    #[test]
    fn any_text_is_read(text in "([#\\[\\]()`~<>!:\\-_ \t\r\n\u{feff}]|1\\.2\\.3|\n## 1\\.2\\.3|\r# 1\\.1\\.0|\r\n## \\[1\\.0\\.0-rc\\.1]|Unreleased|2026-01-31|<!--|-->|```|https://h/compare/v1\\.0\\.0\\.\\.\\.HEAD|ä){0,60}") {
        let log = parse(&text);
        let lines = lines(&text).count() + 1;
        proptest::prop_assert_eq!(compare(&log, &log), []);
        let _ = stale(&log);
        proptest::prop_assert!(log.releases.iter().all(|release| (1..=lines).contains(&release.line)));
        for release in &log.releases {
            if let Some(version) = release.version() {
                let _ = notes(&log, &version, Some("https://h/blob/v1.2.3"));
            }
        }
    }
}
