//! `cargo xtask migrate` on a real PostgreSQL: killed, run by several at once, refused.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use pgscratch::Database;
use sqlx::migrate::Migrate as _;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::sandbox::{Ran, Sandbox, run};

/// Tables, an index that is built outside of a transaction, rows that change, an index that goes.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "20260201000000_orders.sql",
        "create table orders (id bigint primary key, state text not null, total int not null);
         insert into orders select n, 'placed', n % 97 from generate_series(1, 20000) n;",
    ),
    (
        "20260201000100_by_total.sql",
        "-- no-transaction\ncreate index concurrently orders_total on orders (total, id);",
    ),
    (
        "20260201000200_states.sql",
        "-- heavy: there are few orders
         create table states (name text primary key);
         insert into states select distinct state from orders;
         alter table orders add column note text;",
    ),
    (
        "20260201000300_by_state.sql",
        "-- no-transaction\ncreate unique index concurrently orders_state on orders (state, id);",
    ),
    (
        "20260201000400_no_totals.sql",
        "-- no-transaction\ndrop index concurrently orders_total;",
    ),
    (
        "20260201000500_notes.sql",
        "update orders set note = 'n' || id where total = 5;",
    ),
];

/// A workspace with [`MIGRATIONS`], and a marked database of its own.
struct Bench {
    sandbox: Sandbox,
    server: pgscratch::Handle,
    tokio: tokio::runtime::Runtime,
}

impl Bench {
    /// `None` where there is no PostgreSQL.
    fn new() -> Option<Self> {
        let server = pgscratch::for_tests()?;
        let sandbox = Sandbox::new();
        for (name, sql) in MIGRATIONS {
            sandbox.write(&format!("migrations/postgres/{name}"), sql);
        }
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Some(Self {
            sandbox,
            server,
            tokio,
        })
    }

    fn empty(&self) -> Database {
        self.tokio.block_on(self.server.empty_database()).unwrap()
    }

    /// A database that is marked `dev`.
    fn database(&self) -> Database {
        let database = self.empty();
        self.ask(&database, async |connection| {
            let options: PgConnectOptions = database.url.parse().unwrap();
            let server = marker::postgres::server(&options, None);
            marker::postgres::write(connection, server.as_deref(), marker::Environment::Dev)
                .await
                .unwrap();
        });
        database
    }

    fn ask<T>(&self, database: &Database, work: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
        self.tokio.block_on(async {
            let mut connection = PgConnection::connect(&database.url).await.unwrap();
            let done = work(&mut connection).await;
            connection.close().await.unwrap();
            done
        })
    }

    fn texts(&self, database: &Database, sql: &str) -> Vec<String> {
        self.ask(database, async |connection| {
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
                .fetch_all(connection)
                .await
                .unwrap()
        })
    }

    fn execute(&self, database: &Database, sql: &str) {
        self.ask(database, async |connection| {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                .execute(connection)
                .await
                .unwrap();
        });
    }

    fn command(&self, database: &Database, args: &[&str]) -> Command {
        let mut command = self.sandbox.xtask_command(&["migrate"]);
        command.args(args).env("DATABASE_URL", &database.url);
        command
    }

    fn migrate(&self, database: &Database, args: &[&str]) -> Ran {
        run(self.command(database, args))
    }

    /// Catalog and rows, and what migrators believe of them.
    fn digest(&self, database: &Database) -> Vec<String> {
        let mut digest = self.texts(
            database,
            "select format('%s.%s %s %s', c.relname, a.attname, a.atttypid::regtype, a.attnotnull)
             from pg_class c join pg_attribute a on a.attrelid = c.oid
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0
             order by 1",
        );
        digest.extend(self.texts(
            database,
            "select pg_get_indexdef(indexrelid) || indisvalid || indisready || indislive
             from pg_index where indexrelid >= 16384 and indrelid::regclass::text !~ '^pg_' order by 1",
        ));
        for table in ["orders", "states"] {
            digest.extend(self.texts(
                database,
                &format!("select md5(string_agg(md5(t::text), '' order by t::text)) || count(*) from {table} t"),
            ));
        }
        digest.extend(self.texts(
            database,
            "select version || encode(checksum, 'hex') || success from _sqlx_migrations order by version",
        ));
        digest.extend(self.texts(
            database,
            "select version || state from _migration_journal order by version",
        ));
        digest
    }

    /// What an undisturbed run makes.
    fn undisturbed(&self) -> Vec<String> {
        let database = self.database();
        self.migrate(&database, &[]).expect(0);
        let digest = self.digest(&database);
        assert!(digest.len() > 20, "{digest:#?}");
        digest
    }
}

#[test]
fn what_is_pending_is_applied_once() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    (bench.migrate(&database, &["status"]).expect(0))
        .says("pending  20260201000100_by_total.sql")
        .says("7 migrations, 7 pending");
    let plan = bench.migrate(&database, &["plan"]);
    (plan.expect(0))
        .says("create index concurrently orders_total")
        .says("outside of a transaction");
    assert_eq!(
        bench.texts(
            &database,
            "select relname::text from pg_class where relname in ('orders', '_sqlx_migrations')"
        ),
        [""; 0]
    );
    let hash = plan.stdout.lines().last().unwrap();
    let hash = hash.strip_prefix("plan ").unwrap().to_owned();

    (bench
        .migrate(&database, &["--plan-hash", "0123456789"])
        .expect(3))
    .says("not `0123456789`");
    let applied = bench.migrate(
        &database,
        &["apply", "--plan-hash", &hash, "--format", "json"],
    );
    applied.expect(0);
    let events: Vec<serde_json::Value> = (applied.stdout.lines())
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let ended = |event: &&serde_json::Value| event["event"] == "applied";
    assert_eq!(events.iter().filter(ended).count(), 7);
    assert_eq!(events.last().unwrap()["applied"], 7);

    bench
        .migrate(&database, &[])
        .expect(0)
        .says("nothing to apply");
    bench
        .migrate(&database, &["--resume"])
        .expect(0)
        .says("nothing to apply");
    // What was looked at is no longer what there is.
    bench.migrate(&database, &["--plan-hash", &hash]).expect(3);
    // sqlx's own migrator has nothing to add.
    let folder = bench.sandbox.dir.join("migrations/postgres");
    bench.ask(&database, async |connection| {
        let migrator = sqlx::migrate::Migrator::new(folder).await.unwrap();
        migrator.run(connection).await.unwrap();
    });
    (bench.migrate(&database, &["status"]).expect(0)).says("7 migrations, 0 pending");
}

/// The names that the binary itself knows, so that none can be forgotten here.
fn failpoints(bench: &Bench, database: &Database) -> Vec<String> {
    let mut command = bench.command(database, &[]);
    command.env("XTASK_FAILPOINT", "nowhere");
    let refused = run(command);
    refused.expect(2).says("`nowhere` is no failpoint: ");
    let (_, names) = refused.stderr.split_once("no failpoint: ").unwrap();
    names
        .lines()
        .next()
        .unwrap()
        .split(", ")
        .map(str::to_owned)
        .collect()
}

#[test]
fn a_run_that_is_killed_at_any_state_of_the_journal_is_resumed() {
    let Some(bench) = Bench::new() else { return };
    let undisturbed = bench.undisturbed();
    let names = failpoints(&bench, &bench.database());
    assert_eq!(names, ["planned", "begun", "ran", "recorded"]);
    for name in &names {
        let mut kills = 0;
        for nth in 1.. {
            let database = bench.database();
            let mut command = bench.command(&database, &[]);
            command.env("XTASK_FAILPOINT", format!("{name}:{nth}"));
            let died = run(command);
            if died.code == Some(0) {
                break;
            }
            kills += 1;
            assert_eq!(died.code, None, "{}", died.stderr);
            // Without being asked to resume it does not touch what is half done.
            let open = bench.texts(&database, "select state from _migration_journal");
            if !open.is_empty() {
                (bench.migrate(&database, &[]).expect(3))
                    .says("was begun by a run that was killed")
                    .says("cargo xtask migrate --resume");
                assert_eq!(
                    bench.texts(&database, "select state from _migration_journal"),
                    open
                );
                bench
                    .migrate(&database, &["status"])
                    .expect(1)
                    .says("begun    ");
            }
            bench.migrate(&database, &["--resume"]).expect(0);
            assert_eq!(bench.digest(&database), undisturbed, "{name}:{nth}");
            bench
                .migrate(&database, &["--resume"])
                .expect(0)
                .says("nothing to apply");
        }
        let expected = if ["begun", "ran"].contains(&&**name) {
            3
        } else {
            7
        };
        assert_eq!(kills, expected, "{name}");
    }
}

/// Kills at moments that nobody chose: a fixed sequence over the length of a run.
#[test]
fn a_run_that_is_killed_at_any_moment_is_resumed() {
    const MOMENTS: u32 = 100;

    let Some(bench) = Bench::new() else { return };
    let undisturbed = bench.undisturbed();
    let whole = {
        let database = bench.database();
        let began = Instant::now();
        bench.migrate(&database, &[]).expect(0);
        began.elapsed()
    };
    let mut killed = 0;
    for moment in 0..MOMENTS {
        let database = bench.database();
        let mut child = (bench.command(&database, &[]))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // The golden ratio spreads them, whatever their number.
        let part = (f64::from(moment) * 0.618_033_988_749).fract();
        std::thread::sleep(whole.mul_f64(part));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
        bench.migrate(&database, &["--resume"]).expect(0);
        assert_eq!(
            bench.digest(&database),
            undisturbed,
            "after {part:.3} of a run"
        );
    }
    assert!(
        killed > MOMENTS / 2,
        "only {killed} were killed before their end"
    );
}

#[test]
fn of_several_migrators_one_applies_and_the_others_wait() {
    let Some(bench) = Bench::new() else { return };
    let undisturbed = bench.undisturbed();
    for several in [2, 4] {
        let database = bench.database();
        let children: Vec<_> = (0..several)
            .map(|_| {
                (bench.command(&database, &[]))
                    .stdout(Stdio::piped())
                    .stderr(Stdio::piped())
                    .spawn()
                    .unwrap()
            })
            .collect();
        let mut applied = 0;
        for child in children {
            let output = child.wait_with_output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let error = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(0), "{text}{error}");
            applied += usize::from(text.contains("ok    applied 7 of 7"));
        }
        assert_eq!(applied, 1);
        assert_eq!(bench.digest(&database), undisturbed);
    }
}

#[test]
fn a_migrator_gives_up_at_the_deadline() {
    let Some(bench) = Bench::new() else { return };
    bench
        .sandbox
        .append("xtask.toml", "[migrations]\nmigrator-lock-s = 1\n");
    let database = bench.database();
    bench.ask(&database, async |connection| {
        // sqlx's own lock: whoever migrates with it is waited for too.
        connection.lock().await.unwrap();
        (bench.migrate(&database, &[]).expect(75))
            .says("another migrator is at work")
            .says("holds the lock of");
        connection.unlock().await.unwrap();
    });
    assert_eq!(
        bench.texts(
            &database,
            "select relname::text from pg_class where relname = 'orders'"
        ),
        [""; 0]
    );
    bench.migrate(&database, &[]).expect(0);
}

#[test]
fn a_lock_that_is_not_had_is_asked_for_again() {
    let Some(bench) = Bench::new() else { return };
    bench.sandbox.append(
        "xtask.toml",
        "[migrations]\nlock-timeout-ms = 100\nlock-attempts = 4\n",
    );
    let database = bench.database();
    bench.migrate(&database, &[]).expect(0);
    bench.sandbox.write(
        "migrations/postgres/20260301000000_default.sql",
        "alter table orders alter column note set default 'none';\n",
    );
    bench.ask(&database, async |connection| {
        let mut transaction = connection.begin().await.unwrap();
        hold(&mut transaction).await;
        (bench.migrate(&database, &[]).expect(75))
            .says("attempt 3")
            .says("lock timeout, 4 times")
            .says("pg_stat_activity");
        transaction.rollback().await.unwrap();
    });
    // Held for a while only: a later attempt gets it.
    let mut waiting = bench.ask(&database, async |connection| {
        let mut transaction = connection.begin().await.unwrap();
        hold(&mut transaction).await;
        let waiting = bench.command(&database, &[]).stdout(Stdio::null()).spawn();
        tokio::time::sleep(Duration::from_millis(400)).await;
        transaction.rollback().await.unwrap();
        waiting.unwrap()
    });
    assert_eq!(waiting.wait().unwrap().code(), Some(0));
    assert_eq!(
        bench.texts(
            &database,
            "select column_default from information_schema.columns where column_name = 'note'"
        ),
        ["'none'::text"]
    );
}

async fn hold(connection: &mut PgConnection) {
    sqlx::raw_sql("lock table orders in access share mode")
        .execute(connection)
        .await
        .unwrap();
}

#[test]
fn an_index_that_cannot_be_built_is_not_left_invalid() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    let broken = "migrations/postgres/20260201000300_by_state.sql";
    let whole = bench.sandbox.read(broken);
    bench.sandbox.write(
        broken,
        "-- no-transaction\ncreate unique index concurrently orders_state on orders (state);",
    );
    (bench.migrate(&database, &[]).expect(1))
        .says("`migrations/postgres/20260201000300_by_state.sql`")
        .says("could not create unique index")
        .says("dropped what it left invalid: `orders_state`");
    let invalid = "select indexrelid::regclass::text from pg_index where not indisvalid";
    assert_eq!(bench.texts(&database, invalid), [""; 0]);
    assert_eq!(
        bench.texts(&database, "select state from _migration_journal"),
        [""; 0]
    );
    // No database has it, so it may be mended.
    bench.sandbox.write(broken, whole);
    bench.migrate(&database, &[]).expect(0);
    assert_eq!(bench.digest(&database), bench.undisturbed());
}

#[test]
fn if_not_exists_does_not_pass_over_an_invalid_index() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    let broken = "migrations/postgres/20260201000300_by_state.sql";
    bench.sandbox.write(
        broken,
        "-- no-transaction\ncreate unique index concurrently if not exists orders_state on orders (state);",
    );
    bench.migrate(&database, &[]).expect(1);
    // Somebody's own attempt left it.
    bench.ask(&database, async |connection| {
        sqlx::raw_sql("create unique index concurrently orders_state on orders (state)")
            .execute(connection)
            .await
            .unwrap_err();
    });
    (bench.migrate(&database, &[]).expect(1))
        .says("the index `orders_state` is INVALID")
        .says("DROP INDEX CONCURRENTLY orders_state");
    assert_eq!(
        bench.texts(&database, "select max(version)::text from _sqlx_migrations"),
        ["20260201000200"]
    );
}

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
fn line_endings_of_a_checkout_are_no_edit() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    bench.migrate(&database, &[]).expect(0);
    for (name, sql) in MIGRATIONS {
        let text = sql.replace('\n', "\r\n");
        bench
            .sandbox
            .write(&format!("migrations/postgres/{name}"), text);
    }
    bench
        .migrate(&database, &[])
        .expect(0)
        .says("nothing to apply");
}

/// A pooler that gives each transaction another session, as pgbouncer does in transaction mode.
mod pooler {
    use std::path::PathBuf;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream, UnixStream};

    /// Listens on a port of its own for as long as the runtime lives.
    pub(super) async fn start(socket: PathBuf) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client, socket.clone()));
            }
        });
        port
    }

    /// Ends with whichever side ends.
    async fn serve(mut client: TcpStream, socket: PathBuf) -> std::io::Result<()> {
        let length = client.read_i32().await?;
        let mut startup = length.to_be_bytes().to_vec();
        startup.resize(usize::try_from(length).unwrap(), 0);
        client.read_exact(&mut startup[4..]).await?;
        let mut servers = Vec::new();
        let mut greeting = Vec::new();
        for _ in 0..2 {
            let mut server = UnixStream::connect(&socket).await?;
            server.write_all(&startup).await?;
            greeting = until_ready(&mut server).await?;
            servers.push(server);
        }
        client.write_all(&greeting).await?;
        for turn in 0.. {
            let server = &mut servers[turn % 2];
            loop {
                let (kind, message) = message(&mut client).await?;
                server.write_all(&message).await?;
                // A simple query, or the end of an extended one.
                if kind == b'Q' || kind == b'S' {
                    break;
                }
            }
            client.write_all(&until_ready(server).await?).await?;
        }
        Ok(())
    }

    async fn message(
        from: &mut (impl tokio::io::AsyncRead + Unpin),
    ) -> std::io::Result<(u8, Vec<u8>)> {
        let kind = from.read_u8().await?;
        let length = from.read_i32().await?;
        let mut message = vec![kind];
        message.extend(length.to_be_bytes());
        message.resize(1 + usize::try_from(length).unwrap(), 0);
        from.read_exact(&mut message[5..]).await?;
        Ok((kind, message))
    }

    async fn until_ready(server: &mut UnixStream) -> std::io::Result<Vec<u8>> {
        let mut all = Vec::new();
        loop {
            let (kind, message) = message(server).await?;
            all.extend(message);
            if kind == b'Z' {
                return Ok(all);
            }
        }
    }
}

#[test]
fn a_pooler_in_transaction_mode_is_refused() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    let options: PgConnectOptions = database.url.parse().unwrap();
    let folder = options.get_socket().unwrap();
    let port = bench
        .tokio
        .block_on(pooler::start(folder.join(".s.PGSQL.5432")));
    let url = format!(
        "postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable",
        database.name
    );
    for args in [&[][..], &["plan"], &["status"], &["--resume"]] {
        let mut command = bench.command(&database, args);
        command
            .env("DATABASE_URL", &url)
            .env("DATABASE_SERVER_ID", format!("{}:5432", folder.display()));
        (run(command).expect(3))
            .says("is behind a pooler that gives each transaction another session");
    }
    assert_eq!(
        bench.texts(
            &database,
            "select to_regclass('_sqlx_migrations')::text is null || ''"
        ),
        ["true"]
    );
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

/// The statement would count a row twice if a batch were ever done twice.
#[test]
fn a_backfill_that_is_killed_goes_on_where_it_stopped() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    bench.migrate(&database, &[]).expect(0);
    bench.execute(
        &database,
        "alter table orders add column key uuid default gen_random_uuid()",
    );
    bench.sandbox.write(
        "migrations/backfills/postgres/add_one.sql",
        "-- backfill: orders (key)\nUPDATE orders SET total = total + 1 WHERE $batch\n",
    );
    let before: i64 = bench.texts(&database, "select sum(total)::text from orders")[0]
        .parse()
        .unwrap();
    let args = ["backfill", "add_one", "--rows", "250", "--pause-ms", "1"];
    let mut killed = 0;
    for moment in 1..20 {
        let mut child = (bench.command(&database, &args))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(40 + moment * 7));
        child.kill().unwrap();
        killed += u32::from(child.wait().unwrap().code().is_none());
    }
    assert!(killed > 2, "{killed}");
    (bench.migrate(&database, &args).expect(0)).says("ok    `add_one` has changed 20000 rows");
    (bench.migrate(&database, &args).expect(0)).says("ok    `add_one` has changed 20000 rows");
    let after: i64 = bench.texts(&database, "select sum(total)::text from orders")[0]
        .parse()
        .unwrap();
    assert_eq!(after - before, 20_000);
}

#[test]
fn a_backfill_that_cannot_be_walked_is_refused() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    bench.migrate(&database, &[]).expect(0);
    let file = "migrations/backfills/postgres/fill.sql";
    let backfill = || {
        bench.migrate(
            &database,
            &["backfill", "fill", "--rows", "7", "--pause-ms", "0"],
        )
    };
    backfill()
        .expect(3)
        .says("failed to read `migrations/backfills/postgres/fill.sql`");
    for (text, why) in [
        (
            "UPDATE orders SET total = 1 WHERE $batch",
            "does not say what it walks",
        ),
        (
            "-- backfill: orders (id)\nUPDATE orders SET total = 1",
            "needs `$batch` once",
        ),
        (
            "-- backfill: orders (id, state)\nUPDATE orders SET total = 1 WHERE $batch",
            "each a plain name",
        ),
        (
            "-- backfill: nowhere (id)\nUPDATE nowhere SET total = 1 WHERE $batch",
            "failed to read `nowhere.id`",
        ),
        (
            "-- backfill: orders (note)\nUPDATE orders SET total = 1 WHERE $batch",
            "`orders.note` has NULLs",
        ),
    ] {
        bench.sandbox.write(file, text);
        backfill().expect(3).says(why);
    }
    (bench.migrate(&database, &["backfill", "../x"]).expect(2)).says("no name of a backfill");

    // The batches before the refused one stay, and count.
    bench.execute(&database, "delete from _migration_backfill");
    bench.sandbox.write(
        file,
        "-- backfill: orders (id)\nUPDATE orders SET total = 1 / (id - 20) WHERE $batch",
    );
    (backfill().expect(1))
        .says("was refused after 14 rows: ")
        .says("division by zero");
    bench.sandbox.append(file, "\n");
    backfill()
        .expect(3)
        .says("was edited after it began, 14 rows ago");
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

#[test]
fn ctrl_c_ends_a_run_that_can_be_resumed() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    let ended = bench.ask(&database, async |connection| {
        // CONCURRENTLY waits for whoever still reads what was before.
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql("set transaction isolation level repeatable read; select 1")
            .execute(&mut *transaction)
            .await
            .unwrap();
        let child = (bench.command(&database, &[]))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while states(&database).await != ["begun"] {
            assert!(began.elapsed() < Duration::from_secs(30));
        }
        let pid = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let ended = child.wait_with_output().unwrap();
        transaction.rollback().await.unwrap();
        ended
    });
    let error = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(130), "{error}");
    bench.migrate(&database, &["--resume"]).expect(0);
    assert_eq!(bench.digest(&database), bench.undisturbed());
}

async fn states(database: &Database) -> Vec<String> {
    let mut connection = PgConnection::connect(&database.url).await.unwrap();
    let states = sqlx::query_scalar("select state from _migration_journal")
        .fetch_all(&mut connection)
        .await
        .unwrap_or_default();
    connection.close().await.unwrap();
    states
}

#[test]
fn a_schema_that_somebody_changed_by_hand_is_shown() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    let drift = |args: &[&str]| {
        let mut command = bench.sandbox.xtask_command(&["db", "drift"]);
        command.args(args).env("DATABASE_URL", &database.url);
        run(command)
    };
    drift(&[])
        .expect(0)
        .says("as its 0 applied migrations made it");
    bench.migrate(&database, &[]).expect(0);
    drift(&[])
        .expect(0)
        .says("as its 7 applied migrations made it");
    // What is pending is no drift.
    bench.sandbox.write(
        "migrations/postgres/20270101000000_later.sql",
        "create table later (id int);\n",
    );
    drift(&[]).expect(0);
    for (change, back, name) in [
        (
            "alter table orders alter column total drop not null",
            "alter table orders alter column total set not null",
            "-    total integer not null",
        ),
        (
            "create index by_hand on orders (total)",
            "drop index by_hand",
            "+CREATE INDEX by_hand",
        ),
        (
            "update pg_index set indisvalid = false where indexrelid = 'orders_state'::regclass",
            "update pg_index set indisvalid = true where indexrelid = 'orders_state'::regclass",
            "INVALID",
        ),
    ] {
        bench.execute(&database, change);
        drift(&[])
            .expect(1)
            .says(name)
            .says("write a migration that does the same");
        let json = drift(&["--format", "json"]).expect(1).json();
        assert!(json["diff"].as_str().unwrap().contains(name), "{json}");
        bench.execute(&database, back);
        drift(&[]).expect(0);
    }
}

#[test]
fn what_is_heavy_is_warned_of_outside_of_its_window() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    bench.migrate(&database, &[]).expect(0);
    bench.sandbox.write(
        "migrations/postgres/20270101000000_heavy.sql",
        "-- heavy: at night\ncreate index by_total on orders (total);\n",
    );
    let now = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC);
    let hours = |from: i64, to: i64| {
        let at = |hours| {
            let then = now
                .checked_add(jiff::SignedDuration::from_hours(hours))
                .unwrap();
            then.strftime("%H:%M").to_string()
        };
        let policy = format!("[migrations]\nheavy-window = \"{}-{}\"\n", at(from), at(to));
        bench.sandbox.write("xtask.toml", policy);
    };
    let warning = "`migrations/postgres/20270101000000_heavy.sql:2`";
    hours(-1, 1);
    let inside = bench.migrate(&database, &["plan"]);
    assert!(
        !inside.expect(0).stdout.contains("warn"),
        "{}",
        inside.stdout
    );
    hours(1, 2);
    (bench.migrate(&database, &["plan"]).expect(0))
        .says("warn  heavy, outside of ")
        .says(warning);
    (bench.migrate(&database, &[]).expect(0))
        .says("warn  heavy, outside of ")
        .says(warning);
}

/// Others build indexes too, and have temporary tables: what became of a statement is judged by the
/// index that it names.
#[test]
fn only_its_own_index_tells_whether_a_statement_was_done() {
    let Some(bench) = Bench::new() else { return };
    let undisturbed = bench.undisturbed();
    let database = bench.database();
    let mut command = bench.command(&database, &[]);
    command.env("XTASK_FAILPOINT", "begun:2");
    assert_eq!(run(command).code, None);
    let others = "create temporary table mine (id int primary key, t text);
        create table theirs (id int, t text); insert into theirs values (1), (1)";
    bench.ask(&database, async |connection| {
        sqlx::raw_sql(others)
            .execute(&mut *connection)
            .await
            .unwrap();
        sqlx::raw_sql("create unique index concurrently theirs_id on theirs (id)")
            .execute(&mut *connection)
            .await
            .unwrap_err();
        bench.migrate(&database, &["--resume"]).expect(0);
    });
    let invalid = "select indexrelid::regclass::text from pg_index where not indisvalid";
    assert_eq!(bench.texts(&database, invalid), ["theirs_id"]);
    bench.execute(&database, "drop table theirs");
    assert_eq!(bench.digest(&database), undisturbed);
}
