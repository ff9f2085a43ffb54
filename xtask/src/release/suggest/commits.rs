//! What the commits say: Conventional Commits 1.0, with strict footers.

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
            let text = format!("{}{why}", subject.trim_end());
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
    level: Option<(Level, &'static str)>,
}

impl Said {
    fn of(message: &str) -> Self {
        let message = message.trim();
        let (header, body) = message.split_once('\n').unwrap_or((message, ""));
        let header = header_of(header.trim_end());
        // A footer counts whatever the subject looks like: nobody writes one by accident.
        let level = broken_in(body).map(|why| (Level::Breaking, why));
        let level = level.or_else(|| match header? {
            (_, true) => Some((Level::Breaking, "")),
            ("feat", false) => Some((Level::Feature, "")),
            ("fix", false) => Some((Level::Fix, "")),
            _ => None,
        });
        Self {
            is_conventional: header.is_some(),
            level,
        }
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
/// A squash merge puts more paragraphs behind it; one that begins with the token is told as that. In
/// the middle of a paragraph, indented, fenced or quoted it is text.
fn broken_in(body: &str) -> Option<&'static str> {
    let paragraphs = paragraphs(body);
    let (last, before) = paragraphs.split_last()?;
    let is_footers = last.first().is_some_and(|line| is_footer(line));
    if is_footers && last.iter().any(|line| is_breaking(line)) {
        return Some("");
    }
    let begins = |paragraph: &Vec<&str>| paragraph.first().is_some_and(|line| is_breaking(line));
    (before.iter().any(begins)).then_some(" (`BREAKING CHANGE:` above its last paragraph)")
}

/// Lines between blank ones; what stands in a code fence is left out.
fn paragraphs(body: &str) -> Vec<Vec<&str>> {
    let mut paragraphs = vec![Vec::new()];
    let mut fence = None;
    for line in body.lines() {
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| line.trim_start().starts_with(mark));
        match (fence, mark) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (None, None) if line.trim().is_empty() => paragraphs.push(Vec::new()),
            (None, None) => {
                if let Some(paragraph) = paragraphs.last_mut() {
                    paragraph.push(line);
                }
            }
            (Some(_), _) => {}
        }
    }
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs
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
}
