//! `cargo xtask migrate` on SQLite: killed, run by several at once, copied.

use std::path::{Path, PathBuf};
use std::process::Command;

use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};

use crate::sandbox::{Ran, Sandbox, run, run_at_once};

/// A table that is rebuilt with its foreign keys off, which a transaction of the migrator would
/// not let it do.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "20260201000000_orders.sql",
        "create table orders (id integer primary key, state text not null);
create table lines (id integer primary key, of integer not null references orders (id) on delete cascade);
insert into orders values (1, 'placed'), (2, 'paid');
insert into lines values (1, 1), (2, 1), (3, 2);
",
    ),
    (
        "20260201000100_checked.sql",
        "-- no-transaction
PRAGMA foreign_keys = OFF;
BEGIN;
CREATE TABLE new_orders (id integer primary key, state text not null check (state <> ''));
INSERT INTO new_orders (id, state) SELECT id, state FROM orders;
DROP TABLE orders;
ALTER TABLE new_orders RENAME TO orders;
COMMIT;
PRAGMA foreign_keys = ON;
",
    ),
    (
        "20260201000200_index.sql",
        "create index lines_of on lines (of);\n",
    ),
];

struct Bench {
    sandbox: Sandbox,
}

impl Bench {
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for (name, sql) in MIGRATIONS {
            sandbox.write(&format!("migrations/sqlite/{name}"), sql);
        }
        Self { sandbox }
    }

    fn ask<T>(path: &Path, work: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> T) -> T {
        let tokio = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        tokio.block_on(async {
            let options = sqlx::sqlite::SqliteConnectOptions::new()
                .filename(path)
                .create_if_missing(true);
            let mut connection = options.connect().await.unwrap();
            let done = work(&mut connection).await;
            connection.close().await.unwrap();
            done
        })
    }

    fn database(&self, name: &str) -> PathBuf {
        let path = self.sandbox.dir.join(name);
        Self::ask(&path, async |connection| {
            marker::sqlite::write(connection, marker::Environment::Dev)
                .await
                .unwrap();
        });
        path
    }

    fn command(&self, path: &Path, args: &[&str]) -> Command {
        let mut command = self.sandbox.xtask_command(&["migrate"]);
        let url = format!("sqlite://{}", path.display());
        command.args(args).env("DATABASE_URL", url);
        command
    }

    fn migrate(&self, path: &Path, args: &[&str]) -> Ran {
        run(self.command(path, args))
    }

    fn texts(path: &Path, sql: &str) -> Vec<String> {
        Self::ask(path, async |connection| {
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
                .fetch_all(connection)
                .await
                .unwrap()
        })
    }

    fn digest(path: &Path) -> Vec<String> {
        [
            "select type || name || coalesce(sql, '') from sqlite_master where name not like '\\_%' escape '\\' order by 1",
            "select id || state from orders order by id",
            "select id || ':' || of from lines order by id",
            "select version || hex(checksum) || success from _sqlx_migrations order by version",
            "select version || state from _migration_journal",
        ]
        .iter()
        .flat_map(|sql| Self::texts(path, sql))
        .collect()
    }
}

#[test]
fn a_killed_run_is_resumed_and_no_row_is_lost() {
    let bench = Bench::new();
    let undisturbed = bench.database("undisturbed.db");
    bench.migrate(&undisturbed, &[]).expect(0);
    let undisturbed = Bench::digest(&undisturbed);
    assert!(
        undisturbed.iter().any(|row| row == "3:2"),
        "{undisturbed:#?}"
    );
    let mut kills = 0;
    for state in ["planned", "begun", "ran", "recorded"] {
        for nth in 1..=4 {
            let path = bench.database(&format!("{state}{nth}.db"));
            let mut command = bench.command(&path, &[]);
            command.env("XTASK_FAILPOINT", format!("{state}:{nth}"));
            kills += u32::from(run(command).code.is_none());
            bench.migrate(&path, &["--resume"]).expect(0);
            assert_eq!(Bench::digest(&path), undisturbed, "{state}:{nth}");
        }
    }
    assert_eq!(kills, 10);
}

/// As if it had been killed after its COMMIT and before the journal said so.
#[test]
fn what_was_committed_before_the_kill_is_not_done_again() {
    let bench = Bench::new();
    let path = bench.database("local.db");
    let mut command = bench.command(&path, &[]);
    command.env("XTASK_FAILPOINT", "begun");
    assert_eq!(run(command).code, None);
    Bench::ask(&path, async |connection| {
        sqlx::raw_sql(MIGRATIONS[1].1)
            .execute(connection)
            .await
            .unwrap();
    });
    bench.migrate(&path, &["--resume"]).expect(0);

    // Without a transaction of its own nobody can tell: a person decides.
    let bench = Bench::new();
    let loose = "-- no-transaction\ncreate table a (id integer);\ncreate table b (id integer);\n";
    bench
        .sandbox
        .write("migrations/sqlite/20260201000100_checked.sql", loose);
    let path = bench.database("local.db");
    let mut command = bench.command(&path, &[]);
    command.env("XTASK_FAILPOINT", "begun");
    assert_eq!(run(command).code, None);
    Bench::ask(&path, async |connection| {
        sqlx::raw_sql("create table a (id integer)")
            .execute(connection)
            .await
            .unwrap();
    });
    (bench.migrate(&path, &["--resume"]).expect(3))
        .says("whether it was done cannot be seen")
        .says("--done 20260201000100, or --undone 20260201000100");
    for said in ["--done", "--undone"] {
        (bench
            .migrate(&path, &["--resume", said, "20260201000200"])
            .expect(3))
        .says("version `20260201000200` was not left open")
        .says("`20260201000100` is");
    }
    Bench::ask(&path, async |connection| {
        sqlx::raw_sql("create table b (id integer)")
            .execute(connection)
            .await
            .unwrap();
    });
    (bench
        .migrate(&path, &["--resume", "--done", "20260201000100"])
        .expect(0))
    .says("20260201000100: finished what was begun");
    (bench
        .migrate(&path, &["--resume", "--undone", "20260201000100"])
        .expect(3))
    .says("was not left open by a run that was killed; nothing is");
    assert_eq!(
        Bench::texts(&path, "select count(*) || '' from _sqlx_migrations"),
        ["4"]
    );
}

#[test]
fn of_several_migrators_one_applies_and_the_others_wait() {
    let bench = Bench::new();
    let path = bench.database("local.db");
    let ran = run_at_once((0..4).map(|_| bench.command(&path, &[])));
    let applied = |ran: &&Ran| ran.expect(0).stdout.contains("ok    applied 4 of 4");
    assert_eq!(ran.iter().filter(applied).count(), 1);

    bench
        .sandbox
        .append("xtask.toml", "[migrations]\nmigrator-lock-s = 1\n");
    let lock = std::fs::File::create(path.with_extension("db.migrate-lock")).unwrap();
    lock.lock().unwrap();
    bench
        .migrate(&path, &[])
        .expect(75)
        .says("another migrator holds the lock");
}

#[test]
fn a_copy_is_recognised_and_adopted_only_when_asked() {
    let bench = Bench::new();
    let path = bench.database("local.db");
    bench.migrate(&path, &[]).expect(0);
    let copy = bench.sandbox.dir.join("copy.db");
    std::fs::copy(&path, &copy).unwrap();
    let url = format!("sqlite://{}", copy.display());
    let mark = |args: &[&str]| {
        let mut command = bench.sandbox.xtask_command(&["db", "mark"]);
        command.args(args).env("DATABASE_URL", &url);
        run(command)
    };
    for args in [&[][..], &["status"], &["plan"]] {
        (bench.migrate(&copy, args).expect(3)).says("it is a copy: it was marked `dev` as ");
    }
    mark(&["dev"]).expect(3).says("it is a copy");
    mark(&["prod"]).expect(3).says("APP_ENV is `local`");
    mark(&["dev", "--adopt"])
        .expect(0)
        .says("done  marked `dev`");
    mark(&["dev"]).expect(0).says("is marked `dev` already");
    bench.migrate(&copy, &[]).expect(0);

    // What was production's stays it, wherever it is copied to.
    Bench::ask(&path, async |connection| {
        marker::sqlite::write(connection, marker::Environment::Prod)
            .await
            .unwrap();
    });
    std::fs::copy(&path, &copy).unwrap();
    (mark(&["dev", "--adopt"]).expect(3)).says("`production` is locked");
    (bench.migrate(&copy, &["status"]).expect(3)).says("it is a copy: it was marked `prod` as ");
    let elsewhere = [("APP_ENV", "production"), ("DATABASE_URL", &*url)];
    (bench.sandbox.xtask_with(&["migrate"], &elsewhere).expect(3))
        .says("SQLite, which is refused in `production`");
}

#[test]
fn a_damaged_or_missing_file_is_refused() {
    let bench = Bench::new();
    let path = bench.sandbox.dir.join("local.db");
    (bench.migrate(&path, &[]).expect(3))
        .says("failed to open the database")
        .says("help: ");
    assert!(!path.exists());
    std::fs::write(
        &path,
        "no database, but long enough to be looked at as one".repeat(100),
    )
    .unwrap();
    (bench.migrate(&path, &[]).expect(3))
        .says("file is not a database")
        .says("help: ");
}

#[test]
fn a_backfill_walks_keys_of_any_type() {
    let bench = Bench::new();
    let path = bench.database("local.db");
    bench.migrate(&path, &[]).expect(0);
    Bench::ask(&path, async |connection| {
        let rows = "create table words (key text primary key, n integer not null default 0);
            insert into words (key) values ('001'), ('1'), ('it''s'), ('z'), ('é'), (''), ('10')";
        sqlx::raw_sql(rows).execute(connection).await.unwrap();
    });
    for (name, table, key) in [("words", "words", "key"), ("lines", "lines", "id")] {
        bench.sandbox.write(
            &format!("migrations/backfills/sqlite/{name}.sql"),
            format!(
                "-- backfill: {table} ({key})\nUPDATE {table} SET {} WHERE $batch\n",
                match table {
                    "words" => "n = n + 1",
                    _ => "of = of",
                }
            ),
        );
    }
    let args = |name| ["backfill", name, "--rows", "2", "--pause-ms", "0"];
    let walked = bench.migrate(&path, &args("words"));
    (walked.expect(0)).says("ok    `words` has changed 7 rows");
    // Keys are data, and output is kept for long.
    assert!(!walked.stdout.contains('\''), "{}", walked.stdout);
    assert_eq!(
        Bench::texts(&path, "select distinct n || '' from words"),
        ["1"]
    );
    (bench.migrate(&path, &args("lines")).expect(0)).says("ok    `lines` has changed 3 rows");
}

#[test]
fn a_backfill_that_was_edited_is_another() {
    let bench = Bench::new();
    let path = bench.database("local.db");
    bench.migrate(&path, &[]).expect(0);
    let sql = |sql: &'static str| {
        Bench::ask(&path, async |connection| {
            sqlx::raw_sql(sql).execute(connection).await.unwrap();
        });
    };
    sql("create table words (id integer primary key, n integer)");
    let file = "migrations/backfills/sqlite/words.sql";
    let walk = |to: u8| {
        let text = format!("-- backfill: words (id)\nUPDATE words SET n = {to} WHERE $batch\n");
        bench.sandbox.write(file, text);
        bench.migrate(&path, &["backfill", "words", "--pause-ms", "0"])
    };
    walk(1).expect(0).says("has changed 0 rows");
    sql("insert into words (id) values (1), (2)");
    // It is finished with that text, and with no other.
    walk(1).expect(0).says("has changed 0 rows");
    walk(2).expect(0).says("has changed 2 rows");
    assert_eq!(
        Bench::texts(&path, "select distinct n || '' from words"),
        ["2"]
    );
    walk(3)
        .expect(3)
        .says("was edited after it began, 2 rows ago");
    walk(2).expect(0);
    assert_eq!(
        Bench::texts(&path, "select distinct n || '' from words"),
        ["2"]
    );
}

#[test]
fn a_limit_that_no_clock_reaches_is_no_limit() {
    let bench = Bench::new();
    let path = bench.database("local.db");
    let policy = format!("[migrations]\nmigrator-lock-s = {}\n", i64::MAX);
    bench.sandbox.append("xtask.toml", &policy);
    bench.migrate(&path, &[]).expect(0);
}

/// The lint does not read a file that is too long, and the policy may let it pass.
#[test]
fn a_file_that_ends_the_transaction_is_for_a_person_to_look_at() {
    let file = "migrations/sqlite/20260301000000_long.sql";
    let version = "20260301000000";
    let long = |sql: &str| format!("{sql}{}", "-- much\n".repeat(150_000));
    for (index, (sql, why)) in [
        (
            "create table x (i int); commit; create table y (i int);\n",
            "",
        ),
        (
            "create table x (i int); commit; begin; create table y (i int);\n",
            "",
        ),
        (
            "create table x (i int); commit; create table x (i int);\n",
            "already exists",
        ),
        (
            "create table x (i int); commit; begin; create table x (i int);\n",
            "already exists",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let bench = Bench::new();
        let allow = format!(
            "[[allow]]\nrule = \"migrations/text\"\npath = \"{file}\"\nreason = \"rows\"\n"
        );
        bench.sandbox.append("xtask.toml", &allow);
        bench.sandbox.write(file, long(sql));
        let path = bench.database(&format!("{index}.db"));
        (bench.migrate(&path, &[]).expect(1))
            .says(file)
            .says("ended the transaction that it runs in")
            .says(why);
        let recorded = "select max(version) || '' from _sqlx_migrations";
        assert_eq!(Bench::texts(&path, recorded), ["20260201000200"], "{sql}");
        (bench.migrate(&path, &["--resume"]).expect(3)).says(&format!("--done {version}"));
        let undone = ["--resume", "--undone", version];
        (bench.migrate(&path, &undone).expect(1)).says("was not sent again");
        bench.sandbox.write(
            file,
            long("create table if not exists x (i int); select 1 from no_such;\n"),
        );
        (bench.migrate(&path, &[]).expect(1)).says("nothing of this migration is left");
        bench
            .sandbox
            .write(file, long("create table if not exists x (i int);\n"));
        bench.migrate(&path, &[]).expect(0);
    }
}
