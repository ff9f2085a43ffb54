//! What a PostgreSQL file does with the migrator's transaction, or without it.

use super::tree::{Kind, Node, at, children, find, has, words};
use super::{Sql, line, outside, postgres};
use crate::report::Finding;

/// The rule about what fails or escapes in the migrator's transaction. The runner knows no allowance
/// of it: its record of what was applied would be wrong.
pub(crate) const TRANSACTION: &str = "migrations/transaction";

/// What fails in the migrator's transaction, or without it.
pub(super) fn judge(
    sql: &Sql,
    text: &str,
    statements: &[Node],
    in_transaction: bool,
    findings: &mut Vec<Finding>,
) {
    let mut report = |at: usize, message: String, help: &str| {
        let finding = Finding::error(TRANSACTION, message)
            .at(&sql.file, line(text, at))
            .help(help);
        findings.push(finding);
    };
    if let (false, Some(second)) = (in_transaction, statements.get(1)) {
        report(
            at(second),
            format!(
                "{} statements in a `-- no-transaction` file",
                statements.len()
            ),
            "the server takes them for one transaction after all: one statement per such file",
        );
    }
    for statement in statements {
        let words = words(statement).into_iter().filter(|word| word != ";");
        let what: Vec<String> = words.take(3).collect();
        let what = what.join(" ").to_uppercase();
        if in_transaction && is_outside_only(statement) {
            report(
                at(statement),
                format!("`{what} …` cannot run in a transaction"),
                "put it into a file of its own that begins with `-- no-transaction`",
            );
        }
        if controls_transaction(statement) {
            report(
                at(statement),
                format!("`{what}` in a file: the migrator begins and ends its transaction"),
                "take it out; what is to be committed by itself goes into a file of its own",
            );
        }
        if sets_search_path(statement) {
            report(
                at(statement),
                "`search_path` stays changed after the migration: the migrator no longer finds `_sqlx_migrations`".to_owned(),
                "SET LOCAL search_path, or write the schema before each name",
            );
        }
    }
    if !in_transaction {
        unnamed(sql, text, statements, findings);
    }
}

/// By its name the runner finds what a killed build has left.
fn unnamed(sql: &Sql, text: &str, statements: &[Node], findings: &mut Vec<Finding>) {
    let is_unnamed =
        |node: &&Node| node.kind() == Kind::CREATE_INDEX && outside::index_of(node).is_none();
    for statement in statements.iter().filter(is_unnamed) {
        let finding = Finding::error(
            "migrations/unnamed",
            "an index without a name: after a kill nobody could tell whether it is this one that was left half built",
        )
        .at(&sql.file, line(text, at(statement)))
        .help("name it: CREATE INDEX CONCURRENTLY orders_by_state ON orders (state)");
        findings.push(finding);
    }
}

/// Does it begin, end or part a transaction? With the migrator's ended, what came before stays even
/// when the rest fails, and is not recorded.
fn controls_transaction(node: &Node) -> bool {
    matches!(
        node.kind(),
        Kind::BEGIN
            | Kind::COMMIT_TRANSACTION
            | Kind::COMMIT_PREPARED
            | Kind::ROLLBACK_TRANSACTION
            | Kind::ROLLBACK_TO_SAVEPOINT
            | Kind::ROLLBACK_PREPARED
            | Kind::PREPARE_TRANSACTION
            | Kind::SAVEPOINT_CREATE
            | Kind::RELEASE_SAVEPOINT
    )
}

/// Does PostgreSQL refuse it inside a transaction?
pub(super) fn is_outside_only(node: &Node) -> bool {
    match node.kind() {
        Kind::CREATE_INDEX | Kind::DROP_INDEX => postgres::is_concurrent(node),
        Kind::REINDEX => {
            const ALL: [Kind; 3] = [
                Kind::REINDEX_TARGET_DATABASE,
                Kind::REINDEX_TARGET_SYSTEM,
                Kind::REINDEX_TARGET_SCHEMA,
            ];
            postgres::is_concurrent(node)
                || find(node, Kind::REINDEX_OPTION_CONCURRENTLY).is_some()
                || ALL.iter().any(|kind| has(node, *kind))
        }
        Kind::ALTER_TABLE => children(node, Kind::DETACH_PARTITION)
            .any(|action| has(&action, Kind::DETACH_CONCURRENTLY)),
        Kind::VACUUM
        | Kind::ALTER_SYSTEM
        | Kind::CREATE_DATABASE
        | Kind::DROP_DATABASE
        | Kind::CREATE_TABLESPACE
        | Kind::DROP_TABLESPACE => true,
        _ => false,
    }
}

fn sets_search_path(node: &Node) -> bool {
    let words = words(node);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match node.kind() {
        Kind::SET => matches!(
            words[..],
            ["set", "search_path", ..] | ["set", "session", "search_path", ..]
        ),
        Kind::SELECT => {
            words
                .windows(3)
                .any(|three| three == ["set_config", "(", "'search_path'"])
                && words.contains(&"false")
        }
        _ => false,
    }
}
