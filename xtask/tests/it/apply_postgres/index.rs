//! Indexes that are built outside of a transaction, and what is left of them.

use super::Bench;
use crate::sandbox::run;

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
