//! What SQLite takes without a word and people do not mean.

use std::collections::{BTreeMap, BTreeSet};

use super::{Sql, line, text};
use crate::report::Finding;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Word,
    /// `"…"`, `` `…` `` or `[…]`.
    Quoted,
    Text,
    Other,
}

/// A token with its text in lower case, without its quotes.
#[derive(Clone, Debug)]
struct Token {
    what: What,
    text: String,
    at: usize,
}

impl Token {
    fn is(&self, word: &str) -> bool {
        self.what != What::Quoted && self.what != What::Text && self.text == word
    }
}

/// The tokens of each statement. A trigger's body is a statement of its own to this: that is
/// enough for the rules.
fn statements(sql: &str) -> Result<Vec<Vec<Token>>, (usize, &'static str)> {
    let bytes = sql.as_bytes();
    let end_of = |from: usize, end: &[u8], why| {
        memchr::memmem::find(&bytes[from..], end)
            .map(|found| from + found + end.len())
            .ok_or((from, why))
    };
    let (mut all, mut tokens, mut at) = (Vec::new(), Vec::new(), 0);
    while at < bytes.len() {
        let start = at;
        let what = match bytes[at] {
            b'-' if bytes[at..].starts_with(b"--") => {
                at = end_of(at, b"\n", "").unwrap_or(bytes.len());
                continue;
            }
            b'/' if bytes[at..].starts_with(b"/*") => {
                // SQLite lets the end of the file end it.
                at = end_of(at + 2, b"*/", "").unwrap_or(bytes.len());
                continue;
            }
            b';' => {
                at += 1;
                all.push(std::mem::take(&mut tokens));
                continue;
            }
            quote @ (b'\'' | b'"' | b'`') => {
                loop {
                    at = end_of(at + 1, &[quote], "a quote that is not closed")
                        .map_err(|(_, why)| (start, why))?;
                    if bytes.get(at) != Some(&quote) {
                        break;
                    }
                }
                if quote == b'\'' {
                    What::Text
                } else {
                    What::Quoted
                }
            }
            b'[' => {
                at = end_of(at, b"]", "a bracket that is not closed")?;
                What::Quoted
            }
            byte if byte.is_ascii_whitespace() => {
                at += 1;
                continue;
            }
            byte if byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80 => {
                let in_word = |byte: &u8| {
                    byte.is_ascii_alphanumeric() || *byte == b'_' || *byte == b'$' || *byte >= 0x80
                };
                at += bytes[at..].iter().take_while(|byte| in_word(byte)).count();
                What::Word
            }
            _ => {
                at += 1;
                What::Other
            }
        };
        let text = &sql[start..at];
        let text = match what {
            What::Quoted | What::Text => &text[1..text.len() - 1],
            _ => text,
        };
        tokens.push(Token {
            what,
            text: text.to_lowercase(),
            at: start,
        });
    }
    all.push(tokens);
    all.retain(|statement| !statement.is_empty());
    Ok(all)
}

/// The statements that are the file's own: BEGIN and END of a trigger's body are no transaction.
fn own(statements: &[Vec<Token>]) -> impl Iterator<Item = &Vec<Token>> {
    let mut in_trigger = false;
    statements.iter().filter(move |tokens| {
        let is_body = in_trigger;
        in_trigger = if is_body {
            !tokens[0].is("end")
        } else {
            let is_named = tokens.iter().take(3).any(|token| token.is("trigger"));
            tokens[0].is("create") && is_named
        };
        !is_body
    })
}

/// Where the transactions of a file are not as the migrator needs them: none at all in a file that
/// it runs in one, each begun and ended in a file that brings its own.
fn transactions(
    statements: &[Vec<Token>],
    in_transaction: bool,
) -> Vec<(usize, String, &'static str)> {
    const OUT: &str = "take it out; each file is a transaction of its own";
    const PAIR: &str = "write BEGIN before what belongs together, and COMMIT behind it";
    let mut faults = Vec::new();
    let mut open = None;
    for tokens in own(statements) {
        let (at, word) = (tokens[0].at, tokens[0].text.to_uppercase());
        let is_to = tokens.iter().take(3).any(|token| token.is("to"));
        let fault = match word.as_str() {
            "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" if in_transaction => {
                Some(("in a file that the migrator runs in a transaction", OUT))
            }
            "BEGIN" => (open.replace(at)).map(|_| ("in a transaction that is open already", PAIR)),
            "COMMIT" | "END" | "ROLLBACK" if !is_to => match open.take() {
                Some(_) => None,
                None => Some(("without a BEGIN before it", PAIR)),
            },
            "ROLLBACK" | "SAVEPOINT" | "RELEASE" if open.is_none() => {
                Some(("without a BEGIN before it", PAIR))
            }
            _ => None,
        };
        if let Some((what, help)) = fault {
            faults.push((at, format!("`{word}` {what}"), help));
        }
    }
    if let Some(at) = open {
        let message = "`BEGIN` of a transaction that the file does not end".to_owned();
        faults.push((at, message, PAIR));
    }
    faults
}

/// How what a file changes is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Commits {
    /// Whole, between one BEGIN and one COMMIT, with a change of the schema that shows it.
    Schema,
    /// Each change of the schema by itself; no rows.
    Pieces,
    /// Rows too, which no count shows.
    Rows,
}

/// Of a file that brings its own transactions.
pub(crate) fn commits(sql: &str) -> Commits {
    let Ok(statements) = statements(sql) else {
        return Commits::Rows;
    };
    let (mut inside, mut transactions, mut outside) = (false, 0, false);
    let (mut rows, mut schema) = (false, false);
    for tokens in own(&statements) {
        match tokens[0].text.as_str() {
            "begin" => {
                inside = true;
                transactions += 1;
            }
            "commit" | "end" | "rollback" => inside = false,
            "pragma" | "select" => {}
            word => {
                outside |= !inside;
                schema |= ["create", "alter", "drop"].contains(&word);
                rows |= !["create", "alter", "drop"].contains(&word);
            }
        }
    }
    if schema && transactions == 1 && !inside && !outside {
        Commits::Schema
    } else if rows {
        Commits::Rows
    } else {
        Commits::Pieces
    }
}

/// What is wrong with the one statement of a backfill of `table`, of either engine: its condition
/// must hold for the batch alone, whatever else it says.
pub(crate) fn batch_fault(sql: &str, table: &str) -> Option<&'static str> {
    let Ok(statements) = statements(sql) else {
        return Some("is no SQL: a quote is not closed");
    };
    let [tokens] = &statements[..] else {
        return Some("is one statement and no more");
    };
    let words: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let skip = match words[..] {
        ["update", ..] => 1,
        ["delete", "from", ..] => 2,
        ["insert", "into", ..] => 0,
        _ => return Some("is an UPDATE, a DELETE or an INSERT"),
    };
    if skip > 0 {
        let parts: Vec<&str> = table.split_inclusive('.').collect();
        let named: String = words[skip..]
            .iter()
            .take(2 * parts.len() - 1)
            .copied()
            .collect();
        if named != table.to_lowercase() {
            return Some("changes another table than the one that it walks");
        }
    }
    let at = (1..tokens.len()).find(|at| {
        tokens[at - 1].is("$") && tokens[*at].is("batch") && tokens[at - 1].at + 1 == tokens[*at].at
    });
    let Some(at) = at else {
        return Some("has `$batch` in a comment or a text");
    };
    if at < 2 || !(tokens[at - 2].is("and") || tokens[at - 2].is("where")) {
        return Some("has `$batch` elsewhere than behind WHERE or AND");
    }
    let mut depth = 0_i32;
    for (index, token) in tokens.iter().enumerate() {
        match token.text.as_str() {
            "(" if token.what == What::Other => depth += 1,
            ")" if token.what == What::Other => depth -= 1,
            _ if token.is("or") && depth == 0 => {
                return Some("has an OR beside `$batch`: put it into brackets");
            }
            _ => {}
        }
        if index == at && depth != 0 {
            return Some(
                "has `$batch` in brackets, where it does not hold for the whole statement",
            );
        }
    }
    None
}

/// How many CHECK constraints a `CREATE TABLE` has.
pub(crate) fn checks(sql: &str) -> usize {
    let statements = statements(sql).unwrap_or_default();
    let tokens = statements.iter().flatten();
    tokens.filter(|token| token.is("check")).count()
}

/// Types that mean something on PostgreSQL and NUMERIC, or nothing, on SQLite.
const TYPES: &[(&str, &str)] = &[
    ("uuid", "TEXT"),
    ("json", "TEXT"),
    ("jsonb", "TEXT"),
    ("timestamptz", "TEXT"),
    ("bytea", "BLOB"),
    ("serial", "INTEGER PRIMARY KEY"),
    ("bigserial", "INTEGER PRIMARY KEY"),
    ("smallserial", "INTEGER PRIMARY KEY"),
];

/// What earlier files made, as far as the rules ask for it.
#[derive(Debug, Default)]
pub(super) struct Schema {
    /// By table: the tables whose rows go, or lose their value, when its rows are deleted.
    children: BTreeMap<String, BTreeSet<String>>,
}

impl Schema {
    /// Answers how many statements there are.
    pub(super) fn file(&mut self, sql: &Sql, body: &str, findings: &mut Vec<Finding>) -> usize {
        let mut report = |rule: &str, at: usize, message: String, help: &str| {
            let finding = Finding::error(rule, message)
                .at(&sql.file, line(body, at))
                .help(help);
            findings.push(finding);
        };
        let statements = match statements(body) {
            Ok(statements) => statements,
            Err((at, why)) => {
                report(
                    "migrations/syntax",
                    at,
                    why.to_owned(),
                    "SQLite would refuse it",
                );
                return 0;
            }
        };
        let in_transaction = !body.starts_with(text::NO_TRANSACTION);
        for (at, message, help) in transactions(&statements, in_transaction) {
            report(super::TRANSACTION, at, message, help);
        }
        let rule = "migrations/sqlite";
        let mut created = BTreeSet::new();
        let mut filled = BTreeSet::new();
        let mut dropped: BTreeMap<String, usize> = BTreeMap::new();
        for statement in &statements {
            let words: Vec<&str> = statement
                .iter()
                .filter(|token| {
                    !token.is("if")
                        && !token.is("not")
                        && !token.is("exists")
                        && !token.is("temp")
                        && !token.is("temporary")
                })
                .map(|token| token.text.as_str())
                .collect();
            let at = statement[0].at;
            match words[..] {
                ["create", "table", table, ..] => {
                    created.insert(table.to_owned());
                    if words.contains(&"select") {
                        filled.insert(table.to_owned());
                    }
                    self.references(table, statement);
                }
                ["insert" | "replace", "into", table, ..]
                | ["insert", "or", _, "into", table, ..]
                    if words.contains(&"select") =>
                {
                    filled.insert(table.to_owned());
                }
                ["drop", "table", table, ..] if !created.remove(table) => {
                    dropped.insert(table.to_owned(), at);
                }
                ["alter", "table", from, "rename", "to", to, ..] => {
                    if created.remove(from) {
                        created.insert(to.to_owned());
                    }
                    if filled.remove(from) {
                        filled.insert(to.to_owned());
                    }
                    if let Some(children) = self.children.remove(from) {
                        self.children.insert(to.to_owned(), children);
                    }
                }
                [
                    "pragma",
                    "foreign_keys",
                    "=" | "(",
                    "off" | "0" | "false" | "no",
                    ..,
                ] if in_transaction => {
                    report(
                        rule,
                        at,
                        "`PRAGMA foreign_keys` has no effect in a transaction: dropping a table still deletes what refers to it".to_owned(),
                        "begin the file with `-- no-transaction`, and begin and commit in it",
                    );
                }
                _ => {}
            }
            traps(statement, &mut |at, message, help| {
                report(rule, at, message, &help);
            });
        }
        for (table, at) in dropped {
            if !created.contains(&table) {
                continue;
            }
            if !filled.contains(&table) {
                report(
                    rule,
                    at,
                    format!("`{table}` is dropped and made anew without its rows"),
                    "INSERT INTO the new table … SELECT … FROM the old one before the DROP",
                );
            }
            let children = self.children.get(&table).into_iter().flatten();
            let children: Vec<String> = children
                .filter(|child| **child != table)
                .map(|child| format!("`{child}`"))
                .collect();
            if in_transaction && !children.is_empty() {
                report(
                    rule,
                    at,
                    format!(
                        "dropping `{table}` deletes what refers to it in {}",
                        children.join(", ")
                    ),
                    "begin the file with `-- no-transaction` and `PRAGMA foreign_keys = OFF`, then begin and commit in it",
                );
            }
        }
        statements.len()
    }

    /// Notes whose rows depend on those of other tables.
    fn references(&mut self, table: &str, statement: &[Token]) {
        let mut parent = None;
        for four in statement.windows(4) {
            if four[0].is("references") {
                parent = Some(four[1].text.clone());
            }
            let acts = four[0].is("on")
                && four[1].is("delete")
                && (four[2].is("cascade") || (four[2].is("set") && !four[3].is("no")));
            if let (true, Some(parent)) = (acts, &parent) {
                self.children
                    .entry(parent.clone())
                    .or_default()
                    .insert(table.to_owned());
            }
        }
    }
}

/// What stands in a statement and means something else than it seems to.
fn traps(statement: &[Token], report: &mut dyn FnMut(usize, String, String)) {
    let is_create =
        statement[0].is("create") && statement.iter().take(3).any(|token| token.is("table"));
    let is_add = statement[0].is("alter") && statement.iter().any(|token| token.is("add"));
    // In which list each parenthesis is: the word before it.
    let mut lists: Vec<String> = Vec::new();
    let mut before: Option<&Token> = None;
    for (index, token) in statement.iter().enumerate() {
        let previous = before.replace(token);
        if token.is("(") {
            lists.push(previous.map(|token| token.text.clone()).unwrap_or_default());
            continue;
        }
        if token.is(")") {
            lists.pop();
            continue;
        }
        let Some(previous) = previous else { continue };
        let defines = (is_create && lists.len() == 1 && is_column_name(statement, index - 1))
            || (is_add && lists.is_empty() && is_added_name(statement, index - 1));
        if let (true, Some((name, instead))) = (
            defines && token.what == What::Word,
            TYPES.iter().find(|(name, _)| token.text == *name),
        ) {
            report(
                token.at,
                format!(
                    "type `{name}` is NUMERIC to SQLite: digits in it become numbers, and it makes no values"
                ),
                instead.to_string(),
            );
        }
        if token.is("now")
            && lists.iter().any(|list| list == "default")
            && statement.get(index + 1).is_some_and(|token| token.is("("))
        {
            report(
                token.at,
                "`now()` is no function of SQLite: each INSERT that needs the default fails"
                    .to_owned(),
                "DEFAULT CURRENT_TIMESTAMP, or (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))".to_owned(),
            );
        }
        let in_values = lists
            .last()
            .is_some_and(|list| list == "values" || list == "in")
            || (previous.is("(") && lists.last().is_some_and(|list| list == "default"));
        if token.what == What::Quoted
            && (in_values
                || ["default", "like", "glob"]
                    .iter()
                    .any(|word| previous.is(word)))
        {
            report(
                token.at,
                format!(
                    "`\"{}\"` is a name, and a text only as long as there is no such column",
                    token.text
                ),
                "put single quotes around texts".to_owned(),
            );
        }
    }
}

/// Is the token at `index` the first of a column's definition?
fn is_column_name(statement: &[Token], index: usize) -> bool {
    index > 0 && (statement[index - 1].is("(") || statement[index - 1].is(","))
}

fn is_added_name(statement: &[Token], index: usize) -> bool {
    index > 0
        && (statement[index - 1].is("add") || statement[index - 1].is("column"))
        && !statement[index].is("column")
}

#[cfg(test)]
mod tests {
    use super::{Commits, batch_fault, commits};

    #[test]
    fn what_a_file_commits_is_known() {
        let rebuild = "-- no-transaction\nPRAGMA foreign_keys = OFF;\nBEGIN;\nCREATE TABLE b (i int);\nINSERT INTO b SELECT i FROM a;\nDROP TABLE a;\nCOMMIT;\nPRAGMA foreign_keys = ON;\n";
        assert_eq!(commits(rebuild), Commits::Schema);
        assert_eq!(commits(&rebuild.replace("BEGIN;\n", "")), Commits::Rows);
        assert_eq!(commits(&format!("{rebuild}DROP TABLE c;")), Commits::Rows);
        assert_eq!(
            commits("CREATE TABLE a (i int); DROP TABLE b;"),
            Commits::Pieces
        );
        assert_eq!(
            commits("BEGIN; UPDATE a SET i = 2 * i; COMMIT;"),
            Commits::Rows
        );
        assert_eq!(commits("VACUUM;"), Commits::Rows);
        assert_eq!(commits("it's not closed"), Commits::Rows);
    }

    #[test]
    fn a_batch_holds_for_the_whole_statement() {
        for good in [
            "-- backfill: orders (id)\nUPDATE orders SET note = 'x; -- y' WHERE note IS NULL AND $batch\n",
            "update orders set n = 1 where (a or b) and $batch;",
            "DELETE FROM orders WHERE $batch",
            "INSERT INTO lines (of) SELECT id FROM orders WHERE $batch ON CONFLICT DO NOTHING",
        ] {
            assert_eq!(batch_fault(good, "orders"), None, "{good}");
        }
        assert_eq!(
            batch_fault("UPDATE s.orders SET n = 1 WHERE $batch", "s.orders"),
            None
        );
        for (bad, why) in [
            ("UPDATE orders SET n = n + 1 -- AND $batch", "in a comment"),
            ("UPDATE orders SET n = '$batch'", "in a comment or a text"),
            (
                "UPDATE orders SET n = 1 WHERE a OR b AND $batch",
                "has an OR",
            ),
            (
                "UPDATE orders SET n = 1 WHERE a AND (b OR $batch)",
                "elsewhere",
            ),
            (
                "UPDATE orders SET n = 1 WHERE NOT (a AND $batch)",
                "in brackets",
            ),
            (
                "UPDATE orders SET n = 1 WHERE $batch; COMMIT",
                "one statement",
            ),
            ("UPDATE lines SET n = 1 WHERE $batch", "another table"),
            ("TRUNCATE orders", "is an UPDATE"),
            ("UPDATE orders SET n = 'a WHERE $batch", "not closed"),
        ] {
            let fault = batch_fault(bad, "orders").unwrap_or("nothing");
            assert!(fault.contains(why), "{bad}: {fault}");
        }
    }
}
