//! What the commits say: Conventional Commits 1.0, with strict footers.

use std::str::Lines;

use anyhow::{Context as _, Result};
use git2::{Oid, Repository};

use super::{Evidence, Level, Reading};
use crate::report::text::plural;

/// Reads the commits behind `head` that `since` does not have; merges say nothing.
pub(super) fn read(repo: &Repository, head: Oid, since: Option<Oid>) -> Result<Reading> {
    let mut walk = repo.revwalk()?;
    walk.push(head)?;
    if let Some(since) = since {
        walk.hide(since)?;
    }
    let (mut all, mut merges, mut other) = (0, 0, 0);
    let mut evidence = Vec::new();
    for commit in walk {
        let commit = repo.find_commit(commit.context("failed to read the history")?)?;
        all += 1;
        if commit.parent_count() > 1 {
            merges += 1;
            continue;
        }
        let message = String::from_utf8_lossy(commit.message_bytes());
        let said = Said::of(&message);
        other += usize::from(!said.is_conventional);
        if let Some((level, why)) = said.level {
            let subject = message.trim_start().lines().next().unwrap_or_default();
            let place = &commit.id().to_string()[..10];
            let text = match why.as_str() {
                "" => subject.trim_end().to_owned(),
                why => format!("{} ({why})", subject.trim_end()),
            };
            evidence.push(Evidence::new(level, place, &text));
        }
    }
    let note = format!(
        "{}, {merges} of them merges, {other} not conventional",
        plural(all, "commit")
    );
    Ok(Reading::of("commits", note, evidence))
}

/// What one message says.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    is_conventional: bool,
    /// With what is to be told besides the subject.
    level: Option<(Level, String)>,
}

impl Said {
    fn of(message: &str) -> Self {
        let message = message.trim();
        let (header, body) = message.split_once('\n').unwrap_or((message, ""));
        let header = header_of(header.trim_end());
        let paragraphs = paragraphs(body);
        // A squash merge lists the headers of its commits.
        let squashed = paragraphs.iter().flatten().filter_map(|line| {
            let level = level_of(header_of(line.strip_prefix("* ")?)?)?;
            Some((level, format!("`{line}`")))
        });
        let own = header.and_then(level_of);
        // A footer counts whatever the subject looks like: nobody writes one by accident.
        let footer = broken_in(&paragraphs).map(|why| (Level::Breaking, why.to_owned()));
        let all = squashed.chain(footer);
        let all = all.chain(own.map(|level| (level, String::new())));
        Self {
            is_conventional: header.is_some(),
            level: all.max_by_key(|(level, _)| *level),
        }
    }
}

/// What a header asks for.
fn level_of(header: (&str, bool)) -> Option<Level> {
    match header {
        (_, true) => Some(Level::Breaking),
        ("feat", false) => Some(Level::Feature),
        ("fix", false) => Some(Level::Fix),
        _ => None,
    }
}

/// Type, and whether a `!` stands before the colon, of `type(scope)!: description`.
fn header_of(line: &str) -> Option<(&str, bool)> {
    let (head, description) = line.split_once(": ")?;
    let (head, is_breaking) = match head.strip_suffix('!') {
        Some(head) => (head, true),
        None => (head, false),
    };
    let kind = match head.split_once('(') {
        Some((kind, scope)) => {
            let scope = scope.strip_suffix(')')?;
            let is_scope = !scope.trim().is_empty() && !scope.contains(['(', ')']);
            is_scope.then_some(kind)?
        }
        None => head,
    };
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    let known = ["feat", "fix"];
    let kind = known
        .into_iter()
        .find(|known| kind.eq_ignore_ascii_case(known))
        .unwrap_or(kind);
    (is_word(kind) && !description.trim().is_empty()).then_some((kind, is_breaking))
}

/// How a body says that the commit breaks something: by a footer, which stands in the last paragraph.
/// A squash merge puts more paragraphs behind it; one that begins with a footer is told as that. In
/// the middle of a paragraph, indented, fenced or quoted it is text.
fn broken_in(paragraphs: &[Vec<&str>]) -> Option<&'static str> {
    let breaks = |paragraph: &Vec<&str>| {
        let is_footers = paragraph.first().is_some_and(|line| is_footer(line));
        is_footers && paragraph.iter().any(|line| is_breaking(line))
    };
    let (last, before) = paragraphs.split_last()?;
    if breaks(last) {
        return Some("");
    }
    (before.iter().any(breaks)).then_some("`BREAKING CHANGE:` above its last paragraph")
}

/// Lines between blank ones; what stands in a code fence is left out.
fn paragraphs(body: &str) -> Vec<Vec<&str>> {
    let mut paragraphs = vec![Vec::new()];
    let mut lines = body.lines();
    while let Some(line) = lines.next() {
        if let Some(behind) = behind_fence(line, &lines) {
            lines = behind;
        } else if line.trim().is_empty() {
            paragraphs.push(Vec::new());
        } else if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.push(line);
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
}

/// What follows the code fence that `line` opens, by CommonMark's rules. One that nothing closes is
/// none: a forgotten end hides no footer.
fn behind_fence<'a>(line: &str, rest: &Lines<'a>) -> Option<Lines<'a>> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = line.trim_start_matches(mark);
    let length = line.len() - info.len();
    if length < 3 || (mark == '`' && info.contains(mark)) {
        return None;
    }
    let mut rest = rest.clone();
    let is_end = |line: &str| {
        let line = line.trim();
        line.len() >= length && line.trim_start_matches(mark).is_empty()
    };
    rest.any(is_end).then_some(rest)
}

fn is_breaking(line: &str) -> bool {
    ["BREAKING CHANGE: ", "BREAKING-CHANGE: "]
        .into_iter()
        .any(|token| {
            line.strip_prefix(token)
                .is_some_and(|value| !value.trim().is_empty())
        })
}

/// `Token: value` or `Token #value`.
fn is_footer(line: &str) -> bool {
    let end = line
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(line.len());
    let is_token = end > 0 && (line[end..].starts_with(": ") || line[end..].starts_with(" #"));
    is_token || is_breaking(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it is conventional, and the level.
    fn said(message: &str) -> (bool, Option<Level>) {
        let said = Said::of(message);
        (said.is_conventional, said.level.map(|(level, _)| level))
    }

    #[test]
    fn headers() {
        for (message, wanted) in [
            ("feat: x", Some(Level::Feature)),
            ("FEAT(api v2): x", Some(Level::Feature)),
            ("fix: x", Some(Level::Fix)),
            ("chore!: x", Some(Level::Breaking)),
            ("fix(a)!: x", Some(Level::Breaking)),
            ("docs: x", None),
        ] {
            assert_eq!(said(message), (true, wanted), "{message}");
        }
        for message in [
            "feat x",
            "feat:x",
            "feat: ",
            "feat(): x",
            "feat(a: x",
            "feat (a): x",
            "feat !: x",
            "a feat: x",
            "",
            "Add feat: x",
            "feat!!: x",
        ] {
            assert_eq!(said(message), (false, None), "{message}");
        }
    }

    #[test]
    fn footers_stand_in_the_last_paragraph() {
        let breaks = (true, Some(Level::Breaking));
        for body in [
            "BREAKING CHANGE: y",
            "BREAKING-CHANGE: y",
            "text\n\nBREAKING CHANGE: y\n",
            "text\n\nReviewed-by: A\nBREAKING CHANGE: y\nRefs #1",
            "Refs #1\n  and more\nBREAKING CHANGE: y",
            // A squash merge.
            "* feat: x\n\nBREAKING CHANGE: y\n\n* fix: z",
            "BREAKING CHANGE: y\n\n---------\n\nCo-authored-by: A <a@h.org>",
            "* feat: x\n\nRefs #1\nBREAKING CHANGE: y\n\n* fix: z",
            // No fences: code within a line, and what never ends.
            "```cargo run``` now needs a flag.\n\nBREAKING CHANGE: gone",
            "~~~\ncode\n\nBREAKING CHANGE: gone",
            "```\ncode\n``` more\n\nBREAKING CHANGE: gone",
            // A fence ends with its own character and length, or more of it.
            "````\n```\n````\n\nBREAKING CHANGE: gone",
            "```\n`````\n\nBREAKING CHANGE: gone",
            "~~~ `sh`\n```\n~~~\n\nBREAKING CHANGE: gone",
        ] {
            assert_eq!(said(&format!("fix: x\n\n{body}")), breaks, "{body}");
            assert_eq!(said(&format!("Fix x\n\n{body}")).1, breaks.1, "{body}");
        }
        for body in [
            "A footer `BREAKING CHANGE: y` is told.",
            "Footers such as\nBREAKING CHANGE: y\nare told.",
            "text\n\n> BREAKING CHANGE: y",
            "text\n\n    BREAKING CHANGE: y",
            "text\n\n```\n\nBREAKING CHANGE: y\n\n```\n\nmore",
            "text\n\n````\n```\n\nBREAKING CHANGE: y\n````\n\nmore",
            "text\n\n```\n~~~\n``` x\n\nBREAKING CHANGE: y\n```\n\nmore",
            "text\n\nbreaking change: y",
            "text\n\nBREAKING CHANGES: y",
            "text\n\nBREAKING CHANGE:",
            "text\n\nNO BREAKING CHANGE: y",
            "text\n\n* BREAKING CHANGE: y",
        ] {
            assert_eq!(
                said(&format!("fix: x\n\n{body}")),
                (true, Some(Level::Fix)),
                "{body}"
            );
        }
    }

    #[test]
    fn a_squashed_commit_counts_as_the_strongest_in_it() {
        for (message, wanted) in [
            ("fix: x\n\n* feat!: drop y\n* fix: z", Some(Level::Breaking)),
            ("fix: x\n\n* feat(a): y\n\n* docs: z", Some(Level::Feature)),
            ("feat: x\n\n* fix: y", Some(Level::Feature)),
            ("docs: x (#1)\n\n* fix: y", Some(Level::Fix)),
            ("docs: x\n\n* a feat: y\n  * feat: y\n> * feat: y", None),
            ("docs: x\n\n```\n* feat!: y\n```", None),
        ] {
            assert_eq!(said(message), (true, wanted), "{message}");
        }
        let said = said("Change all (#1)\n\n* feat!: y");
        assert_eq!(said, (false, Some(Level::Breaking)));
    }
}
