//! What holds for every text, changelog or not. The tests and the fuzz target `changelog` share it.

use semver::Version;

use super::{Changelog, Cut, Files, Link, Release, compare, cut, notes, parse, stale};

const FILES: Files<'_> = Files {
    page: "https://h/o/n",
    tag: "v1.2.3",
    folder: "",
};

const DATE: &str = "2031-12-31";

/// Panics where a law is broken.
pub(super) fn hold(text: &str) {
    let log = parse(text);
    let count = lines(text).count() + 1;
    assert_eq!(compare(&log, &log), []);
    for release in &log.releases {
        assert!((1..=count).contains(&release.line));
        if let Some(version) = release.version()
            && let Ok(notes) = notes(&log, &version, Some(FILES))
        {
            assert!(!notes.trim().is_empty() && !notes.contains('\r'));
        }
    }
    let page = Some("https://h/o/n");
    if let Some(version) = next(&log) {
        let candidate = Version::parse(&format!("{version}-rc.1")).unwrap();
        for version in [version, candidate] {
            match cut_as(text, &version, page) {
                Ok(new) => {
                    released(text, &new, &version);
                    goes_on(&new, &version);
                }
                Err(message) => assert!(is_refusal(&message), "{message}"),
            }
        }
    }
}

/// A version above all that are there; `None` when none is left.
pub(super) fn next(log: &Changelog<'_>) -> Option<Version> {
    let versions = log.releases.iter().filter_map(Release::version);
    let highest = versions.map(|version| version.major).max().unwrap_or(0);
    Some(Version::new(highest.checked_add(1)?, 0, 0))
}

pub(super) fn cut_as(text: &str, version: &Version, page: Option<&str>) -> Result<String, String> {
    let release = Cut {
        version,
        date: DATE.parse().unwrap(),
        tag: &format!("v{version}"),
        page,
    };
    cut(text, &release).map_err(|error| error.to_string())
}

fn is_refusal(message: &str) -> bool {
    let starts = [
        "the changelog has no `Unreleased` heading",
        "the changelog has `Unreleased` at lines ",
        "there is nothing below `",
    ];
    starts.iter().any(|start| message.starts_with(start))
        || message.contains("` stands below `")
        || is_of_a_definition(message)
        || message.ends_with(" would not be read from the changelog that this makes")
}

/// The text defines the label of the new release already, as something else.
fn is_of_a_definition(message: &str) -> bool {
    message.contains("]` leads to `") || message.contains("]` compares with `")
}

/// What holds for `old` with `version` cut into it.
pub(super) fn released(old: &str, new: &str, version: &Version) {
    let (before, after) = (parse(old), parse(new));
    let (unreleased, release) = (&after.releases[0], &after.releases[1]);
    assert!(unreleased.is_unreleased() && unreleased.is_empty(&after));
    assert_eq!(release.version().as_ref(), Some(version), "{new}");
    assert_eq!(release.date, Some(DATE), "{new}");
    assert!(!release.yanked, "{new}");
    if let Link::Reference(label) = release.link {
        assert!(after.link(label).is_some(), "{label}");
    }
    let names = |log: &Changelog<'_>| -> Vec<String> {
        let names = log.releases.iter().map(|release| release.name.to_owned());
        names.collect()
    };
    let mut wanted = names(&before);
    wanted.insert(1, release.name.to_owned());
    assert_eq!(names(&after), wanted, "{new}");
    let entries = |release: &Release<'_>| -> Vec<(String, usize)> {
        let sections = release.sections.iter();
        sections
            .map(|section| (section.name.to_owned(), section.entries))
            .collect()
    };
    assert_eq!(entries(release), entries(&before.releases[0]), "{new}");
    assert_eq!(compare(&before, &after), [], "{new}");
    let messages = |log: &Changelog<'_>| -> Vec<String> {
        stale(log).into_iter().map(|(_, message)| message).collect()
    };
    let known = messages(&before);
    for message in messages(&after) {
        assert!(known.contains(&message), "{message}\n{new}");
    }
    assert!(
        !notes(&after, version, None).unwrap().trim().is_empty(),
        "{new}"
    );
    only_its_own_lines(old, new);
}

/// The release after `version`, which is the newest of `text`, can be cut too.
pub(super) fn goes_on(text: &str, version: &Version) {
    // The line of a fence does not end at a lone `\r` for pulldown-cmark, so more text would change
    // what is one.
    if !text.replace("\r\n", "").contains('\r') {
        let version = Version::new(version.major, version.minor + 1, 0);
        if let Err(message) = cut_as(&with_an_entry(text), &version, None) {
            assert!(is_of_a_definition(&message), "{message}");
        }
    }
}

/// `text` with an entry above its second release.
fn with_an_entry(text: &str) -> String {
    let line = parse(text).releases[1].line;
    let at = lines(text).take(line - 1).map(str::len).sum();
    format!("{}- next\n\n{}", &text[..at], &text[at..])
}

/// The new text is the old one, with lines put in: a heading, a rule, a sentence, and links, of
/// which one may be changed instead.
fn only_its_own_lines(old: &str, new: &str) {
    let is_link = |line: &str| line.trim_start().starts_with('[') && line.contains("]: ");
    // Where it stands, what it compares with is all that changes.
    let parts = |line: &str| -> Option<(String, String)> {
        let (page, range) = bare(line).split_once("/compare/")?;
        Some((page.to_owned(), range.split_once("..")?.1.to_owned()))
    };
    let mut left = lines(old).peekable();
    let (mut put_in, mut changed) = (Vec::new(), 0);
    for line in lines(new) {
        match left.peek() {
            Some(same) if *same == line => {
                left.next();
            }
            // The last line gets an ending when another follows.
            Some(last) if ending(last).is_empty() && *last == bare(line) => {
                left.next();
            }
            Some(other) if parts(other).is_some() && parts(other) == parts(line) => {
                left.next();
                changed += 1;
            }
            _ => put_in.push(bare(line).trim()),
        }
    }
    assert_eq!(left.next(), None, "{old:?}\n{new:?}");
    let links = put_in.iter().filter(|line| is_link(line)).count();
    assert!(changed + links <= 2, "{changed} {put_in:?}");
    let said = put_in
        .iter()
        .filter(|line| !line.is_empty() && !is_link(line));
    let is_drawn = |line: &str| {
        line.trim_matches(['-', '=', '*', '_', ' ', '\t'])
            .is_empty()
    };
    let words: Vec<_> = said.clone().filter(|line| !is_drawn(line)).collect();
    assert!(
        words.len() == 1 || words.len() == 2 && words[1].starts_with("No changes since "),
        "{words:?}"
    );
    assert!(said.count() <= words.len() + 2, "{put_in:?}");
    let mut endings: Vec<_> = lines(old)
        .map(ending)
        .filter(|end| !end.is_empty())
        .collect();
    endings.dedup();
    if let [one] = endings.as_slice() {
        assert!(
            lines(new).all(|line| [*one, ""].contains(&ending(line))),
            "{new:?}"
        );
    }
    let last = |text| {
        lines(text)
            .last()
            .map(ending)
            .unwrap_or_default()
            .is_empty()
    };
    assert_eq!(last(new), last(old), "{new:?}");
}

/// Lines with their endings: `\n`, `\r\n` or `\r`.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let is_end = |byte| matches!(byte, b'\n' | b'\r');
        let end = rest.bytes().position(is_end).map_or(rest.len(), |at| {
            at + if rest[at..].starts_with("\r\n") { 2 } else { 1 }
        });
        let (line, behind) = rest.split_at(end);
        rest = behind;
        (!line.is_empty()).then_some(line)
    })
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\n', '\r'])
}

fn ending(line: &str) -> &str {
    &line[bare(line).len()..]
}
