//! The engine on real changelogs: those of the packages that this workspace depends on, and, where
//! `XTASK_CHANGELOGS` names a folder, the files there. Each as it is and in four other encodings.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use pulldown_cmark::{CowStr, Event, Parser, Tag};
use semver::Version;

use super::super::lines::{Lines, lines, spliced};
use super::super::{Changelog, Link, laws, notes, parse};
use super::{markdown, rendered_headings};

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
            let mut forms = vec![
                ("as it is", text.clone()),
                ("lf", lf.clone()),
                ("crlf", lf.replace('\n', "\r\n")),
                ("bom", format!("\u{feff}{bare}")),
                ("no final newline", bare.trim_end().to_owned()),
            ];
            forms.dedup_by(|form, before| form.1 == before.1);
            let named = move |(form, text)| (format!("{name} ({form})"), text);
            forms.into_iter().map(named)
        })
        .collect()
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
        assert!(spliced(&text, Vec::new()) == text, "{name}");
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

/// What a release says of a file that it refuses; `None` where it may be made.
fn refusal(log: &Changelog<'_>) -> Option<String> {
    let open: Vec<_> = (log.releases.iter())
        .filter(|release| release.is_unreleased())
        .collect();
    match open.as_slice() {
        [] => Some("the changelog has no `Unreleased` heading".to_owned()),
        [one] if log.releases[0] != **one => {
            let (name, line, first) = (one.name, one.line, log.releases[0].name);
            Some(format!(
                "`{name}` stands below `{first}` in the changelog, line {line}"
            ))
        }
        [one] => one.is_empty(log).then(|| {
            let (name, line) = (one.name, one.line);
            format!("there is nothing below `{name}` in the changelog, line {line}")
        }),
        several => {
            let lines: Vec<_> = several.iter().map(|one| one.line.to_string()).collect();
            let lines = lines.join(", ");
            Some(format!("the changelog has `Unreleased` at lines {lines}"))
        }
    }
}

/// The file with an entry below one `Unreleased`, as somebody would put it there after a refusal.
fn mended(text: &str) -> String {
    let log = parse(text);
    let eol = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let open: Vec<_> = (log.releases.iter())
        .filter(|release| release.is_unreleased())
        .collect();
    let (at, new) = match (open.as_slice(), log.releases.first()) {
        ([], Some(first)) => {
            let name = match first.link {
                Link::Reference(_) => "[Unreleased]",
                Link::None | Link::Inline(_) => "Unreleased",
            };
            let heading = format!(
                "{} {name}{eol}{eol}- planted{eol}{eol}",
                "#".repeat(first.level)
            );
            (first.heading.start, heading)
        }
        ([], None) => (
            text.len(),
            format!("{eol}{eol}## Unreleased{eol}{eol}- planted"),
        ),
        ([one], Some(first)) if first == *one => {
            (one.heading.end, format!("{eol}- planted{eol}{eol}"))
        }
        (misplaced, _) => {
            let headings = misplaced
                .iter()
                .map(|one| (one.title.clone(), "Earlier".to_owned()));
            return mended(&spliced(text, headings.collect()));
        }
    };
    spliced(text, vec![(at..at, new)])
}

#[test]
fn a_release_touches_its_own_lines_of_a_real_changelog() {
    let (mut as_it_is, mut after_mending) = (0, 0);
    for (name, text) in corpus() {
        let page = Some("https://host.example/owner/name");
        let log = parse(&text);
        let version = laws::next(&log).unwrap();
        let text = match refusal(&log) {
            None => {
                as_it_is += 1;
                text.clone()
            }
            Some(refusal) => {
                assert_eq!(laws::cut_as(&text, &version, page), Err(refusal), "{name}");
                after_mending += 1;
                mended(&text)
            }
        };
        let new =
            laws::cut_as(&text, &version, page).unwrap_or_else(|error| panic!("{name}: {error}"));
        let held = std::panic::catch_unwind(|| laws::released(&text, &new, &version));
        assert!(held.is_ok(), "{name}");
        if name.ends_with("(as it is)") {
            laws::goes_on(&new, &version);
        }
    }
    assert!(
        as_it_is > 5 && after_mending > 200,
        "{as_it_is} {after_mending}"
    );
}

#[test]
fn the_laws_hold_for_real_changelogs_and_for_damaged_ones() {
    let pieces = [
        "\n",
        "\r\n",
        "\r",
        "\n\n",
        "## [Unreleased]",
        "Unreleased",
        "\n## [9.9.9] - 2031-01-01\n",
        "```\n",
        "~~~",
        "<!--",
        "-->",
        "- ",
        "    ",
        "\n---\n",
        "\n===\n",
        "> ",
        "[1.0.0]: https://h/compare/v1.0.0...HEAD\n",
        "[Unreleased]:",
        "\u{feff}",
        "<pre>",
        "\\",
        "[",
        "]",
        "(",
        ")",
        "ä",
        "`",
        "\t",
        "#",
    ];
    // The same texts in every run.
    let mut seed: usize = 0x9e37_79b9;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed % below.max(1)
    };
    for (_, text) in corpus() {
        // Both ends have the most to lose; a short text has more of its bytes changed.
        let (end, start) = (
            boundary(&text, 1500),
            boundary(&text, text.len().saturating_sub(500)),
        );
        let text = format!("{}{}", &text[..end], &text[start.max(end)..]);
        laws::hold(&text);
        for _ in 0..2 {
            let mut damaged = text.clone();
            for _ in 0..=random(6) {
                let from = boundary(&damaged, random(damaged.len()));
                let to = boundary(&damaged, from + random(40));
                damaged.replace_range(from..to, pieces[random(pieces.len())]);
            }
            let held = std::panic::catch_unwind(|| laws::hold(&damaged));
            assert!(held.is_ok(), "{damaged:?}");
        }
    }
}

/// The first boundary between characters from `at` on.
fn boundary(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or_default()
}
