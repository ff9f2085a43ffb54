//! What is applied, when, and by whom.

use std::process::Stdio;
use std::time::Duration;

use sqlx::migrate::Migrate as _;
use sqlx::{Connection as _, PgConnection};

use super::{Bench, MIGRATIONS};
use crate::sandbox::{Ran, run, run_at_once};

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

#[test]
fn of_several_migrators_one_applies_and_the_others_wait() {
    let Some(bench) = Bench::new() else { return };
    let undisturbed = bench.undisturbed();
    for several in [2, 4] {
        let database = bench.database();
        let ran = run_at_once((0..several).map(|_| bench.command(&database, &[])));
        let applied = |ran: &&Ran| ran.expect(0).stdout.contains("ok    applied 7 of 7");
        assert_eq!(ran.iter().filter(applied).count(), 1);
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

#[test]
fn limits_that_no_server_knows_are_no_limits() {
    let Some(bench) = Bench::new() else { return };
    let max = i64::MAX;
    let policy = format!(
        "[migrations]\nmigrator-lock-s = {max}\nlock-timeout-ms = {max}\nstatement-timeout-s = {max}\nno-transaction-timeout-s = {max}\n"
    );
    bench.sandbox.append("xtask.toml", &policy);
    bench.migrate(&bench.database(), &[]).expect(0);
}

async fn hold(connection: &mut PgConnection) {
    sqlx::raw_sql("lock table orders in access share mode")
        .execute(connection)
        .await
        .unwrap();
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
