//! What a session has of its role, its database or an earlier file.

use super::Bench;
use crate::sandbox::run;

#[test]
fn a_search_path_that_is_empty_is_no_obstacle() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    let mut command = bench.command(&database, &[]);
    let with = if database.url.contains('?') { '&' } else { '?' };
    let url = format!("{}{with}options=-c%20search_path%3D", database.url);
    command.env("DATABASE_URL", url);
    run(command).expect(0);
    assert_eq!(bench.digest(&database), bench.undisturbed());
}

#[test]
fn what_a_file_sets_does_not_reach_the_next_one() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    for (version, sql) in [
        (
            "20260301000000",
            "create schema office;\nset schema 'office';\nset work_mem = '123MB';\n",
        ),
        (
            "20260301000100",
            "create table t as select current_setting('work_mem') as mem;\n",
        ),
        ("20260301000200", "set schema 'office';\n"),
        (
            "20260301000300",
            "-- no-transaction\ncreate index concurrently t_mem on t (mem);\n",
        ),
    ] {
        let file = format!("migrations/postgres/{version}_x.sql");
        bench.sandbox.write(&file, sql);
    }
    bench.migrate(&database, &[]).expect(0);
    assert_eq!(bench.texts(&database, "select mem from public.t"), ["4MB"]);
    let index = "select to_regclass('public.t_mem')::text";
    assert_eq!(bench.texts(&database, index), ["t_mem"]);
}
