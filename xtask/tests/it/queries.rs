//! The registry of an app's SQL, against the schema that its migrations make.

use xshell::cmd;

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

#[test]
fn a_column_goes_on_postgres_and_sqlite_once_a_release_no_longer_asks_for_it() {
    let sandbox = Sandbox::new();
    let sh = &sandbox.sh;
    cmd!(sh, "git tag v0.1.0").run().unwrap();
    for file in [POSTGRES, SQLITE] {
        let text = sandbox.read(file);
        sandbox.write(file, text.replace("select env ", "select id "));
    }
    sandbox.xtask(&["fix", "queries"]).expect(0);
    sandbox.commit("nobody asks for it any more");
    cmd!(sh, "git switch --quiet --create feature")
        .run()
        .unwrap();
    let sql = "-- destructive: nobody reads it\n-- contract-of: 20260101000000\nalter table env_marker\n    drop column env;\n";
    for engine in ["postgres", "sqlite"] {
        let file = format!("migrations/{engine}/20260401000000_no_env.sql");
        sandbox.write(&file, sql);
    }
    sandbox.xtask(&["fix", "migrations"]).expect(1);
    sandbox.commit("feature");
    let ran = sandbox.xtask(&["ci", "migrations", "--format", "json"]);
    assert_eq!(
        findings(&ran.expect(1).json(), "migrations"),
        [
            "migrations/contract migrations/postgres/20260401000000_no_env.sql:4",
            "migrations/contract migrations/sqlite/20260401000000_no_env.sql:4",
        ]
    );
    (sandbox.xtask(&["ci", "migrations"]).expect(1)).says("`MARKER` of v0.1.0, in `apps/web/src/sql/postgres.rs`, does not work on PostgreSQL after it: column \"env\" does not exist");

    // A candidate is no release.
    cmd!(sh, "git tag v0.2.0-rc.1 main").run().unwrap();
    sandbox.xtask(&["ci", "migrations"]).expect(1);
    cmd!(sh, "git tag v0.2.0 main").run().unwrap();
    sandbox.xtask(&["ci", "migrations"]).expect(0);

    // A release that has noted nothing is held against nothing, and that is said.
    cmd!(sh, "git switch --quiet main").run().unwrap();
    std::fs::remove_file(sandbox.dir.join("migrations/queries.json")).unwrap();
    sandbox.commit("no registry");
    cmd!(sh, "git tag v0.3.0").run().unwrap();
    cmd!(sh, "git switch --quiet feature").run().unwrap();
    cmd!(sh, "git rebase --quiet main").run().unwrap();
    (sandbox.xtask(&["ci", "migrations"]).expect(0))
        .says("v0.3.0 has no `migrations/queries.json`");
}
