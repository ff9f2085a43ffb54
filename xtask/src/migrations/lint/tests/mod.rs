mod context;
mod rows;

use proptest::prelude::{Just, ProptestConfig, any, prop_oneof, proptest};
use proptest::test_runner::FileFailurePersistence;

use rows::ROWS;

use super::operations::{Class, OPERATIONS};
use super::{Engine, Sql, lint, measure};

const SCHEMA: &str = "
CREATE DOMAIN positive AS int CHECK (VALUE > 0);
CREATE DOMAIN unused AS int;
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE FUNCTION steady() RETURNS int LANGUAGE sql STABLE AS $$ SELECT 1 $$;
CREATE FUNCTION micros() RETURNS bigint LANGUAGE sql AS $$ SELECT (extract(epoch FROM now()) * 1000000)::bigint $$;
CREATE FUNCTION dice() RETURNS int LANGUAGE sql AS 'SELECT ceil(random() * 6)::int';
CREATE FUNCTION most() RETURNS int LANGUAGE sql AS $$ SELECT count(*)::int FROM pg_class $$;
CREATE FUNCTION moody() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END $$;
CREATE TABLE users (
    id bigint PRIMARY KEY, n int, email varchar(30) NOT NULL, code char(3), body text,
    price numeric(10, 2), at timestamp, seen timestamp, age positive, tags varchar(10)[],
    nick varchar(20) CHECK (nick <> ''), addr cidr, f float8, felt mood,
    word text COLLATE \"C\" UNIQUE, tag varchar(9), note varchar(9)
);
CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total int, k int NOT NULL, q int);
CREATE UNIQUE INDEX orders_k ON orders (k);
CREATE UNIQUE INDEX orders_q ON orders (q);
CREATE INDEX users_seen ON users (seen);
CREATE INDEX users_email ON users (email);
CREATE INDEX users_tag ON users (lower(tag));
CREATE INDEX users_note ON users (n) WHERE note IS NULL;
CREATE TABLE parted (id int) PARTITION BY LIST (id);
CREATE TABLE part (id int);
CREATE INDEX part_id ON part (id);
CREATE UNLOGGED TABLE quick (id int);
CREATE TABLE apart (id int, span varchar(9), EXCLUDE USING btree (lower(span) WITH =));
CREATE VIEW seen AS SELECT id FROM users;
CREATE MATERIALIZED VIEW counts AS SELECT count(*) FROM users;
";

fn files(engine: Engine, texts: &[(&str, bool)]) -> Vec<Sql> {
    let file = |(index, (text, is_new)): (usize, &(&str, bool))| Sql {
        file: format!("{}/2026010100000{index}_x.sql", engine.folder()),
        engine,
        bytes: text.as_bytes().to_vec(),
        is_new: *is_new,
    };
    texts.iter().enumerate().map(file).collect()
}

/// `rule:line` of what is found in a new file after the schema, without the gate's name.
fn found(sql: &str) -> Vec<String> {
    places(&files(Engine::Postgres, &[(SCHEMA, false), (sql, true)]))
}

fn found_on_sqlite(earlier: &str, sql: &str) -> Vec<String> {
    places(&files(Engine::Sqlite, &[(earlier, false), (sql, true)]))
}

fn places(files: &[Sql]) -> Vec<String> {
    lint(files)
        .unwrap()
        .findings
        .iter()
        .map(|finding| {
            let rule = finding.rule.trim_start_matches("migrations/");
            format!("{rule}:{}", finding.line.unwrap())
        })
        .collect()
}

#[test]
fn each_row_of_the_measured_table_has_its_class() {
    for (sql, class) in ROWS {
        let wanted: Vec<String> = class
            .split_whitespace()
            .map(|rule| format!("{rule}:1"))
            .collect();
        assert_eq!(found(&format!("{sql};\n")), wanted, "{sql}");
    }
}

#[test]
fn a_note_lets_each_row_pass() {
    for (sql, class) in ROWS {
        if class.contains("transaction") {
            continue;
        }
        let mut notes = String::new();
        if class.contains("destructive") {
            notes += "-- destructive: it is meant\n-- contract-of: v1.2.0\n";
        }
        if class.contains("heavy") {
            notes += "-- heavy: it is small\n";
        }
        assert_eq!(found(&format!("{notes}{sql};\n")), [""; 0], "{sql}");
    }
}

#[test]
fn what_happens_to_a_table_of_the_same_file_is_safe() {
    for (sql, class) in ROWS {
        let about_users = sql.contains("users") && !sql.contains("set_config");
        let own = sql
            .replace("users", "mine")
            .replace("orders", "ours")
            .replace("seen", "viewed");
        if !about_users
            || class.contains("transaction")
            || sql.contains("EXECUTE")
            || sql.contains("GRANT")
            || sql.contains("SCHEMA x CASCADE")
        {
            continue;
        }
        let schema = "CREATE TABLE mine (id int);\nCREATE TABLE ours (id int);\n";
        assert_eq!(found(&format!("{schema}{own};\n")), [""; 0], "{own}");
    }
}

#[test]
fn every_operation_of_the_table_is_reached_by_a_row() {
    let mut catalog = super::catalog::Catalog::default();
    let mut seen = std::collections::BTreeSet::new();
    let parse = |sql: &str| {
        let root = squawk_syntax::SourceFile::parse(sql).syntax_node();
        root.children().collect::<Vec<_>>()
    };
    super::Reader::new(&mut catalog, true).file(&parse(SCHEMA));
    let more = [
        "ALTER TABLE users ADD CHECK (n > 0) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT users_n_check;",
        "ALTER TABLE users ADD COLUMN x int; UPDATE users SET x = n WHERE x IS NULL;",
        "SET timezone = 'UTC'; ALTER TABLE users ALTER COLUMN seen TYPE timestamptz;",
    ];
    for sql in ROWS.iter().map(|(sql, _)| *sql).chain(more) {
        let hits = super::Reader::new(&mut catalog, true).file(&parse(sql));
        seen.extend(hits.into_iter().map(|hit| hit.op as usize));
        catalog = super::catalog::Catalog::default();
        super::Reader::new(&mut catalog, true).file(&parse(SCHEMA));
    }
    let unseen: Vec<&str> = (0..OPERATIONS.len())
        .filter(|op| !seen.contains(op))
        .map(|op| OPERATIONS[op].statement)
        .collect();
    assert_eq!(unseen, [""; 0]);
}

#[test]
fn notes_cover_what_they_stand_above() {
    let drop = "DROP TABLE users;\n";
    let cases: &[(&str, &[&str])] = &[
        (
            "-- destructive: old\nDROP TABLE users;\n",
            &["destructive:2"],
        ),
        (
            "-- contract-of: v1.0.0\nDROP TABLE users;\n",
            &["destructive:2"],
        ),
        (
            "-- destructive: old\n-- contract-of: 20260101000000\nDROP TABLE users;\n",
            &[],
        ),
        // Not before this file, or no version at all.
        (
            "-- destructive: old\n-- contract-of: 20260101000001\nDROP TABLE users;\n",
            &["note:2"],
        ),
        (
            "-- destructive: old\n-- contract-of: soon\nDROP TABLE users;\n",
            &["note:2"],
        ),
        (
            "-- destructive:\n-- contract-of: 1.0.0\nDROP TABLE users;\n",
            &["note:1"],
        ),
        // At the top they hold for the file, further down for one statement.
        (
            "-- destructive: old\n-- contract-of: 1.0.0\nDROP TABLE users;\nDROP TABLE orders;\n",
            &[],
        ),
        (
            "SELECT 1;\n-- destructive: old\n-- contract-of: 1.0.0\nDROP TABLE users;\nDROP TABLE orders;\n",
            &["destructive:5"],
        ),
        ("-- heavy: none is\nSELECT 1;\n", &["note:1"]),
        (
            "-- heavy: none is\nDROP TABLE users;\n",
            &["destructive:2", "note:1"],
        ),
        ("SELECT 1;\n-- heavy: none follows\n", &["note:2"]),
        (
            "-- HEAVY : it is small\nCREATE INDEX i ON users (n);\n",
            &[],
        ),
        (
            "/* heavy: no note */\nCREATE INDEX i ON users (n);\n",
            &["heavy:2"],
        ),
        (
            "SELECT '-- heavy: no comment';\nCREATE INDEX i ON users (n);\n",
            &["heavy:2"],
        ),
        (
            "-- heavier: prose\nCREATE INDEX i ON users (n);\n",
            &["heavy:2"],
        ),
    ];
    for (sql, wanted) in cases {
        assert_eq!(found(sql), *wanted, "{sql}");
    }
    let merged = files(Engine::Postgres, &[(SCHEMA, false), (drop, false)]);
    assert_eq!(places(&merged), [""; 0], "merged history is not punished");
}

#[test]
fn a_finding_says_what_to_write() {
    let findings = lint(&files(
        Engine::Postgres,
        &[(SCHEMA, false), ("ALTER TABLE users DROP COLUMN n;", true)],
    ))
    .unwrap()
    .findings;
    assert_eq!(
        findings[0].message,
        "`users.n`: DROP COLUMN loses the column's values, and fails whatever still reads it"
    );
    assert_eq!(
        findings[0].help.as_deref(),
        Some(
            "drop it in a release after the one that stopped using it, with a verified backup; where it is meant, \
             write `-- destructive: reason` and `-- contract-of: VERSION` (the migration, or the release, since which nothing uses it) above the statement"
        )
    );
}

#[test]
fn the_migrators_transaction_is_minded() {
    let cases: &[(&str, &[&str])] = &[
        (
            "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON users (n);\n",
            &[],
        ),
        (
            "-- no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY ON users (n);\n",
            &["unnamed:2"],
        ),
        (
            "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON users (n);\nCREATE INDEX CONCURRENTLY j ON users (n);\n",
            &["transaction:3"],
        ),
        (
            "-- Licence\n-- no-transaction\nCREATE INDEX CONCURRENTLY i ON users (n);\n",
            &["transaction:2", "transaction:3"],
        ),
        (" -- no-transaction\nSELECT 1;\n", &["transaction:1"]),
        ("--no-transaction\nSELECT 1;\n", &["transaction:1"]),
        (
            "\u{feff}-- no-transaction\nSELECT 1;\n",
            &["text:1", "transaction:1"],
        ),
        ("VACUUM users;\n", &["transaction:1"]),
    ];
    for (sql, wanted) in cases {
        assert_eq!(found(sql), *wanted, "{sql}");
    }
}

#[test]
fn bad_text_is_a_finding() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"select 1;\n\xff", &["text:2"]),
        (b"\xef\xbb\xbfselect 1;\n", &["text:1"]),
        (b"select 1;\nselect 2;\r\n", &["text:2"]),
        (b"", &["text:1"]),
        (b" \n\n", &["text:1"]),
        (b"-- nothing to do here\n", &[]),
        (b"select 1;\0\n", &["text:1"]),
    ];
    for engine in Engine::ALL {
        for (bytes, wanted) in cases {
            let mut file = files(engine, &[("", true)]);
            file[0].bytes = bytes.to_vec();
            let found = places(&file);
            let found: Vec<&str> = found
                .iter()
                .map(String::as_str)
                .filter(|found| !found.starts_with("syntax"))
                .collect();
            assert_eq!(found, *wanted, "{}", bytes.escape_ascii());
        }
        let mut file = files(engine, &[("", true)]);
        file[0].bytes = b"select 1;\n".repeat(1 << 20);
        assert_eq!(places(&file), ["text:1"]);
    }
}

#[test]
fn what_does_not_parse_is_a_finding_at_its_line() {
    for (sql, wanted) in [
        ("select 1;\nselct 2;\n", "syntax:2"),
        ("select 1;\nselect $$ not closed;\n", "syntax:2"),
        ("select 1;\nselect 'not closed;\n", "syntax:2"),
        ("select 1;\n/* not closed\n", "syntax:2"),
        ("\\i other.sql\n", "syntax:1"),
    ] {
        assert_eq!(
            found(sql).first().map(String::as_str),
            Some(wanted),
            "{sql}"
        );
    }
    assert_eq!(
        found_on_sqlite("", "select 1;\nselect 'not closed;\n"),
        ["syntax:2"]
    );
}

/// Each as long as a file may be.
#[test]
fn a_deep_nest_is_no_crash() {
    let long = 1 << 20;
    for (open, close) in [
        ("(", ")"),
        ("not ", ""),
        ("- ", ""),
        ("(select ", ")"),
        ("case when ", ""),
        ("1+", "1"),
        ("a.", ""),
        ("[", "]"),
    ] {
        let deep = (long - 20) / (open.len() + close.len());
        let sql = format!("select {}1{};", open.repeat(deep), close.repeat(deep));
        found(&sql);
        found_on_sqlite("", &sql);
    }
    found(&"begin;".repeat(long / 6));
    found(&format!(
        "do $$ begin {} end $$;",
        "begin ".repeat(long / 7)
    ));
}

#[test]
fn sqlite_has_traps_of_its_own() {
    let schema = "CREATE TABLE a (id INTEGER PRIMARY KEY, n INTEGER);\n\
                  CREATE TABLE b (id INTEGER PRIMARY KEY, a_id INTEGER REFERENCES a (id) ON DELETE CASCADE);\n\
                  CREATE TABLE c (id INTEGER PRIMARY KEY);\n";
    let cases: &[(&str, &[&str])] = &[
        // Rebuilds of a table nobody refers to.
        (
            "CREATE TABLE new (id INTEGER);\nINSERT INTO new SELECT id FROM c;\nDROP TABLE c;\nALTER TABLE new RENAME TO c;\n",
            &[],
        ),
        (
            "CREATE TABLE new (id INTEGER);\nDROP TABLE c;\nALTER TABLE new RENAME TO c;\n",
            &["sqlite:2"],
        ),
        (
            "DROP TABLE c;\nCREATE TABLE c (id INTEGER);\n",
            &["sqlite:1"],
        ),
        ("DROP TABLE c;\n", &[]),
        (
            "CREATE TABLE new AS SELECT * FROM c;\nDROP TABLE c;\nALTER TABLE new RENAME TO c;\n",
            &[],
        ),
        // Rows of `b` go with those of `a`, unless foreign keys are off, which they cannot be here.
        (
            "CREATE TABLE new (id INTEGER);\nINSERT INTO new SELECT id FROM a;\nDROP TABLE a;\nALTER TABLE new RENAME TO a;\n",
            &["sqlite:3"],
        ),
        (
            "-- no-transaction\nPRAGMA foreign_keys = OFF;\nBEGIN;\nCREATE TABLE new (id INTEGER);\nINSERT INTO new SELECT id FROM a;\nDROP TABLE a;\nALTER TABLE new RENAME TO a;\nCOMMIT;\nPRAGMA foreign_keys = ON;\n",
            &[],
        ),
        ("PRAGMA foreign_keys=OFF;\n", &["sqlite:1"]),
        ("PRAGMA foreign_keys(0);\n", &["sqlite:1"]),
        ("PRAGMA foreign_keys = ON;\n", &[]),
        ("COMMIT;\n", &["transaction:1"]),
        ("SELECT 1;\nEND;\n", &["transaction:2"]),
        (
            "BEGIN;\nEND TRANSACTION;\n",
            &["transaction:1", "transaction:2"],
        ),
        (
            "SAVEPOINT s;\nRELEASE s;\n",
            &["transaction:1", "transaction:2"],
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET n = CASE WHEN 1 THEN 2 END;\n  DELETE FROM b;\nEND;\n",
            &[],
        ),
        (
            "-- no-transaction\nBEGIN;\nDELETE FROM b;\n",
            &["transaction:2"],
        ),
        (
            "-- no-transaction\nDELETE FROM b;\nEND;\n",
            &["transaction:3"],
        ),
        (
            "-- no-transaction\nBEGIN;\nBEGIN;\nCOMMIT;\n",
            &["transaction:3"],
        ),
        ("-- no-transaction\nSAVEPOINT s;\n", &["transaction:2"]),
        (
            "-- no-transaction\nBEGIN;\nSAVEPOINT s;\nROLLBACK TO s;\nEND;\n",
            &[],
        ),
        (
            "CREATE TABLE x (\n  id UUID PRIMARY KEY,\n  data JSONB NOT NULL,\n  at TIMESTAMPTZ,\n  raw bytea,\n  n BIGSERIAL\n);\n",
            &["sqlite:2", "sqlite:3", "sqlite:4", "sqlite:5", "sqlite:6"],
        ),
        (
            "CREATE TABLE x (uuid TEXT, serial INTEGER, PRIMARY KEY (uuid, serial));\n",
            &[],
        ),
        ("ALTER TABLE a ADD COLUMN x UUID;\n", &["sqlite:1"]),
        ("ALTER TABLE a ADD uuid TEXT;\n", &[]),
        (
            "CREATE TABLE x (at TEXT NOT NULL DEFAULT (now()));\n",
            &["sqlite:1"],
        ),
        (
            "CREATE TABLE x (at TEXT DEFAULT (strftime('%Y', 'now')));\n",
            &[],
        ),
        (
            "INSERT INTO a (id, \"n\") VALUES (1, \"text\");\n",
            &["sqlite:1"],
        ),
        (
            "CREATE TABLE x (s TEXT DEFAULT \"x\" CHECK (s IN (\"x\")));\n",
            &["sqlite:1", "sqlite:1"],
        ),
        (
            "CREATE TABLE \"x\" (\"s\" TEXT, [t] TEXT, `u` TEXT);\n",
            &[],
        ),
        (
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  UPDATE a SET n = 1;\n  SELECT 1;\nEND;\n",
            &[],
        ),
    ];
    for (sql, wanted) in cases {
        assert_eq!(found_on_sqlite(schema, sql), *wanted, "{sql}");
    }
}

#[test]
fn the_table_says_something_of_each_operation() {
    for row in OPERATIONS {
        assert!(!row.statement.is_empty() && !row.lock.is_empty(), "{row:?}");
        assert!(
            row.class == Class::Safe || row.instead.len() > 10,
            "{row:?}"
        );
        assert!(
            !row.why.ends_with('.') && !row.instead.ends_with('.'),
            "{row:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 300,
        failure_persistence: Some(Box::new(FileFailurePersistence::Off)),
        ..ProptestConfig::default()
    })]

    /// Whatever is cut out of, put into or mixed up in SQL: a finding or none, but no panic.
    #[test]
    fn mutated_sql_is_no_panic(
        rows in proptest::collection::vec(0..ROWS.len(), 1..6),
        edits in proptest::collection::vec((any::<u16>(), any::<u8>(), prop_oneof![
            Just(""), Just("'"), Just("\""), Just("$$"), Just("("), Just(")"), Just(";"), Just("--"), Just("/*"),
            Just(","), Just("."), Just("\u{0}"), Just("ä"), Just("\n-- heavy: x\n"), Just(" USING "), Just(" NOT VALID "),
        ]), 0..6),
    ) {
        let statements: Vec<&str> = rows.iter().map(|row| ROWS[*row].0).collect();
        let mut sql = statements.join(";\n");
        for (at, length, put) in edits {
            let at = sql.floor_char_boundary(usize::from(at) % (sql.len() + 1));
            let end = sql.floor_char_boundary((at + usize::from(length % 12)).min(sql.len())).max(at);
            sql.replace_range(at..end, put);
        }
        found(&sql);
        found_on_sqlite("", &sql);
    }
}

/// The table was measured once; this measures it again wherever there is a server.
#[test]
fn postgres_says_the_same_of_each_row() {
    let Some(cluster) = pgscratch::for_tests() else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let (mut measured, mut disagreements) = (0, Vec::new());
    for (sql, class) in ROWS {
        // What no test should do to a cluster, and what ends the transaction that is asked.
        if class.contains("transaction") || sql.contains("DATABASE") {
            continue;
        }
        let files = files(Engine::Postgres, &[(SCHEMA, false), (sql, true)]);
        let linted = lint(&files).unwrap();
        let answer = runtime.block_on(async {
            let database = cluster.empty_database().await.unwrap();
            let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(&database.url)
                .await
                .unwrap();
            measure::measure(&mut connection, &files, &linted.fresh)
                .await
                .unwrap()
        });
        measured += answer.statements;
        for finding in answer.findings {
            disagreements.push(format!("{sql}: {}", finding.message));
        }
    }
    assert_eq!(disagreements, [""; 0]);
    assert!(measured > 80, "{measured} statements were measured");
}
