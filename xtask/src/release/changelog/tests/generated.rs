//! The engine on random texts: marks in any order, and documents made of blocks, whose headings
//! pulldown-cmark renders.

use proptest::prelude::*;

use super::super::{laws, parse};
use super::rendered_headings;

proptest! {
    #[test]
    fn the_laws_hold_for_any_text(text in "([#\\[\\]()`~<>!:\\-_ \t\r\n\u{feff}]|1\\.2\\.3|\n## 1\\.2\\.3|\r# 1\\.1\\.0|\r\n## \\[1\\.0\\.0-rc\\.1]|\n## \\[?Unreleased]?\n|\n- a|2026-01-31|<!--|-->|```|https://h/compare/v1\\.0\\.0\\.\\.\\.HEAD|ä){0,60}") {
        laws::hold(&text);
    }

    #[test]
    fn headings_are_where_markdown_has_them(text in document()) {
        let wanted: Vec<String> = rendered_headings(&text)
            .into_iter()
            .filter_map(|words| version_of(&words))
            .collect();
        let names = |text: &str| -> Vec<String> {
            let log = parse(text);
            log.releases.iter().map(|release| release.name.to_owned()).collect()
        };
        prop_assert_eq!(names(&text), wanted.clone(), "{:?}", text);
        laws::hold(&text);
        let version = laws::next(&parse(&text)).unwrap();
        if let Ok(new) = laws::cut_as(&text, &version, Some("https://gitlab.example/o/n")) {
            // Without brackets: with a definition they are a link.
            let bare = |text: &str| -> Vec<String> {
                let words = rendered_headings(text);
                words.iter().map(|words| words.replace(['[', ']'], "")).collect()
            };
            let (mut wanted, got) = (bare(&text), bare(&new));
            let at = wanted.iter().position(|words| words.contains("Unreleased")).unwrap();
            wanted.insert(at + 1, got[at + 1].clone());
            prop_assert_eq!(&got, &wanted, "{:?}", new);
            prop_assert!(got[at + 1].contains(&version.to_string()));
        }
    }
}

/// The version that a rendered heading begins with.
fn version_of(words: &str) -> Option<String> {
    let first = words.split([' ', '[', ']']).find(|word| !word.is_empty())?;
    (first == "Unreleased" || first.split('.').count() >= 3).then(|| first.to_owned())
}

/// A document of blocks: some hold headings that are none.
fn document() -> impl Strategy<Value = String> {
    let top = prop_oneof![
        Just(""),
        Just("# Changelog\n\n## [Unreleased]\n\n- entry\n\n")
    ];
    let blocks = proptest::collection::vec(block(), 0..12);
    let eol = prop_oneof![Just("\n"), Just("\r\n")];
    let parts = (top, blocks, eol, any::<bool>(), any::<bool>());
    parts.prop_map(|(top, blocks, eol, mark, ends)| {
        let text = format!("{top}{}", blocks.concat());
        let text = if ends {
            &text
        } else {
            text.trim_end_matches('\n')
        };
        let text = text.replace('\n', eol);
        if mark {
            format!("\u{feff}{text}")
        } else {
            text
        }
    })
}

fn block() -> impl Strategy<Value = String> {
    let version = prop_oneof![
        3 => Just("Unreleased".to_owned()),
        5 => (0..3u64, 0..20u64, 0..3u64).prop_map(|(a, b, c)| format!("{a}.{b}.{c}")),
        1 => (0..3u64, 1..4u64).prop_map(|(a, rc)| format!("{a}.0.0-rc.{rc}")),
    ];
    let title = (version, 0..4usize).prop_map(|(version, form)| match form {
        0 => version,
        1 => format!("[{version}] - 2026-01-31"),
        2 => format!("{version} (2026-01-31)"),
        _ => format!("[{version}](https://h/o/n/compare/v0.0.1...v{version})"),
    });
    let heading = (title.clone(), 0..5usize).prop_map(|(title, form)| match form {
        0 => format!("# {title}\n"),
        1 => format!("{title}\n-----\n"),
        2 => format!("   ## {title} ##\n"),
        _ => format!("## {title}\n\n"),
    });
    let text = prop_oneof![
        Just("- one\n- two\n"),
        Just("words\n\n"),
        Just("### Added\n\n- entry\n\n"),
        Just("\n"),
        Just("---\n\n"),
        Just("<details><summary>more</summary></details>\n\n"),
        Just("[Unreleased]: https://h/o/n/compare/v0.0.1...HEAD\n"),
        Just("[0.0.1]: https://h/o/n/releases/tag/v0.0.1\n"),
        Just("- open\n"),
    ];
    // What stands in a list item, a fence, a comment or a quotation is no heading of the file.
    let hidden = (heading.clone(), 0..9usize).prop_map(|(heading, form)| {
        let indented = |by: &str| {
            format!(
                "{by}{}\n",
                heading.trim_end().replace('\n', &format!("\n{by}"))
            )
        };
        match form {
            0 => format!("```md\n{heading}```\n"),
            1 => format!("~~~\n```\n{heading}~~~~\n"),
            2 => format!("<!--\n{heading}-->\n"),
            3 => format!("- item\n\n  ```\n{}  ```\n", indented("  ")),
            4 => format!("- item\n  ```\n  open\n\n{heading}"),
            5 => format!("1. a\n   - b\n\n{}", indented("     ")),
            6 => indented("> "),
            7 => format!("words\n\n{}", indented("    ")),
            _ => format!("<pre>\n{heading}</pre>\n"),
        }
    });
    prop_oneof![4 => heading, 4 => text.prop_map(str::to_owned), 3 => hidden]
}
