//! The lint of migrations through the binary: which files it judges, and where the gate says so.

use std::fmt::Write as _;

use serde_json::Value;

use crate::sandbox::{Sandbox, findings, gate};

/// A later version that says `postgres` on the one engine and `sqlite` on the other.
fn add(sandbox: &Sandbox, version: u64, postgres: &str, sqlite: &str) {
    sandbox.write(&format!("migrations/postgres/{version}_more.sql"), postgres);
    sandbox.write(&format!("migrations/sqlite/{version}_more.sql"), sqlite);
}

fn ci(sandbox: &Sandbox) -> Value {
    sandbox
        .xtask(&["ci", "migrations", "--format", "json"])
        .json()
}

/// What the lint found, without what the schemas say.
fn found(run: &Value) -> Vec<String> {
    let mut found = findings(run, "migrations");
    let of_schemas = ["migrations/snapshot", "migrations/parity"];
    found.retain(|finding| !of_schemas.iter().any(|rule| finding.starts_with(rule)));
    found
}

#[test]
fn what_is_merged_is_not_judged_and_what_is_new_is() {
    let sandbox = Sandbox::new();
    let heavy = "CREATE TABLE a (id int);\nCREATE TABLE b (id int);\n";
    add(&sandbox, 20_270_101_000_000, heavy, heavy);
    sandbox.xtask(&["fix", "migrations"]).expect(0);
    sandbox.commit("tables");
    // Were it new, this would be red: `a` was there before.
    let drop = "DROP TABLE a;\n";
    add(&sandbox, 20_270_102_000_000, drop, drop);
    let path = "migrations/postgres/20270102000000_more.sql";
    assert_eq!(
        found(&ci(&sandbox)),
        [format!("migrations/destructive {path}:1")]
    );
    sandbox.xtask(&["fix", "migrations"]).expect(1);
    sandbox.commit("merged");
    sandbox.commit("and one more, so that it is history");
    assert_eq!(found(&ci(&sandbox)), [""; 0]);
    // History is what the next one is read against: `b` is there, and `c` is not.
    add(
        &sandbox,
        20_270_103_000_000,
        "CREATE TABLE c (id int);\nCREATE INDEX c_id ON c (id);\nCREATE INDEX b_id ON b (id);\n",
        "SELECT 1;\n",
    );
    let path = "migrations/postgres/20270103000000_more.sql";
    assert_eq!(found(&ci(&sandbox)), [format!("migrations/heavy {path}:3")]);
    add(
        &sandbox,
        20_270_103_000_000,
        "CREATE TABLE c (id int);\n-- heavy: `b` has three rows\nCREATE INDEX b_id ON b (id);\n",
        "SELECT 1;\n",
    );
    assert_eq!(found(&ci(&sandbox)), [""; 0]);
}

#[test]
fn a_finding_says_what_is_lost_and_what_to_write() {
    let sandbox = Sandbox::new();
    add(
        &sandbox,
        20_270_101_000_000,
        "ALTER TABLE env_marker DROP COLUMN env;\n",
        "SELECT 1;\n",
    );
    sandbox
        .xtask(&["ci", "migrations"])
        .expect(1)
        .says("20270101000000_more.sql:1")
        .says("`env_marker.env`: DROP COLUMN loses the column's values")
        .says("write `-- destructive: reason` and `-- contract-of: VERSION`");
}

#[test]
fn bad_text_is_red_and_reaches_no_database() {
    let sandbox = Sandbox::new();
    let folder = "migrations/postgres/20270101000000_more.sql";
    let long = "SELECT 1;\n".repeat(1 << 20);
    for (text, rule, line) in [
        (&b"SELECT 1;\n\xff\xfe"[..], "text", 2),
        (b"\xef\xbb\xbfSELECT 1;\n", "text", 1),
        (b"SELECT 1;\r\n", "text", 1),
        (b"", "text", 1),
        (long.as_bytes(), "text", 1),
        (b"SELECT 1;\nSELECT $$ open;\n", "syntax", 2),
        (
            b"SELECT 1;\n-- destructive: it is meant\n-- contract-of: v1.0.0\nCOMMIT;\n",
            "transaction",
            4,
        ),
    ] {
        add(&sandbox, 20_270_101_000_000, "", "SELECT 1;\n");
        sandbox.write(folder, text);
        let run = ci(&sandbox);
        let wanted = format!("migrations/{rule} {folder}:{line}");
        let found = found(&run);
        assert!(found.contains(&wanted), "{wanted} is not in {found:?}");
        assert_eq!(gate(&run, "migrations")["verdict"], "failed");
    }
}

/// A thousand files of every kind there is, all of them new.
#[test]
fn a_thousand_files_are_read_together() {
    let sandbox = Sandbox::new();
    let mut version = 20_270_101_000_000;
    for n in 0..500 {
        version += u64::from(n % 60 == 59) * 40 + 1;
        let mut sql = format!("CREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL);\n");
        if n > 0 {
            let before = n - 1;
            let _ = writeln!(sql, "ALTER TABLE t{before} ADD COLUMN more int;");
        }
        let sqlite = format!("CREATE TABLE t{n} (id INTEGER PRIMARY KEY);\n");
        add(&sandbox, version, &sql, &sqlite);
    }
    let run = ci(&sandbox);
    assert_eq!(found(&run), [""; 0]);
    assert_eq!(
        gate(&run, "migrations")["evidence"]["statements"],
        500 + 499 + 500 + 2
    );
}
