//! Killed at each state of the journal, at any moment, and by Ctrl-C.

use std::process::Stdio;
use std::time::{Duration, Instant};

use pgscratch::Database;
use sqlx::{Connection as _, PgConnection};

use super::Bench;
use crate::sandbox::run;

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
