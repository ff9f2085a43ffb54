//! What is wrong with `flags.toml`, and where.

use std::fmt;

/// A file that cannot be used: line, key and reason.
#[derive(Debug)]
pub struct FlagsError {
    line: usize,
    key: String,
    reason: String,
}

impl FlagsError {
    pub(crate) fn new(text: &str, error: &toml::de::Error) -> Self {
        let at = error.span().map_or(0, |span| span.start).min(text.len());
        let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
        let line = text[start..].lines().next().unwrap_or_default();
        // Of a flag that is missing as a whole the span is the file, which begins with a comment.
        let key = line.split(['=', '#']).next().unwrap_or_default();
        Self {
            line: text[..start].matches('\n').count() + 1,
            key: key.trim().to_owned(),
            reason: error.message().replace('\n', ", "),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> &'static str {
        "mend `flags.toml` and build again: a flag has `about`, `owner` and `created` (a date such \
         as 2026-11-21), is `true` or `false` per environment, and has a variant of `flags::Flag`"
    }
}

impl fmt::Display for FlagsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of `flags.toml`", self.line)?;
        if !self.key.is_empty() {
            write!(f, ", `{}`", self.key)?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl std::error::Error for FlagsError {}
