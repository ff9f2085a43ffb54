//! Files, databases and connections that are refused.

use pgscratch::Database;

use super::{Bench, MIGRATIONS};

#[test]
fn a_refused_migration_leaves_what_came_before() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    bench.sandbox.write(
        "migrations/postgres/20260201000200_states.sql",
        "create table states (name text primary key);\n\ninsert into states values (null);\n",
    );
    (bench.migrate(&database, &[]).expect(1))
        .says("`migrations/postgres/20260201000200_states.sql`: null value in column \"name\"")
        .says("nothing of this migration is left");
    assert_eq!(
        bench.texts(&database, "select max(version)::text from _sqlx_migrations"),
        ["20260201000100"]
    );
    assert_eq!(
        bench.texts(
            &database,
            "select relname::text from pg_class where relname = 'states'"
        ),
        [""; 0]
    );
}

/// Each case damages files or database; nothing pending may be applied, all problems are named.
#[test]
fn what_does_not_fit_is_refused_before_anything_is_applied() {
    type Damage = fn(&Bench, &Database);
    let cases: &[(&str, Damage, &str)] = &[
        (
            "edited after it was applied",
            |bench, _| {
                let file = "migrations/postgres/20260201000000_orders.sql";
                let text = bench.sandbox.read(file).replace("97", "98");
                bench.sandbox.write(file, text);
            },
            "`migrations/postgres/20260201000000_orders.sql` was edited after it was applied",
        ),
        (
            "deleted after it was applied",
            |bench, _| {
                let file = bench
                    .sandbox
                    .dir
                    .join("migrations/postgres/20260201000100_by_total.sql");
                bench.sandbox.sh.remove_path(file).unwrap();
            },
            "version 20260201000100 is applied, and no file has it",
        ),
        (
            "out of order",
            |bench, _| {
                bench
                    .sandbox
                    .write("migrations/postgres/20260101000001_late.sql", "select 1;\n");
            },
            "`migrations/postgres/20260101000001_late.sql` is older than 20260201000100",
        ),
        (
            "two of one version",
            |bench, _| {
                bench
                    .sandbox
                    .write("migrations/postgres/20260201000200_twin.sql", "select 1;\n");
            },
            "has the version of another file",
        ),
        (
            "a name that is none",
            |bench, _| {
                bench
                    .sandbox
                    .write("migrations/postgres/later.sql", "select 1;\n");
            },
            "`migrations/postgres/later.sql` is no migration and would be skipped",
        ),
        (
            "not UTF-8",
            |bench, _| {
                bench.sandbox.write(
                    "migrations/postgres/20260301000000_x.sql",
                    b"select '\xff';\n",
                );
            },
            "20260301000000_x.sql:1`: not UTF-8 at byte 8",
        ),
        (
            "a byte order mark",
            |bench, _| {
                bench.sandbox.write(
                    "migrations/postgres/20260301000000_x.sql",
                    "\u{feff}select 1;\n",
                );
            },
            "begins with a byte order mark",
        ),
        (
            "CRLF",
            |bench, _| {
                bench
                    .sandbox
                    .write("migrations/postgres/20260301000000_x.sql", "select 1;\r\n");
            },
            "has a carriage return",
        ),
        (
            "empty",
            |bench, _| {
                bench
                    .sandbox
                    .write("migrations/postgres/20260301000000_x.sql", "");
            },
            "is empty",
        ),
        (
            "10 MB",
            |bench, _| {
                let text = "select 1;\n".repeat(1 << 20);
                bench
                    .sandbox
                    .write("migrations/postgres/20260301000000_x.sql", text);
            },
            "10240 KiB of SQL",
        ),
        (
            "a transaction of its own",
            |bench, _| {
                let sql = "create table x (i int);\n-- destructive: it is meant\n-- contract-of: v1.0.0\ncommit;\ncreate table y (i int);\n";
                bench
                    .sandbox
                    .write("migrations/postgres/20260301000000_x.sql", sql);
                let allow = "[[allow]]\nrule = \"migrations/transaction\"\npath = \"migrations/postgres/\"\nreason = \"it is meant\"\n";
                bench.sandbox.append("xtask.toml", allow);
            },
            "20260301000000_x.sql:4`: `COMMIT` in a file: the migrator begins and ends its transaction",
        ),
        (
            "dollar quotes unclosed",
            |bench, _| {
                bench.sandbox.write(
                    "migrations/postgres/20260301000000_x.sql",
                    "do $$ begin null; end;\n",
                );
            },
            "20260301000000_x.sql:1`: ",
        ),
        (
            "a journal that was torn",
            |bench, database| {
                bench.execute(database, "insert into _migration_journal (version, checksum, state, before) values (20260201000200, '', 'beg', '{}')");
            },
            "the row of version 20260201000200 in `_migration_journal` cannot be trusted: its state is `beg`",
        ),
        (
            "a journal of another file",
            |bench, database| {
                bench.execute(database, "insert into _migration_journal (version, checksum, state, before) values (20260201000300, '\\x00', 'begun', '{}')");
            },
            "the file was edited since",
        ),
        (
            "failed by another migrator",
            |bench, database| {
                bench.execute(
                    database,
                    "update _sqlx_migrations set success = false where version = 20260201000100",
                );
            },
            "version 20260201000100 is recorded as failed",
        ),
        (
            "a marker edited by hand",
            |bench, database| bench.execute(database, "update _env_marker set env = 'staging'"),
            "its environment marker was edited by hand",
        ),
        (
            "a marker that is gone",
            |bench, database| bench.execute(database, "delete from _env_marker"),
            "its environment marker was edited by hand",
        ),
    ];
    for (case, damage, message) in cases {
        let Some(bench) = Bench::new() else { return };
        let database = bench.database();
        for (name, _) in &MIGRATIONS[2..] {
            let file = bench.sandbox.dir.join("migrations/postgres").join(name);
            bench.sandbox.sh.remove_path(file).unwrap();
        }
        bench.migrate(&database, &[]).expect(0);
        for (name, sql) in &MIGRATIONS[2..] {
            bench
                .sandbox
                .write(&format!("migrations/postgres/{name}"), sql);
        }
        damage(&bench, &database);
        for args in [&[][..], &["--resume"], &["apply"]] {
            let refused = bench.migrate(&database, args);
            assert_eq!(
                refused.code,
                Some(3),
                "{case}: {}{}",
                refused.stdout,
                refused.stderr
            );
            assert!(
                refused.stderr.contains(message),
                "{case}: {}",
                refused.stderr
            );
            assert!(
                refused.stderr.contains("\nhelp: "),
                "{case}: {}",
                refused.stderr
            );
        }
        assert_eq!(
            bench.texts(&database, "select count(*)::text from _sqlx_migrations"),
            ["3"],
            "{case}"
        );
    }
}

#[test]
fn a_read_only_session_is_refused() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    bench.execute(
        &database,
        &format!(
            "alter database {} set default_transaction_read_only = on",
            database.name
        ),
    );
    (bench.migrate(&database, &[]).expect(3)).says("are read-only (default_transaction_read_only)");
}

/// The server says it by functions of its own; here others stand before them.
#[test]
fn a_replica_and_a_clock_that_is_off_are_refused() {
    let Some(bench) = Bench::new() else { return };
    let clock = |how: &str| {
        format!(
            "create function clock_timestamp() returns timestamptz language sql as $$ select now() {how} interval '1 hour' $$"
        )
    };
    let replica =
        "create function pg_is_in_recovery() returns boolean language sql as 'select true'";
    for (function, message) in [
        (replica.to_owned(), "is a replica, and takes no changes"),
        (clock("+"), "min behind the server's"),
        (clock("-"), "min ahead of the server's"),
    ] {
        let database = bench.database();
        bench.execute(&database, &function);
        let name = &database.name;
        bench.execute(
            &database,
            &format!("alter database {name} set search_path = public, pg_catalog"),
        );
        (bench.migrate(&database, &[]).expect(3))
            .says(message)
            .says("help: ");
        let migrated = "select (to_regclass('_sqlx_migrations') is not null)::text";
        assert_eq!(bench.texts(&database, migrated), ["false"]);
    }
}
