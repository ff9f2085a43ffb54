//! What the runner asks about a PostgreSQL file that runs outside of a transaction.

use squawk_syntax::SourceFile;

use super::tree::{Kind, Node, words};

/// The kind of its one statement; [`Kind::SOURCE_FILE`] where there is not exactly one.
pub(crate) fn kind(sql: &str) -> Kind {
    single(sql).map_or(Kind::SOURCE_FILE, |node| node.kind())
}

/// The name of the index that its one statement creates, without its schema.
pub(crate) fn index_name(sql: &str) -> Option<String> {
    let node = single(sql).filter(|node| node.kind() == Kind::CREATE_INDEX)?;
    let words = words(&node);
    let on = words.iter().position(|word| word == "on")?;
    let name = words[..on].last()?;
    let is_keyword = ["index", "concurrently"].contains(&name.as_str());
    (!is_keyword).then(|| name.clone())
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
        assert_eq!(
            index_name("create index \"By Name\" on s.a (b)").as_deref(),
            Some("By Name")
        );
        assert_eq!(kind("VACUUM a"), Kind::VACUUM);
        assert_eq!(kind("SELECT 1; SELECT 2;"), Kind::SOURCE_FILE);
    }
}
