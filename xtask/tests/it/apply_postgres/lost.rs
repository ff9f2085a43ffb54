//! Connections that are not what they seem, or break at the worst moment.

use super::Bench;
use super::proxy::Does;
use crate::sandbox::run;

#[test]
fn a_pooler_in_transaction_mode_is_refused() {
    let Some(bench) = Bench::new() else { return };
    let database = bench.database();
    let through = bench.through(Does::Pool, &database);
    for args in [
        &["migrate"][..],
        &["migrate", "plan"],
        &["migrate", "status"],
        &["migrate", "--resume"],
        &["migrate", "guard"],
        &["predeploy", "connection"],
        &["predeploy", "migrations"],
        &["db", "backup"],
        &["db", "mark", "dev"],
        &["db", "roles"],
    ] {
        let mut command = bench.sandbox.xtask_command(args);
        command.envs(through.clone());
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
    assert!(!bench.sandbox.dir.join("data/backups").exists());
}

/// The client cannot tell the two apart; the database can, once it is asked again.
#[test]
fn a_commit_whose_answer_is_lost_is_unknown_and_resumed() {
    let Some(bench) = Bench::new() else { return };
    let undisturbed = bench.undisturbed();
    for (does, status) in [
        (Does::LoseCommit, "7 migrations, 7 pending"),
        (Does::LoseAnswer, "7 migrations, 6 pending"),
    ] {
        let database = bench.database();
        let mut command = bench.command(&database, &[]);
        command.envs(bench.through(does, &database));
        (run(command).expect(1))
            .says("whether it was committed is not known")
            .says("once the database answers again: cargo xtask migrate status");
        (bench.migrate(&database, &["status"]).expect(0)).says(status);
        bench.migrate(&database, &["--resume"]).expect(0);
        assert_eq!(bench.digest(&database), undisturbed, "{does:?}");
    }
}
