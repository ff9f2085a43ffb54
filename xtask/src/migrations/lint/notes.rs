//! Notes in comments by which an author says that a statement is meant.

use super::tree::{Kind, Node, at};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Destructive,
    ContractOf,
    Heavy,
}

impl Word {
    const ALL: [Word; 3] = [Word::Destructive, Word::ContractOf, Word::Heavy];

    pub(super) fn name(self) -> &'static str {
        match self {
            Word::Destructive => "destructive",
            Word::ContractOf => "contract-of",
            Word::Heavy => "heavy",
        }
    }

    /// What it is about.
    pub(super) fn of(self) -> &'static str {
        match self {
            Word::Destructive | Word::ContractOf => "destructive",
            Word::Heavy => "heavy",
        }
    }

    pub(super) fn usage(self) -> &'static str {
        match self {
            Word::Destructive => "`-- destructive: reason`",
            Word::ContractOf => {
                "`-- contract-of: VERSION` (the migration, or the release, since which nothing uses it)"
            }
            Word::Heavy => "`-- heavy: reason`",
        }
    }
}

#[derive(Debug)]
pub(super) struct Note {
    pub(super) word: Word,
    pub(super) at: usize,
    value: String,
    /// The statement it stands above; `None` at the top of the file, where it is about all.
    statement: Option<usize>,
}

impl Note {
    pub(super) fn covers(&self, statement: usize) -> bool {
        self.statement.is_none_or(|own| own == statement)
    }

    /// What is wrong with what it says, and what to write. `earlier`: versions before this file.
    pub(super) fn complaint(&self, earlier: &[String]) -> Option<(String, String)> {
        let word = self.word.name();
        if self.value.is_empty() {
            return Some((
                format!("`-- {word}:` says nothing"),
                format!("write {}", self.word.usage()),
            ));
        }
        let value = self.value.as_str();
        let is_release = semver::Version::parse(value.trim_start_matches('v')).is_ok();
        if self.word != Word::ContractOf || is_release || earlier.iter().any(|known| known == value)
        {
            return None;
        }
        Some((
            format!("`{value}` is neither a migration before this one nor a release"),
            "write the 14 digits of the migration that brought what replaces it, or a version like `v1.4.0`".to_owned(),
        ))
    }
}

/// The notes of a file, in its order.
pub(super) fn read(root: &Node, statements: &[Node]) -> Vec<Note> {
    let ends: Vec<usize> = statements
        .iter()
        .map(|statement| statement.text_range().end().into())
        .collect();
    let first = statements.first().map_or(usize::MAX, at);
    root.descendants_with_tokens()
        .filter_map(squawk_syntax::SyntaxElement::into_token)
        .filter(|token| token.kind() == Kind::COMMENT)
        .filter_map(|token| {
            let at: usize = token.text_range().start().into();
            let (word, value) = parse(token.text())?;
            let statement = (at > first).then(|| ends.partition_point(|end| *end <= at));
            Some(Note {
                word,
                at,
                value: value.to_owned(),
                statement,
            })
        })
        .collect()
}

/// `-- word: value`.
fn parse(comment: &str) -> Option<(Word, &str)> {
    let (word, value) = comment.strip_prefix("--")?.split_once(':')?;
    let word = word.trim();
    let word = Word::ALL
        .into_iter()
        .find(|known| known.name().eq_ignore_ascii_case(word))?;
    Some((word, value.trim()))
}
