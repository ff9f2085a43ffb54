//! The registry of an app's SQL, against the schema that its migrations make.

use crate::sandbox::{Sandbox, findings, gate};

const POSTGRES: &str = "apps/web/src/sql/postgres.rs";
const SQLITE: &str = "apps/web/src/sql/sqlite.rs";

#[test]
fn what_postgres_or_sqlite_would_refuse_is_found_where_it_is_written() {
    let sandbox = Sandbox::new();
    let json = (sandbox.xtask(&["ci", "queries", "--format", "json"])).json();
    assert_eq!(findings(&json, "queries"), [""; 0]);
    let evidence = &gate(&json, "queries")["evidence"];
    assert_eq!(evidence["prepared-postgres"], 2);
    assert_eq!(evidence["prepared-sqlite"], 2);

    let text = sandbox.read(POSTGRES);
    sandbox.write(POSTGRES, text.replace("select env ", "select environment "));
    let text = sandbox.read(SQLITE);
    sandbox.write(SQLITE, text.replace("PING", "LONE = \"select 2\";\nPING"));
    sandbox.append(
        "apps/web/src/lib.rs",
        "const _: &str = \"DELETE FROM x\";\n",
    );
    let lines = sandbox.read("apps/web/src/lib.rs").lines().count();
    let ran = sandbox.xtask(&["ci", "queries", "--format", "json"]);
    let mut found = findings(&ran.expect(1).json(), "queries");
    found.sort();
    assert_eq!(
        found,
        [
            format!("queries/outside apps/web/src/lib.rs:{lines}"),
            format!("queries/refused {POSTGRES}:4"),
            "queries/stale migrations/queries.json:7".to_owned(),
            format!("queries/unpaired {SQLITE}:5"),
        ]
    );
    // What a machine can mend; the rest is left.
    let fixed = sandbox.xtask(&["fix", "queries"]);
    fixed.expect(1).says("wrote `migrations/queries.json`");
    (sandbox.xtask(&["ci", "queries"]).expect(1))
        .says("PostgreSQL refuses `MARKER`: column \"environment\" does not exist")
        .says("`LONE` is there for sqlite only");
}
