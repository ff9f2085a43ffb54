//! SQL that stands outside of the registry, and so is prepared by no check: read from the tokens of
//! the sources, inside of macros too. Tests may say what they like.

use std::collections::BTreeSet;
use std::path::Path;
use std::str::FromStr as _;

use anyhow::Result;
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use syn::parse::Parser as _;

use super::Registry;
use crate::cargo;
use crate::cx::Cx;
use crate::report::Finding;
use crate::routes::is_test;

const RULE: &str = "queries/outside";

/// Crates that speak to a database.
const DRIVERS: &[&str] = &[
    "sqlx",
    "rusqlite",
    "tokio_postgres",
    "diesel",
    "sea_orm",
    "sea_query",
];

/// Functions of sqlx that take a statement.
const TAKES_SQL: &[&str] = &[
    "query",
    "query_as",
    "query_scalar",
    "query_with",
    "query_as_with",
    "query_scalar_with",
    "raw_sql",
    "begin_with",
];

/// What makes a statement at run time.
const MAKES_SQL: &[&str] = &["AssertSqlSafe", "QueryBuilder"];

/// What was read, and what is wrong with it.
#[derive(Debug, Default)]
pub(crate) struct Scanned {
    pub(crate) sources: usize,
    pub(crate) findings: Vec<Finding>,
}

/// Reads the sources of all members but those that the policy exempts.
pub(crate) fn scan(cx: &Cx, registry: &Registry) -> Result<Scanned> {
    let mut scanned = Scanned::default();
    let registries = registry.files();
    let stems: BTreeSet<&str> = registries.iter().filter_map(|file| stem(file)).collect();
    let members = cargo::members(cx)?;
    for member in &members {
        if cx.policy.queries.exempt.contains(&member.dir) {
            continue;
        }
        let below = format!("{}/src/", member.dir);
        let has_registry = registries.iter().any(|file| file.starts_with(&below));
        let sources: Vec<&str> = (cx.files_with(".rs")?.into_iter())
            .filter(|file| file.starts_with(&below) && !registries.contains(file))
            .collect();
        let mut reader = Reader {
            stems: has_registry.then_some(&stems),
            tests: BTreeSet::new(),
            found: BTreeSet::new(),
        };
        let mut found = Vec::new();
        for file in sources {
            // A file that does not parse is the compiler's to report.
            let Ok(tokens) = TokenStream::from_str(&cx.read(file)?) else {
                continue;
            };
            reader.file(file, tokens);
            scanned.sources += 1;
            let lines = std::mem::take(&mut reader.found);
            found.extend(lines.into_iter().map(|(line, what)| (file, line, what)));
        }
        // The module of a test may come before or after the line that says so.
        found.retain(|(file, ..)| !reader.tests.iter().any(|path| is_in(file, path)));
        let findings = found.into_iter().map(|(file, line, what)| {
            Finding::error(RULE, what).at(file, line).help(
                "put the statement into the registry, where a check prepares it on both engines",
            )
        });
        scanned.findings.extend(findings);
    }
    Ok(scanned)
}

fn stem(file: &str) -> Option<&str> {
    Path::new(file).file_stem()?.to_str()
}

/// `path` is that of a module, without its ending.
fn is_in(file: &str, path: &str) -> bool {
    file.strip_prefix(path)
        .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

struct Reader<'a> {
    /// The names of the registry's modules, in the crate that has it: it alone may use the driver.
    stems: Option<&'a BTreeSet<&'a str>>,
    /// Paths of modules that are compiled for tests only.
    tests: BTreeSet<String>,
    found: BTreeSet<(usize, String)>,
}

impl Reader<'_> {
    fn file(&mut self, file: &str, tokens: TokenStream) {
        let folder = match file.rsplit_once('/') {
            Some((folder, "lib.rs" | "main.rs" | "mod.rs")) => folder,
            _ => file.strip_suffix(".rs").unwrap_or(file),
        };
        self.tokens(folder, tokens);
    }

    fn tokens(&mut self, folder: &str, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            if let [TokenTree::Punct(hash), TokenTree::Group(group), ..] = rest
                && hash.as_char() == '#'
                && group.delimiter() == Delimiter::Bracket
            {
                at += 2;
                if is_test_only(&rest[..2]) {
                    at += self.skip_item(folder, &tokens[at..]);
                }
                continue;
            }
            self.token(at.checked_sub(1).map(|before| &tokens[before]), rest);
            if let TokenTree::Group(group) = &tokens[at] {
                self.tokens(folder, group.stream());
            }
            at += 1;
        }
    }

    /// How many tokens the item has that begins `tokens`.
    fn skip_item(&mut self, folder: &str, tokens: &[TokenTree]) -> usize {
        let is_end = |token: &TokenTree| match token {
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => punct.as_char() == ';',
            _ => false,
        };
        let end = tokens.iter().position(is_end).unwrap_or(tokens.len());
        if let Some(
            [
                TokenTree::Ident(word),
                TokenTree::Ident(name),
                TokenTree::Punct(_),
            ],
        ) = (end.checked_sub(2)).and_then(|start| tokens.get(start..=end))
            && word == "mod"
        {
            self.tests.insert(format!("{folder}/{name}"));
        }
        end + 1
    }

    fn token(&mut self, before: Option<&TokenTree>, tokens: &[TokenTree]) {
        match &tokens[0] {
            TokenTree::Literal(literal) => {
                if let syn::Lit::Str(text) = syn::Lit::new(literal.clone())
                    && is_sql(&text.value())
                {
                    self.found(&tokens[0], "SQL outside of the registry".to_owned());
                }
            }
            TokenTree::Ident(ident) => {
                let name = ident.to_string();
                let Some(stems) = self.stems else {
                    if DRIVERS.contains(&name.as_str()) {
                        self.found(
                            &tokens[0],
                            format!("`{name}` outside of the crate with the registry"),
                        );
                    }
                    return;
                };
                if MAKES_SQL.contains(&name.as_str()) {
                    self.found(
                        &tokens[0],
                        format!("`{name}` makes a statement that no check can prepare"),
                    );
                }
                // What somebody else's function or method is called means nothing.
                let is_another = match before {
                    Some(TokenTree::Ident(word)) => word == "fn",
                    Some(TokenTree::Punct(dot)) => dot.as_char() == '.' && name != "begin_with",
                    _ => false,
                };
                if TAKES_SQL.contains(&name.as_str())
                    && !is_another
                    && let Some(call) = call(&tokens[1..])
                    && !is_registered(call, stems)
                {
                    self.found(
                        &tokens[0],
                        format!("`{name}` takes something else than a statement of the registry"),
                    );
                }
            }
            _ => {}
        }
    }

    fn found(&mut self, token: &TokenTree, what: String) {
        self.found.insert((token.span().start().line, what));
    }
}

/// Whether an attribute leaves what follows out of all but tests.
fn is_test_only(attribute: &[TokenTree]) -> bool {
    let tokens: TokenStream = attribute.iter().cloned().collect();
    let attributes = syn::Attribute::parse_outer.parse2(tokens);
    attributes.is_ok_and(|attributes| is_test(&attributes))
}

/// The arguments behind the name of a function or a macro, type arguments left out.
fn call(tokens: &[TokenTree]) -> Option<&Group> {
    let mut depth = 0;
    for token in tokens {
        match token {
            TokenTree::Group(group) if depth == 0 => {
                return (group.delimiter() == Delimiter::Parenthesis).then_some(group);
            }
            TokenTree::Punct(punct) if punct.as_char() == '<' => depth += 1,
            TokenTree::Punct(punct) if punct.as_char() == '>' => depth -= 1,
            TokenTree::Punct(punct) if depth > 0 || ":!".contains(punct.as_char()) => {}
            _ if depth > 0 => {}
            _ => return None,
        }
    }
    None
}

/// Whether the first argument is a path through a module of the registry, and nothing else.
fn is_registered(call: &Group, stems: &BTreeSet<&str>) -> bool {
    let mut passes = false;
    for token in call.stream() {
        match token {
            TokenTree::Ident(ident) => passes |= stems.contains(ident.to_string().as_str()),
            TokenTree::Punct(punct) if punct.as_char() == ',' => break,
            TokenTree::Punct(punct) if ":$".contains(punct.as_char()) => {}
            _ => return false,
        }
    }
    passes
}

/// Whether a text is plainly SQL: it begins as a statement does, in capitals or with signs that no
/// sentence has.
fn is_sql(text: &str) -> bool {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let first = text.split_whitespace().next().unwrap_or_default();
    let in_capitals = first.chars().all(|c| c.is_ascii_uppercase());
    let has = |word: &str| words.contains(&word);
    let is_statement = match words.as_slice() {
        ["select", _, ..] => in_capitals || has("from"),
        ["insert" | "replace" | "merge", "into", _, ..] | ["delete", "from", _, ..] => true,
        ["update", _, ..] => has("set"),
        ["with", _, ..] => lower.contains(" as ("),
        ["create" | "alter" | "drop" | "truncate", what, ..] => [
            "table", "index", "unique", "view", "trigger", "temp", "schema", "type",
        ]
        .contains(what),
        ["pragma", _, ..] => in_capitals,
        _ => false,
    };
    is_statement && (in_capitals || text.contains(['*', '=', '$', '(', '?']))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(stems: Option<&BTreeSet<&str>>, source: &str) -> Vec<usize> {
        let mut reader = Reader {
            stems,
            tests: BTreeSet::new(),
            found: BTreeSet::new(),
        };
        reader.file("a/src/lib.rs", source.parse().unwrap());
        reader.found.into_iter().map(|(line, _)| line).collect()
    }

    #[test]
    fn sql_is_found_wherever_it_stands() {
        for source in [
            r#"const A: &str = "SELECT 1";"#,
            r#"fn f() { g(&format!("DELETE FROM {table}")); }"#,
            r##"fn f() { let s = r#"insert into t (a) values ($1)"#; }"##,
            "m! { a { b => \"\n    UPDATE t SET a = 1\" } }",
            r#"const A: &str = concat!("WITH x AS (SELECT 1) ", "SELECT 2");"#,
            "use sqlx::PgPool;",
            "fn f() { let x: sqlx::Error; }",
            "fn f() { rusqlite::Connection::open(p); }",
            "#[derive(sqlx::FromRow)] struct A; fn f() { sqlx::query(a); }",
        ] {
            assert_eq!(found(None, source).len(), 1, "{source}");
        }
    }

    #[test]
    fn sentences_and_tests_are_none() {
        for source in [
            r#"const A: &str = "select a meal from the menu";"#,
            r#"const A: &str = "update the settings, then set `X`";"#,
            r#"const A: &str = "Delete from the list"; const B: &str = "sqlx=warn";"#,
            r#"/// SELECT 1 FROM docs
               const A: &str = "with pleasure"; // DELETE FROM t"#,
            r#"#[cfg(test)] mod tests { const A: &str = "SELECT 1"; }"#,
            r#"#[test] fn f() { sqlx::query("SELECT 1"); } const A: u8 = 1;"#,
        ] {
            assert_eq!(found(None, source), Vec::<usize>::new(), "{source}");
        }
    }

    #[test]
    fn the_crate_of_the_registry_may_use_what_is_in_it_and_nothing_else() {
        let stems = BTreeSet::from(["postgres"]);
        for source in [
            "fn f() { sqlx::query_as::<_, (i64,)>(sql::postgres::A).bind(1); }",
            "macro_rules! m { ($n:ident) => { sqlx::query_as($crate::sql::postgres::$n) } }",
            "fn f() { pool.begin_with(sql::postgres::BEGIN).await }",
            "fn query(&self) -> u8 { self.query(1) }",
        ] {
            assert_eq!(found(Some(&stems), source), Vec::<usize>::new(), "{source}");
        }
        for source in [
            "fn f(s: &'static str) { sqlx::query(s); }",
            "fn f() { sqlx::query(&build(sql::postgres::A)); }",
            "fn f() { sqlx::query!(\"BEGIN\"); }",
            "fn f() { sqlx::raw_sql(AssertSqlSafe(x)); }",
            "fn f() { pool.begin_with(\"BEGIN\"); }",
            "fn f() { let b = QueryBuilder::new(x); }",
        ] {
            assert_eq!(found(Some(&stems), source).len().min(1), 1, "{source}");
        }
    }

    #[test]
    fn a_module_for_tests_is_known_by_its_file() {
        let mut reader = Reader {
            stems: None,
            tests: BTreeSet::new(),
            found: BTreeSet::new(),
        };
        let source = "#[cfg(test)]\nmod tests;\nmod other;";
        reader.file("a/src/pool.rs", source.parse().unwrap());
        assert_eq!(
            reader.tests,
            BTreeSet::from(["a/src/pool/tests".to_owned()])
        );
        assert!(is_in("a/src/pool/tests.rs", "a/src/pool/tests"));
        assert!(!is_in("a/src/pool/tests2.rs", "a/src/pool/tests"));
    }
}
