//! The heading of a release, in the forms that real changelogs use: `[1.2.3] - 2026-01-31`,
//! `1.2.3 (2026-01-31)`, `v1.2.3`, `[1.2.3](https://…) – 2026-01-31`, `~~[1.2.3]~~`,
//! `name 1.2.3 (2026-01-31, _yanked_)`, `Unreleased`.

use std::ops::Range;

/// What a heading says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heading<'a> {
    /// `1.2.3`, `v1.2.3` or `Unreleased`, as it is written.
    pub(super) name: &'a str,
    /// What the release is of, where one file tells of several packages.
    pub(super) package: Option<&'a str>,
    pub(super) link: Link<'a>,
    /// `2026-01-31`, whether there is such a day or not.
    pub(super) date: Option<&'a str>,
    pub(super) yanked: bool,
}

/// How the name leads somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Link<'a> {
    None,
    /// The label in `[1.2.3]` or `[1.2.3][label]`: a definition elsewhere says where to.
    Reference(&'a str),
    /// The target in `[1.2.3](https://…)`.
    Inline(&'a str),
}

/// Reads the text of a heading, without its marks. `None` when it names no release.
pub(super) fn read(text: &str) -> Option<Heading<'_>> {
    let (name, package) = name(text)?;
    let behind = &text[name.end..];
    let is_bracketed = text[..name.start].ends_with('[');
    let (link, rest) = match behind.strip_prefix(']').filter(|_| is_bracketed) {
        Some(rest) => link(&text[name.clone()], rest),
        None => (Link::None, behind),
    };
    Some(Heading {
        package: package.map(|range| &text[range]),
        link,
        date: date(rest),
        yanked: rest.to_ascii_lowercase().contains("yanked") || text[..name.start].contains("~~"),
        name: &text[name],
    })
}

/// The link that the bracketed `name` is, and what stands behind it.
fn link<'a>(name: &'a str, behind: &'a str) -> (Link<'a>, &'a str) {
    let between = |open, close| behind.strip_prefix(open)?.split_once(close);
    if let Some((target, rest)) = between('(', ')') {
        return (Link::Inline(target), rest);
    }
    match between('[', ']') {
        // `[1.2.3][]`, and `[1.2.3][YANKED]`, which leads nowhere.
        Some(("", rest)) => (Link::Reference(name), rest),
        Some((label, rest)) if !label.eq_ignore_ascii_case("yanked") => {
            (Link::Reference(label), rest)
        }
        _ => (Link::Reference(name), behind),
    }
}

/// The version or `Unreleased`, and the word before it that says of what.
fn name(text: &str) -> Option<(Range<usize>, Option<Range<usize>>)> {
    let mut package = None;
    for word in words(text) {
        let written = &text[word.clone()];
        if written.eq_ignore_ascii_case("unreleased") || is_version(written) {
            return Some((word, package));
        }
        // `serde 1.2.3` is a release; prose that mentions a version is not.
        if package.is_some() || !is_package(written) {
            return None;
        }
        package = Some(word);
    }
    None
}

/// Words between blanks and the marks of Markdown; a dash or a picture alone is none.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_mark = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '[' | ']' | '(' | ')' | '`' | '~' | '*' | ':' | ',' | '<' | '>' | '"'
            )
    };
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + text[from..].find(|c| !is_mark(c))?;
            let end = text[start..]
                .find(is_mark)
                .map_or(text.len(), |at| start + at);
            from = end;
            if text[start..end].contains(char::is_alphanumeric) {
                return Some(start..end);
            }
        }
    })
}

/// Three or more numbers, then what Semantic Versioning allows behind them, with or without a `v`.
fn is_version(word: &str) -> bool {
    let word = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let core = word.split(['-', '+']).next().unwrap_or_default();
    let numbers: Vec<&str> = core.split('.').collect();
    (3..=4).contains(&numbers.len())
        && numbers
            .iter()
            .all(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'+'))
}

/// Whether a heading begins with what somebody may have meant as a version: `1.0`, `v2`, `[1.x]`.
pub(super) fn is_like_version(text: &str) -> bool {
    let Some(word) = words(text).next().map(|range| &text[range]) else {
        return false;
    };
    let bare = word.strip_prefix(['v', 'V']).unwrap_or(word);
    let core = bare.split(['-', '+']).next().unwrap_or_default();
    let is_number = |part: &str| part == "x" || part.bytes().all(|b| b.is_ascii_digit());
    core.starts_with(|c: char| c.is_ascii_digit())
        && core.split('.').all(is_number)
        && (core.contains('.') || bare.len() < word.len())
}

fn is_package(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic())
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'/'))
}

/// The first `dddd-dd-dd` that stands for itself.
fn date(text: &str) -> Option<&str> {
    let is_digit = |at: usize| text.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    (0..text.len()).find_map(|start| {
        let shape = (0..10).all(|at| match at {
            4 | 7 => text.as_bytes().get(start + at) == Some(&b'-'),
            _ => is_digit(start + at),
        });
        let alone = !is_digit(start + 10) && (start == 0 || !is_digit(start - 1));
        (shape && alone).then(|| &text[start..start + 10])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Package, name, link, date, yanked.
    fn read(text: &str) -> Option<(&str, &str, Link<'_>, &str, bool)> {
        let heading = super::read(text)?;
        Some((
            heading.package.unwrap_or_default(),
            heading.name,
            heading.link,
            heading.date.unwrap_or_default(),
            heading.yanked,
        ))
    }

    #[test]
    fn forms_that_real_changelogs_use() {
        let day = "2026-01-31";
        for (text, wanted) in [
            (
                "[1.2.3] - 2026-01-31",
                ("", "1.2.3", Link::Reference("1.2.3"), day, false),
            ),
            ("1.2.3 – 2026-01-31", ("", "1.2.3", Link::None, day, false)),
            (
                "v1.2.3 (2026-01-31)",
                ("", "v1.2.3", Link::None, day, false),
            ),
            (
                "[v1.2.3]",
                ("", "v1.2.3", Link::Reference("v1.2.3"), "", false),
            ),
            (
                "[1.2.3-rc.1+x](https://h/v1...v2) - 2026-01-31",
                (
                    "",
                    "1.2.3-rc.1+x",
                    Link::Inline("https://h/v1...v2"),
                    day,
                    false,
                ),
            ),
            (
                "[1.2.3](https://h/2020-01-01) - 2026-01-31 [YANKED]",
                ("", "1.2.3", Link::Inline("https://h/2020-01-01"), day, true),
            ),
            (
                "1.2.3 (2026-01-31, _yanked_)",
                ("", "1.2.3", Link::None, day, true),
            ),
            (
                "1.2.3 - 2026-01-31 (Yanked; use 1.2.4)",
                ("", "1.2.3", Link::None, day, true),
            ),
            (
                "~~[v1.2.3] - 2026-01-31~~",
                ("", "v1.2.3", Link::Reference("v1.2.3"), day, true),
            ),
            (
                "[1.2.3] - 2026-01-31 <a name=\"1.2.3\"></a>",
                ("", "1.2.3", Link::Reference("1.2.3"), day, false),
            ),
            (
                "`lock_api` - [0.4.14](https://h) - 2026-01-31",
                ("lock_api", "0.4.14", Link::Inline("https://h"), day, false),
            ),
            (
                "lock_api 0.3.0 (2026-01-31)",
                ("lock_api", "0.3.0", Link::None, day, false),
            ),
            ("Version 1.2.3", ("Version", "1.2.3", Link::None, "", false)),
            (
                "[Unreleased] - ReleaseDate",
                ("", "Unreleased", Link::Reference("Unreleased"), "", false),
            ),
            (
                "[1.2.3][label] - 2026-01-31",
                ("", "1.2.3", Link::Reference("label"), day, false),
            ),
            (
                "[1.2.3][] [YANKED]",
                ("", "1.2.3", Link::Reference("1.2.3"), "", true),
            ),
            (
                "[1.2.3][YANKED]",
                ("", "1.2.3", Link::Reference("1.2.3"), "", true),
            ),
            ("🍕 1.2.3", ("", "1.2.3", Link::None, "", false)),
            ("UNRELEASED", ("", "UNRELEASED", Link::None, "", false)),
        ] {
            assert_eq!(read(text), Some(wanted), "{text}");
        }
    }

    #[test]
    fn what_may_be_meant_as_a_version() {
        for text in [
            "1.0",
            "[1.0] - 2026-01-31",
            "v2",
            "1.x",
            "v1.0-beta",
            "1.2.3.4.5",
        ] {
            assert!(is_like_version(text), "{text}");
        }
        for text in [
            "2026-01-31",
            "2026",
            "1",
            "Version 1.0",
            "What's Changed",
            "v",
            "",
            "1a.2",
        ] {
            assert!(!is_like_version(text), "{text}");
        }
    }

    #[test]
    fn what_is_no_release() {
        for text in [
            "Added",
            "Changelog",
            "What's Changed",
            "Upgrading from 1.2.3",
            "2026-01-31",
            "1",
            "",
            "Support for 0.5",
            "[soon] - 2026-01-31",
            "v",
            "1.x",
            "1.2",
            "1..2.3",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
