//! A release cut into changelogs of many forms, as whole texts.

use semver::Version;

use super::super::{Cut, cut, laws};
use crate::exit::help_of;

/// `text` with `version` cut into it on 2026-03-01; the page is `https://github.com/o/n`.
fn made(text: &str, version: &str) -> String {
    made_at(text, version, Some("https://github.com/o/n"))
}

fn made_at(text: &str, version: &str, page: Option<&str>) -> String {
    let release = Cut {
        version: &version.parse().unwrap(),
        date: "2026-03-01".parse().unwrap(),
        tag: &format!("v{version}"),
        page,
    };
    cut(text, &release).unwrap()
}

const BEFORE: &str = "# Changelog

## [Unreleased]

### Added

- Jam.

## [1.0.0] - 2026-01-01

### Fixed

- Syrup.

[unreleased]: https://github.com/o/n/compare/v1.0.0...HEAD
[1.0.0]: https://github.com/o/n/releases/tag/v1.0.0
";

const AFTER: &str = "# Changelog

## [Unreleased]

## [1.1.0] - 2026-03-01

### Added

- Jam.

## [1.0.0] - 2026-01-01

### Fixed

- Syrup.

[unreleased]: https://github.com/o/n/compare/v1.1.0...HEAD
[1.1.0]: https://github.com/o/n/compare/v1.0.0...v1.1.0
[1.0.0]: https://github.com/o/n/releases/tag/v1.0.0
";

#[test]
fn a_release_is_one_heading_and_two_links() {
    assert_eq!(made(BEFORE, "1.1.0"), AFTER);
    for change in [
        |text: &str| text.replace('\n', "\r\n"),
        |text: &str| format!("\u{feff}{text}"),
        |text: &str| text.trim_end().to_owned(),
        |text: &str| text.replace("HEAD", "main"),
        |text: &str| text.replace("unreleased]:", "UNRELEASED]:"),
        |text: &str| text.replace("...", ".."),
        |text: &str| {
            text.replace("n/compare", "n/-/compare")
                .replace("n/releases/tag", "n/-/tags")
        },
    ] {
        assert_eq!(made(&change(BEFORE), "1.1.0"), change(AFTER));
    }
}

/// The lines of `new` that `old` does not have, in order.
fn put_in<'a>(old: &str, new: &'a str) -> Vec<&'a str> {
    new.lines()
        .filter(|line| !old.lines().any(|known| known == *line))
        .collect()
}

#[track_caller]
fn check(old: &str, version: &str, wanted: &[&str]) {
    let new = made(old, version);
    assert_eq!(put_in(old, &new), wanted, "{new}");
}

#[test]
fn the_heading_has_the_form_of_the_newest_release() {
    for (old, new) in [
        ("## 1.0.0 - 2026-01-01", "## 1.1.0 - 2026-03-01"),
        ("## v1.0.0 (2026-01-01)", "## v1.1.0 (2026-03-01)"),
        (
            "## Version 1.0.0 / 2026-01-01",
            "## Version 1.1.0 / 2026-03-01",
        ),
        (
            "## 🍕 **1.0.0** – _2026-01-01_",
            "## 🍕 **1.1.0** – _2026-03-01_",
        ),
        ("## 1.0.0", "## 1.1.0 - 2026-03-01"),
        ("# 1.0.0 - 2026-01-01", "## 1.1.0 - 2026-03-01"),
        (
            "## 1.0.0 - 2026-01-01 <a name=\"1.0.0\"></a>",
            "## 1.1.0 - 2026-03-01 <a name=\"1.1.0\"></a>",
        ),
        (
            "## [1.0.0](https://github.com/o/n/compare/v0.9.0...v1.0.0) (2026-01-01)",
            "## [1.1.0](https://github.com/o/n/compare/v1.0.0...v1.1.0) (2026-03-01)",
        ),
        (
            "## [1.0.0](https://crates.io/crates/n/1.0.0) - 2026-01-01",
            "## [1.1.0](https://crates.io/crates/n/1.1.0) - 2026-03-01",
        ),
        // What only that release can say is not said again.
        ("## 1.0.0 - 2026-01-01 \"Pancake\"", "## 1.1.0 - 2026-03-01"),
        ("## 1.0.0 (January 2026)", "## 1.1.0 - 2026-03-01"),
        (
            "## 1.0.0 - 2026-01-01 [YANKED]\n\n- b\n\n## v0.9.0, 2025-01-01",
            "## v1.1.0, 2026-03-01",
        ),
        (
            "## n-cli 1.0.0\n\n- b\n\n## n-core 0.3.0",
            "## 1.1.0 - 2026-03-01",
        ),
    ] {
        check(
            &format!("## Unreleased\n\n- a\n\n{old}\n\n- b\n"),
            "1.1.0",
            &[new],
        );
    }
    check(
        "Unreleased\n----------\n\n- a\n\n1.0.0 / 2026-01-01\n------------------\n\n- b\n",
        "1.10.0",
        &["1.10.0 / 2026-03-01", "-------------------"],
    );
    check(
        "## [Unreleased]\n\n- a\n\n## [1.0.0][v1.0.0]\n\n[v1.0.0]: https://h/o/n/releases/tag/v1.0.0\n",
        "1.1.0",
        &[
            "## [1.1.0][v1.1.0] - 2026-03-01",
            "[v1.1.0]: https://h/o/n/releases/tag/v1.1.0",
        ],
    );
    let ruled = "## Unreleased\n\n- a\n\n---\n\n## 1.0.0 - 2026-01-01\n\n- b\n";
    assert_eq!(
        made(ruled, "1.1.0"),
        "## Unreleased\n\n---\n\n## 1.1.0 - 2026-03-01\n\n- a\n\n---\n\n## 1.0.0 - 2026-01-01\n\n- b\n"
    );
}

#[test]
fn links_have_the_form_of_the_file() {
    let file = |links: &str| {
        format!("## [Unreleased]\n\n- a\n\n## [1.0.0] - 2026-01-01\n\n- b\n\n{links}\n")
    };
    let heading = "## [1.1.0] - 2026-03-01";
    for (links, wanted) in [
        // A tag of before, an `Unreleased` that was forgotten, and one that compares with nothing.
        (
            "[Unreleased]: https://h/o/n/compare/1.0.0...master\n[1.0.0]: https://h/o/n/compare/0.9.0...1.0.0",
            &[
                "[Unreleased]: https://h/o/n/compare/v1.1.0...master",
                "[1.1.0]: https://h/o/n/compare/1.0.0...v1.1.0",
            ][..],
        ),
        (
            "[Unreleased]: https://h/o/n/compare/v0.3.0...HEAD",
            &[
                "[Unreleased]: https://h/o/n/compare/v1.1.0...HEAD",
                "[1.1.0]: https://h/o/n/compare/v1.0.0...v1.1.0",
            ],
        ),
        (
            "[Unreleased]: https://h/o/n/tree/main\n[1.0.0]: https://h/o/n/compare/v0.9.0...v1.0.0",
            &["[1.1.0]: https://h/o/n/compare/v1.0.0...v1.1.0"],
        ),
        (
            "[1.0.0]: https://h/o/n/releases/tag/n-1.0.0",
            &["[1.1.0]: https://h/o/n/releases/tag/v1.1.0"],
        ),
        (
            "[b]: https://h",
            &[
                "[Unreleased]: https://github.com/o/n/compare/v1.1.0...HEAD",
                "[1.1.0]: https://github.com/o/n/compare/v1.0.0...v1.1.0",
            ],
        ),
    ] {
        let wanted = [&[heading][..], wanted].concat();
        check(&file(links), "1.1.0", &wanted);
    }
    // Bitbucket names the later one first; a link of its form is not made, nor a heading that needs one.
    let foreign = file("[Unreleased]: https://bitbucket.org/o/n/branches/compare/HEAD..v1.0.0");
    assert_eq!(
        put_in(&foreign, &made_at(&foreign, "1.1.0", None)),
        ["## 1.1.0 - 2026-03-01"]
    );
    // A link that somebody has prepared stays.
    check(
        &file(
            "[Unreleased]: https://h/o/n/compare/v1.1.0...HEAD\n[1.1.0]: https://h/o/n/compare/v1.0.0...v1.1.0",
        ),
        "1.1.0",
        &[heading],
    );
    // The heading of `Unreleased` itself may be the link.
    check(
        "## [Unreleased](https://h/o/n/compare/v1.0.0...HEAD)\n\n- a\n",
        "1.1.0",
        &[
            "## [Unreleased](https://h/o/n/compare/v1.1.0...HEAD)",
            "## [1.1.0](https://h/o/n/releases/tag/v1.1.0) - 2026-03-01",
        ],
    );
}

#[test]
fn the_first_release_compares_with_nothing() {
    let old = "# Changelog\n\n## [Unreleased]\n\n- a\n";
    assert_eq!(
        made(old, "0.1.0"),
        "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-03-01\n\n- a\n\n[Unreleased]: https://github.com/o/n/compare/v0.1.0...HEAD\n[0.1.0]: https://github.com/o/n/releases/tag/v0.1.0\n"
    );
    assert_eq!(
        made_at(old.trim_end(), "0.1.0", Some("https://gitlab.com/g/o/n/")),
        "# Changelog\n\n## [Unreleased]\n\n## [0.1.0] - 2026-03-01\n\n- a\n\n[Unreleased]: https://gitlab.com/g/o/n/-/compare/v0.1.0...HEAD\n[0.1.0]: https://gitlab.com/g/o/n/-/tags/v0.1.0"
    );
    assert_eq!(
        put_in(old, &made_at(old, "0.1.0", None)),
        ["## 0.1.0 - 2026-03-01"]
    );
}

#[test]
fn candidates_compare_with_what_is_before_them_and_finals_with_finals() {
    let entry = |text: &str| text.replacen("## [Unreleased]\n", "## [Unreleased]\n\n- more\n", 1);
    let first = made(BEFORE, "1.1.0-rc.1");
    let second = made(&entry(&first), "1.1.0-rc.2");
    let last = made(&second, "1.1.0");
    let links: Vec<&str> = last.lines().filter(|line| line.contains("]: ")).collect();
    assert_eq!(
        links,
        [
            "[unreleased]: https://github.com/o/n/compare/v1.1.0...HEAD",
            "[1.1.0]: https://github.com/o/n/compare/v1.0.0...v1.1.0",
            "[1.1.0-rc.2]: https://github.com/o/n/compare/v1.1.0-rc.1...v1.1.0-rc.2",
            "[1.1.0-rc.1]: https://github.com/o/n/compare/v1.0.0...v1.1.0-rc.1",
            "[1.0.0]: https://github.com/o/n/releases/tag/v1.0.0",
        ]
    );
    let said = "## [Unreleased]\n\n## [1.1.0] - 2026-03-01\n\nNo changes since 1.1.0-rc.2.\n\n## [1.1.0-rc.2] - 2026-03-01\n\n- more\n";
    assert!(last.contains(said), "{last}");
    // Of another version, or of a candidate, it would be no news.
    for version in ["1.2.0", "1.1.0-rc.3", "1.1.1"] {
        let version: Version = version.parse().unwrap();
        let refused = laws::cut_as(&second, &version, None).unwrap_err();
        assert_eq!(
            refused,
            "there is nothing below `Unreleased` in the changelog, line 3"
        );
    }
    assert!(made(&entry(&second), "1.1.0").contains("\n\n- more\n\n## [1.1.0-rc.2]"));
    for tight in [
        "## 1.0.0-rc.1\n- a\n",
        "1.0.0-rc.1\n-----\n- a\n",
        "---\n## 1.0.0-rc.1\n- a",
    ] {
        let tight = format!("## Unreleased\n{tight}");
        let version = Version::new(1, 0, 0);
        laws::released(
            &tight,
            &laws::cut_as(&tight, &version, None).unwrap(),
            &version,
        );
    }
}

#[test]
fn what_cannot_be_released_is_refused() {
    for (text, version, message, help) in [
        (
            "# Changelog\n",
            "1.0.0",
            "the changelog has no `Unreleased` heading",
            "write `## [Unreleased]` above the newest release, and below it what changed",
        ),
        (
            "## Unreleased\n\n- a\n\n## unreleased\n",
            "1.0.0",
            "the changelog has `Unreleased` at lines 1, 5",
            "move all entries below the first one",
        ),
        (
            "## 1.0.0\n\n- a\n\n## [Unreleased]\n\n- b\n",
            "1.1.0",
            "`Unreleased` stands below `1.0.0` in the changelog, line 5",
            "move it above all releases, with its entries",
        ),
        (
            "## Unreleased\n\n### Added\n\n<!-- nothing -->\n\n## 1.0.0\n",
            "1.1.0",
            "there is nothing below `Unreleased` in the changelog, line 1",
            "write down what changed: a release tells its users something",
        ),
        (
            "## Unreleased\n\n- a\n\n## v1.0.0\n",
            "1.0.0",
            "`1.0.0` is in the changelog already, line 5",
            "choose a higher version, or take that heading out if it was never released",
        ),
        (
            "## [Unreleased]\n\n- a\n\n```\nopen\n",
            "1.0.0",
            "`1.0.0` would not be read from the changelog that this makes",
            "close what is open in it: a code fence, a comment",
        ),
        (
            "## [Unreleased]\n\n- a\n\n[1.1.0]: https://h/o/n/compare/v1.0.0...v1.0.1\n",
            "1.1.0",
            "`[1.1.0]` leads to `v1.0.1`",
            "take this definition out of the changelog: the release makes its own",
        ),
    ] {
        let release = Cut {
            version: &version.parse().unwrap(),
            date: "2026-03-01".parse().unwrap(),
            tag: "v1.0.0",
            page: Some("https://github.com/o/n"),
        };
        let error = cut(text, &release).unwrap_err();
        assert_eq!(error.to_string(), message);
        assert_eq!(help_of(&error), Some(help));
    }
}
