//! Files that end the migrator's transaction, which the lint did not read.

use super::Bench;

const FILE: &str = "migrations/postgres/20260301000000_long.sql";
const VERSION: &str = "20260301000000";

/// A bench whose policy lets a file pass that is too long for the lint, and such a file.
fn bench(sql: &str) -> Option<Bench> {
    let bench = Bench::new()?;
    let allow =
        format!("[[allow]]\nrule = \"migrations/text\"\npath = \"{FILE}\"\nreason = \"rows\"\n");
    bench.sandbox.append("xtask.toml", &allow);
    bench.sandbox.write(FILE, long(sql));
    Some(bench)
}

fn long(sql: &str) -> String {
    format!("{sql}{}", "-- much\n".repeat(150_000))
}

#[test]
fn a_file_that_ends_the_transaction_is_for_a_person_to_look_at() {
    for (sql, why) in [
        (
            "create table x (i int); commit; create table y (i int);\n",
            "",
        ),
        (
            "create table x (i int); commit; begin; create table y (i int);\n",
            "",
        ),
        (
            "create table x (i int); commit and chain; create table y (i int);\n",
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
    ] {
        let Some(bench) = bench(sql) else { return };
        let database = bench.database();
        (bench.migrate(&database, &[]).expect(1))
            .says(FILE)
            .says("ended the transaction that it runs in")
            .says(why)
            .says(&format!("--done {VERSION}"));
        let recorded = "select max(version)::text from _sqlx_migrations";
        assert_eq!(
            bench.texts(&database, recorded),
            ["20260201000500"],
            "{sql}"
        );
        let open = "select version || state from _migration_journal";
        assert_eq!(bench.texts(&database, open), [format!("{VERSION}begun")]);
        bench.migrate(&database, &[]).expect(3);
        (bench.migrate(&database, &["--resume"]).expect(3)).says(&format!("--undone {VERSION}"));

        let undone = ["--resume", "--undone", VERSION];
        (bench.migrate(&database, &undone).expect(1)).says("was not sent again");
        assert_eq!(bench.texts(&database, open), [""; 0]);
        bench.execute(&database, "drop table x");
        bench.sandbox.write(FILE, long("create table x (i int);\n"));
        bench.migrate(&database, &[]).expect(0);
        assert_eq!(bench.texts(&database, recorded), [VERSION]);
    }
}

#[test]
fn a_file_that_ended_the_transaction_may_be_called_done() {
    let Some(bench) = bench("create table x (i int); commit;\n") else {
        return;
    };
    let database = bench.database();
    bench.migrate(&database, &[]).expect(1);
    bench
        .migrate(&database, &["--resume", "--done", VERSION])
        .expect(0);
    bench
        .migrate(&database, &[])
        .expect(0)
        .says("nothing to apply");
}

/// One that fails by itself is still undone by the database, and may be mended.
#[test]
fn a_long_file_that_fails_leaves_nothing() {
    let Some(bench) = bench("create table x (i int); create table x (i int);\n") else {
        return;
    };
    let database = bench.database();
    (bench.migrate(&database, &[]).expect(1)).says("nothing of this migration is left");
    bench.sandbox.write(
        FILE,
        "set transaction isolation level serializable;\ncreate table x (i int);\n",
    );
    bench.migrate(&database, &[]).expect(0);
}
