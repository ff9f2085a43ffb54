//! `cargo xtask migrate backfill`.

use std::process::Stdio;
use std::time::Duration;

use sqlx::Connection as _;

use super::Bench;

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

#[test]
fn a_backfill_asks_again_for_a_lock_and_gives_up() {
    let Some(bench) = Bench::new() else { return };
    bench.sandbox.append(
        "xtask.toml",
        "[migrations]\nlock-timeout-ms = 100\nlock-attempts = 2\n",
    );
    let database = bench.database();
    bench.migrate(&database, &[]).expect(0);
    bench.sandbox.write(
        "migrations/backfills/postgres/fill.sql",
        "-- backfill: orders (id)\nUPDATE orders SET note = 'x' WHERE $batch\n",
    );
    let args = ["backfill", "fill", "--rows", "20000", "--pause-ms", "0"];
    bench.ask(&database, async |connection| {
        let mut transaction = connection.begin().await.unwrap();
        sqlx::raw_sql("lock table orders in share mode")
            .execute(&mut *transaction)
            .await
            .unwrap();
        (bench.migrate(&database, &args).expect(75))
            .says("was refused after 0 rows")
            .says("lock timeout");
        transaction.rollback().await.unwrap();
    });
    (bench.migrate(&database, &args).expect(0)).says("ok    `fill` has changed 20000 rows");
}
