//! A TOML file whose strings are replaced by their bytes. `toml_edit` tells where they are; it would
//! write the file without its byte order mark, with other line endings and another last line.

use std::ops::Range;

use anyhow::Result;
use toml_edit::{Document, Item, Table, Value};

use crate::exit::Problem;

const BOM: char = '\u{feff}';
const QUOTES: [char; 2] = ['"', '\''];

/// A file that parses.
#[derive(Debug)]
pub(crate) struct Toml<'a> {
    pub(crate) path: &'a str,
    pub(crate) text: &'a str,
    document: Document<&'a str>,
}

/// A string in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Literal {
    pub(crate) value: String,
    /// Bytes of the file, quotes included.
    pub(crate) range: Range<usize>,
}

/// Ranges of a text, and what is to stand there.
pub(crate) type Edits = Vec<(Range<usize>, String)>;

impl<'a> Toml<'a> {
    /// `path` is for errors.
    ///
    /// # Errors
    /// The text is no TOML: with the line where it stops being any.
    pub(crate) fn parse(path: &'a str, text: &'a str) -> Result<Self> {
        let body = text.trim_start_matches(BOM);
        let document = Document::parse(body).map_err(|error| {
            // The error of `toml_edit` quotes the line and puts a caret under the spot.
            let what = error.to_string();
            Problem::precondition(format!("`{path}` does not parse\n{}", what.trim_end()))
                .help(format!("mend the marked spot in `{path}`"))
        })?;
        Ok(Self {
            path,
            text,
            document,
        })
    }

    pub(crate) fn root(&self) -> &Item {
        self.document.as_item()
    }

    /// What `keys` lead to.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Item> {
        let mut keys = keys.iter();
        keys.try_fold(self.root(), |item, key| item.get(*key))
    }

    /// The string that `item` is, if it is one.
    pub(crate) fn literal(&self, item: &Item) -> Option<Literal> {
        self.literal_of(item.as_value()?)
    }

    /// The string that `value` is, if it is one.
    pub(crate) fn literal_of(&self, value: &Value) -> Option<Literal> {
        let text = value.as_str()?.to_owned();
        let span = value.span()?;
        let range = span.start + self.skipped()..span.end + self.skipped();
        Some(Literal { value: text, range })
    }

    /// From the header of `table` to its last value.
    pub(crate) fn range(&self, table: &Table) -> Range<usize> {
        let values = table.iter().filter_map(|(_, item)| item.span());
        let header = table.span().unwrap_or_default();
        let end = values.map(|span| span.end).fold(header.end, usize::max);
        header.start + self.skipped()..end + self.skipped()
    }

    /// Bytes before what `toml_edit` has read.
    fn skipped(&self) -> usize {
        self.text.len() - self.document.raw().len()
    }
}

impl Literal {
    /// Its line in `text`, which it is from.
    pub(crate) fn line(&self, text: &str) -> usize {
        text[..self.range.start].matches('\n').count() + 1
    }

    /// The edit of `text`, which it is from, that makes it say `new` between the quotes it has.
    pub(crate) fn edit(&self, text: &str, new: &str) -> (Range<usize>, String) {
        let written = &text[self.range.clone()];
        let start = written.len() - written.trim_start_matches(QUOTES).len();
        if written.trim_matches(QUOTES) == self.value {
            let start = self.range.start + start;
            return (start..start + self.value.len(), new.to_owned());
        }
        // Written with escapes.
        (self.range.clone(), format!("\"{new}\""))
    }
}

/// `text` after `edits`, which do not overlap.
pub(crate) fn splice(text: &str, mut edits: Edits) -> String {
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (range, new) in edits {
        out.push_str(&text[done..range.start]);
        out.push_str(&new);
        done = range.end;
    }
    out + &text[done..]
}
