//! The text of a file, before it is SQL.

use super::Sql;
use crate::report::Finding;

/// sqlx looks for it in the first bytes of a file, and nowhere else.
pub(crate) const NO_TRANSACTION: &str = "-- no-transaction";

/// More is data, and data is no migration.
const LONGEST: usize = 1 << 20;

/// The text, if there is one to go on with; what is wrong with it goes to `findings`.
pub(super) fn read<'a>(sql: &'a Sql, findings: &mut Vec<Finding>) -> Option<&'a str> {
    let mut report = |line: usize, message: String, help: &str| {
        let finding = Finding::error("migrations/text", message)
            .at(&sql.file, line)
            .help(help);
        findings.push(finding);
    };
    if sql.bytes.len() > LONGEST {
        report(
            1,
            format!(
                "{} KiB of SQL: more than a migrator should hold a lock for",
                sql.bytes.len() >> 10
            ),
            "a file is at most 1 MiB; load data in batches outside the migration",
        );
        return None;
    }
    let text = match std::str::from_utf8(&sql.bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.valid_up_to();
            let line = memchr::memchr_iter(b'\n', &sql.bytes[..at]).count() + 1;
            report(
                line,
                format!("not UTF-8 at byte {at}"),
                "save the file as UTF-8",
            );
            return None;
        }
    };
    let body = text.strip_prefix('\u{feff}').unwrap_or(text);
    if body.len() < text.len() {
        report(
            1,
            "begins with a byte order mark: it counts for the checksum, and hides `-- no-transaction`".to_owned(),
            "save the file as UTF-8 without it",
        );
    }
    if body.trim().is_empty() {
        report(
            1,
            "is empty".to_owned(),
            "write at least a comment that says why there is nothing to do",
        );
        return None;
    }
    for (what, byte, help) in [
        (
            "a carriage return: it counts for the checksum",
            b'\r',
            "save the file with LF line endings, and say `*.sql text eol=lf` in `.gitattributes`",
        ),
        ("a NUL byte", 0, "remove it: no database takes it"),
    ] {
        if let Some(at) = memchr::memchr(byte, body.as_bytes()) {
            report(super::line(body, at), format!("has {what}"), help);
        }
    }
    for (number, line) in text.lines().enumerate() {
        let words = line
            .trim_start_matches('\u{feff}')
            .trim()
            .strip_prefix("--")
            .unwrap_or_default()
            .trim();
        if words.starts_with("no-transaction") && !(number == 0 && line.starts_with(NO_TRANSACTION))
        {
            let finding = Finding::error(
                super::TRANSACTION,
                "`-- no-transaction` is not where the migrator looks for it, and so it has no effect",
            )
            .at(&sql.file, number + 1)
            .help("make it the first bytes of the file, with one blank after the dashes");
            findings.push(finding);
        }
    }
    if let Some(at) = super::nesting::too_deep(body) {
        let finding = Finding::error("migrations/syntax", "nests deeper than can be read")
            .at(&sql.file, super::line(body, at))
            .help("write it flat: VALUES instead of a chain of operators, a WITH instead of queries in queries");
        findings.push(finding);
        return None;
    }
    Some(body)
}
