//! What the runner asks about a PostgreSQL file that runs outside of a transaction.

use squawk_syntax::SourceFile;

use super::tree::{Kind, Node};

/// The kind of its one statement; [`Kind::SOURCE_FILE`] where there is not exactly one.
pub(crate) fn kind(sql: &str) -> Kind {
    single(sql).map_or(Kind::SOURCE_FILE, |node| node.kind())
}

/// The name of the index that its one statement creates or drops, quoted and with its schema as it is
/// written; `None` for an index without a name, and for several.
pub(crate) fn index_name(sql: &str) -> Option<String> {
    index_of(&single(sql)?)
}

/// As [`index_name`], of a statement.
pub(super) fn index_of(node: &Node) -> Option<String> {
    let tokens: Vec<String> = node
        .descendants_with_tokens()
        .filter_map(squawk_syntax::SyntaxElement::into_token)
        .filter(|token| !token.kind().is_trivia())
        .map(|token| token.text().to_owned())
        .collect();
    let is = |token: &String, word: &str| token.eq_ignore_ascii_case(word);
    let end = match node.kind() {
        Kind::CREATE_INDEX => tokens.iter().position(|token| is(token, "on"))?,
        Kind::DROP_INDEX => tokens
            .iter()
            .position(|token| is(token, "cascade") || is(token, "restrict") || token == ";")
            .unwrap_or(tokens.len()),
        _ => return None,
    };
    let keywords = [
        "create",
        "unique",
        "drop",
        "index",
        "concurrently",
        "if",
        "not",
        "exists",
    ];
    let name: String = tokens[..end]
        .iter()
        .skip_while(|token| keywords.iter().any(|word| is(token, word)))
        .map(String::as_str)
        .collect();
    if name.is_empty() || name.contains(',') {
        return None;
    }
    // A new index lies in the schema of its table, whatever the session looks at first.
    let mut table = tokens[end..]
        .iter()
        .skip(1)
        .skip_while(|token| is(token, "only"));
    match (table.next(), table.next()) {
        (Some(schema), Some(dot)) if node.kind() == Kind::CREATE_INDEX && dot == "." => {
            Some(format!("{schema}.{name}"))
        }
        _ => Some(name),
    }
}

fn single(sql: &str) -> Option<Node> {
    let root = SourceFile::parse(sql).syntax_node();
    let mut statements = root
        .children()
        .filter(|node| node.kind() != Kind::EMPTY_STMT);
    let first = statements.next()?;
    statements.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::{Kind, index_name, kind};

    #[test]
    fn the_one_statement_is_known() {
        let create = "-- no-transaction\n-- why\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS by_name ON a (name);\n";
        assert_eq!(kind(create), Kind::CREATE_INDEX);
        assert_eq!(index_name(create).as_deref(), Some("by_name"));
        assert_eq!(index_name("CREATE INDEX CONCURRENTLY ON a (b)"), None);
        for (sql, name) in [
            ("create index \"By Name\" on a (b)", "\"By Name\""),
            ("create index by_b on s.a (b)", "s.by_b"),
            ("DROP INDEX CONCURRENTLY IF EXISTS s.by_b;", "s.by_b"),
            ("drop index concurrently by_b cascade", "by_b"),
        ] {
            assert_eq!(index_name(sql).as_deref(), Some(name), "{sql}");
        }
        assert_eq!(index_name("drop index concurrently a, b"), None);
        assert_eq!(kind("VACUUM a"), Kind::VACUUM);
        assert_eq!(kind("SELECT 1; SELECT 2;"), Kind::SOURCE_FILE);
    }
}
