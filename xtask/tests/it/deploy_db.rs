//! The database is deployed in three steps, first to staging, then to production.

mod postgres {
    use std::io::{BufRead as _, BufReader, Write as _};
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::process::Stdio;

    use xshell::cmd;

    use crate::production::{Env, Production, assert_only_reads};
    use crate::sandbox::Ran;

    /// Two files of one version, committed and tagged.
    fn release(at: &Production, tag: &str, file: &str, sql: &str) {
        for engine in ["postgres", "sqlite"] {
            at.sandbox
                .write(&format!("migrations/{engine}/{file}"), sql);
        }
        at.sandbox.commit(tag);
        let sh = &at.sandbox.sh;
        cmd!(sh, "git tag {tag}").quiet().run().unwrap();
    }

    /// The lines that a deployment says at its steps, without what goes with the run.
    fn steps(stdout: &str) -> Vec<&str> {
        let is_step = |line: &&str| line.starts_with("[STEP") || line.starts_with("stopped");
        stdout.lines().filter(is_step).collect()
    }

    const STEPS: [&str; 3] = [
        "[STEP 1/3] verify",
        "[STEP 2/3] backup",
        "[STEP 3/3] migrate",
    ];

    const CHECKS: [&str; 5] = ["guards", "env", "connection", "migrations", "schema"];

    #[test]
    fn staging_then_production_with_the_receipt() {
        let Some(at) = Production::new() else { return };
        let staging = at.staging();
        at.xtask(&["db", "mark", "staging"], &staging).expect(0);
        let deployed = at.xtask(&["deploy", "db"], &staging);
        deployed.expect(0).says("applied 1 of 1 migration");
        assert_eq!(steps(&deployed.stdout), STEPS);
        let ok = (deployed.stdout.lines()).filter_map(|line| line.strip_prefix("ok    "));
        let ok: Vec<&str> = ok.map(|line| line.split(' ').next().unwrap()).collect();
        assert_eq!(ok[..5], CHECKS);

        let receipt = deployed
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("receipt "));
        let production = at.production(receipt.unwrap());
        at.xtask(&["db", "mark", "prod"], &production).expect(0);
        let deployed = at.xtask(&["deploy", "db"], &production);
        deployed.expect(0).says("applied 1 of 1 migration");
        assert_eq!(steps(&deployed.stdout), STEPS);
        assert!(!deployed.stdout.contains("receipt "), "{}", deployed.stdout);
        at.xtask(&["deploy", "db"], &production)
            .expect(0)
            .says("nothing to apply");

        // The next release, by the receipt of its own deployment alone, and step by step.
        release(
            &at,
            "v0.2.0-rc.1",
            "20990101000000_more.sql",
            "create table more (id integer);\n",
        );
        let early = at.xtask(&["deploy", "db"], &production);
        early
            .expect(3)
            .says("staging has not applied, or not with this text: 20990101000000");
        assert_eq!(
            steps(&early.stdout),
            [
                STEPS[0],
                "stopped in step 1/3, exit code 3: database unchanged"
            ]
        );
        let deployed = at.xtask(&["deploy", "db"], &staging);
        let receipt = deployed
            .expect(0)
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("receipt "));
        let production = at.production(receipt.unwrap());
        at.xtask(&["migrate", "apply"], &production)
            .expect(3)
            .says("`production` is migrated with a verified backup");
        at.xtask(&["db", "backup"], &production).expect(0);
        let of_staging = at.newest_backup("staging");
        at.xtask(&["migrate", "apply", "--backup", &of_staging], &production)
            .expect(3);
        assert!(!at.tables("kitchen").contains(&"more".to_owned()));
        let backup = at.newest_backup("prod");
        at.xtask(&["migrate", "apply", "--backup", &backup], &production)
            .expect(0)
            .says("applied 1 of 2 migrations");
        assert!(at.tables("kitchen").contains(&"more".to_owned()));
    }

    /// What makes a check red, and what it then says.
    struct Red {
        check: &'static str,
        spoil: fn(&Production, &mut Env),
        mend: fn(&Production),
        code: i32,
        says: &'static str,
    }

    const RED: &[Red] = &[
        Red {
            check: "guards",
            spoil: |at, _| at.sandbox.write("new.txt", "new"),
            mend: |at| std::fs::remove_file(at.sandbox.dir.join("new.txt")).unwrap(),
            code: 3,
            says: "clean-tree: the work tree differs from its commit: `new.txt`",
        },
        Red {
            check: "env",
            spoil: |_, env| drop(env.remove("WEB_KEY")),
            mend: |_| {},
            code: 3,
            says: "not set, and demanded by the apps in `staging`: WEB_KEY",
        },
        Red {
            check: "env",
            spoil: |_, env| drop(env.insert("RECEIPT_PRIVATE_KEY", "short".to_owned())),
            mend: |_| {},
            code: 3,
            says: "RECEIPT_PRIVATE_KEY is not 32 bytes in hexadecimal",
        },
        Red {
            check: "connection",
            spoil: |at, _| {
                at.sql(
                    "postgres",
                    "alter database kitchen_staging set default_transaction_read_only = on",
                );
            },
            mend: |at| {
                at.sql(
                    "postgres",
                    "alter database kitchen_staging reset default_transaction_read_only",
                );
            },
            code: 3,
            says: "are read-only (default_transaction_read_only)",
        },
        Red {
            check: "migrations",
            spoil: |at, _| {
                at.sql(
                    "kitchen_staging",
                    "update _sqlx_migrations set checksum = checksum || '\\x00'",
                );
            },
            mend: |at| {
                at.sql(
                    "kitchen_staging",
                    "update _sqlx_migrations set checksum = substring(checksum for 48)",
                );
            },
            code: 1,
            says: "was edited after it was applied",
        },
        Red {
            check: "migrations",
            spoil: |at, _| {
                at.sql(
                    "kitchen_staging",
                    "insert into _migration_journal (version, checksum, state, before)
                    select version, checksum, 'begun', '' from _sqlx_migrations",
                );
            },
            mend: |at| {
                at.sql("kitchen_staging", "delete from _migration_journal");
            },
            code: 1,
            says: "was begun by a run that was killed",
        },
        Red {
            check: "schema",
            spoil: |at, _| {
                at.sql(
                    "kitchen_staging",
                    "alter table env_marker add column by_hand text",
                );
            },
            mend: |at| {
                at.sql(
                    "kitchen_staging",
                    "alter table env_marker drop column by_hand",
                );
            },
            code: 1,
            says: "by_hand text",
        },
    ];

    #[test]
    fn each_check_alone_stops_the_deployment_before_anything_is_written() {
        let Some(at) = Production::new() else { return };
        at.deployed_to_staging();
        let all = at.staging();
        for red in RED {
            let mut env = all.clone();
            (red.spoil)(&at, &mut env);
            let sent = at.sent(|| {
                let alone = at.xtask(&["predeploy", red.check], &env);
                alone.expect(red.code).says(red.says);
                let deploy = at.xtask(&["deploy", "db"], &env);
                deploy.expect(red.code).says(red.says);
                let stopped = format!(
                    "stopped in step 1/3, exit code {}: database unchanged",
                    red.code
                );
                assert_eq!(steps(&deploy.stdout), [STEPS[0], &stopped]);
            });
            assert_only_reads(&sent);
            (red.mend)(&at);
        }
        let sent = at.sent(|| {
            let all = at.xtask(&["predeploy", "--format", "json"], &all);
            let names: Vec<String> = (all.expect(0).stdout.lines())
                .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
                .map(|check| check["check"].as_str().unwrap().to_owned())
                .collect();
            assert_eq!(names, CHECKS);
        });
        assert!(sent.len() > 5, "{sent:?}");
        assert_only_reads(&sent);
    }

    #[test]
    fn the_guards_are_asked_again_at_each_step() {
        let Some(at) = Production::new() else { return };
        // The copy lies in the checkout, which is then no longer what was tagged.
        let policy = "\n[backup]\nupload = [\"cp\", \"{file}\", \"copy.dump\"]\ndownload = [\"cp\", \"copy.dump\", \"{file}\"]\n";
        at.sandbox.append("xtask.toml", policy);
        at.sandbox.commit("upload backups");
        let staging = at.staging();
        at.xtask(&["db", "mark", "staging"], &staging).expect(0);
        let deploy = at.xtask(&["deploy", "db"], &staging);
        deploy
            .expect(3)
            .says("clean-tree: the work tree differs from its commit");
        assert_eq!(steps(&deploy.stdout)[..3], STEPS);
        assert_eq!(at.tables("kitchen_staging"), ["_env_marker"]);
    }

    /// Runs `migrate apply` in staging and does `act` when its guards have held: the manifest that it
    /// reads then is a pipe.
    fn apply_with(at: &Production, act: impl FnOnce()) -> Ran {
        let manifest = at.newest_backup("staging");
        let pipe = manifest.replace(".json", ".pipe");
        let sh = &at.sandbox.sh;
        cmd!(sh, "mkfifo {pipe}").quiet().run().unwrap();
        let mut command = (at.sandbox).xtask_command(&["migrate", "apply", "--backup", &pipe]);
        command.envs(at.staging());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut writer = std::fs::OpenOptions::new();
        writer.write(true);
        writer.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        // It can be opened once there is a reader.
        while child.try_wait().unwrap().is_none() {
            if let Ok(mut writer) = writer.open(&pipe) {
                act();
                writer
                    .write_all(&std::fs::read(&manifest).unwrap())
                    .unwrap();
                break;
            }
        }
        std::fs::remove_file(pipe).unwrap();
        Ran::from(child.wait_with_output().unwrap())
    }

    #[test]
    fn only_what_the_guards_were_asked_about_is_applied() {
        let Some(at) = Production::new() else { return };
        at.deployed_to_staging();
        let (file, more) = (
            "20990101000000_more.sql",
            "create table more (id integer);\n",
        );
        release(&at, "v0.2.0", file, more);
        let file = format!("migrations/postgres/{file}");
        let edited = apply_with(&at, || {
            at.sandbox
                .append(&file, "create table later (id integer);\n");
        });
        edited
            .expect(3)
            .says("files or database have changed since");
        at.sandbox.write(&file, more);

        let later = "migrations/postgres/20990101000001_later.sql";
        let added = apply_with(&at, || {
            at.sandbox
                .write(later, "create table later (id integer);\n");
        });
        added.expect(3).says("files or database have changed since");
        std::fs::remove_file(at.sandbox.dir.join(later)).unwrap();
        let tables = at.tables("kitchen_staging");
        let has = |name: &str| tables.iter().any(|table| table == name);
        assert!(!has("more") && !has("later"), "{tables:?}");

        apply_with(&at, || {})
            .expect(0)
            .says("applied 1 of 2 migrations");
    }

    #[test]
    fn a_migration_that_git_ignores_is_refused_by_name() {
        let Some(at) = Production::new() else { return };
        at.deployed_to_staging();
        let file = "migrations/postgres/20990101000000_hidden.sql";
        at.sandbox.write(".git/info/exclude", "*_hidden.sql\n");
        at.sandbox
            .write(file, "create table hidden (id integer);\n");
        let why = format!("`{file}` is ignored by git");
        let staging = at.staging();
        (at.xtask(&["deploy", "db"], &staging).expect(1)).says(&why);
        let backup = at.newest_backup("staging");
        at.xtask(&["migrate", "apply", "--backup", &backup], &staging)
            .expect(3)
            .says(&why);
        let tables = at.tables("kitchen_staging");
        assert!(!tables.contains(&"hidden".to_owned()), "{tables:?}");
        // What was added all the same is part of the commit.
        let sh = &at.sandbox.sh;
        cmd!(sh, "git add --force {file}").quiet().run().unwrap();
        at.sandbox
            .write("migrations/sqlite/20990101000000_hidden.sql", "select 1;\n");
        cmd!(
            sh,
            "git add --force migrations/sqlite/20990101000000_hidden.sql"
        )
        .quiet()
        .run()
        .unwrap();
        at.sandbox.commit("not hidden");
        at.xtask(&["deploy", "db"], &staging).expect(0);
    }

    /// What the first step has seen is no ground for the second.
    #[test]
    fn the_guards_are_asked_again_before_the_backup() {
        let Some(at) = Production::new() else { return };
        let staging = at.staging();
        at.xtask(&["db", "mark", "staging"], &staging).expect(0);
        let mut command = at.sandbox.xtask_command(&["deploy", "db"]);
        command.envs(&staging);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            // Four checks are still to come, and none of them looks at the tree.
            if line.starts_with("ok    guards") {
                at.sandbox.write("new.txt", "new");
            }
            said += &line;
            said.push('\n');
        }
        let ended = Ran::from(child.wait_with_output().unwrap());
        ended.expect(3).says("clean-tree: the work tree differs");
        let stopped = "stopped in step 2/3, exit code 3: database unchanged";
        assert_eq!(steps(&said), [STEPS[0], STEPS[1], stopped]);
        assert!(!at.sandbox.dir.join("data/backups").exists());
    }

    #[test]
    fn without_a_backup_nothing_is_migrated() {
        let Some(at) = Production::new() else { return };
        let mut staging = at.staging();
        at.xtask(&["db", "mark", "staging"], &staging).expect(0);
        staging.insert("BACKUP_DIR", "/proc/nowhere".to_owned());
        let deploy = at.xtask(&["deploy", "db"], &staging);
        deploy.expect(3).says("/proc/nowhere");
        let stopped = "stopped in step 2/3, exit code 3: database unchanged";
        assert_eq!(steps(&deploy.stdout), [STEPS[0], STEPS[1], stopped]);
        assert_eq!(at.tables("kitchen_staging"), ["_env_marker"]);
    }

    #[test]
    fn a_migration_that_fails_leaves_what_was_applied_before_it_and_no_receipt() {
        let Some(at) = Production::new() else { return };
        let staging = at.staging();
        at.xtask(&["db", "mark", "staging"], &staging).expect(0);
        let fails = "create table half (id integer);\ninsert into half select 1 / (id - 1) from half union select 1 / 0;\n";
        release(&at, "v0.2.0", "20990101000000_fails.sql", fails);
        let deploy = at.xtask(&["deploy", "db"], &staging);
        deploy.expect(1).says("division by zero");
        let stopped = "stopped in step 3/3, exit code 1: what was applied before stays; cargo xtask migrate status shows it";
        assert_eq!(steps(&deploy.stdout), [&STEPS[..], &[stopped]].concat());
        assert!(!deploy.stdout.contains("receipt "), "{}", deploy.stdout);
        let tables = at.tables("kitchen_staging");
        assert!(tables.contains(&"env_marker".to_owned()), "{tables:?}");
        assert!(!tables.contains(&"half".to_owned()), "{tables:?}");
    }

    #[test]
    fn a_backfill_stands_behind_guards_and_backup_as_a_migration_does() {
        let Some(at) = Production::new() else { return };
        at.sandbox.write(
            "migrations/backfills/postgres/words.sql",
            "-- backfill: env_marker (id)\nUPDATE env_marker SET env = 'new' WHERE $batch\n",
        );
        at.sandbox.commit("a backfill");
        at.deployed_to_staging();
        at.sql(
            "kitchen_staging",
            "insert into env_marker (id, env) values (1, 'old')",
        );
        let env = at.staging();
        let sent = at.sent(|| {
            at.xtask(&["migrate", "backfill", "words"], &env)
                .expect(3)
                .says("`staging` is migrated with a verified backup");
        });
        assert_only_reads(&sent);
        let backup = at.newest_backup("staging");
        at.sandbox.write(
            "migrations/backfills/postgres/hidden.sql",
            "-- backfill: env_marker (id)\nUPDATE env_marker SET env = 'bad' WHERE $batch\n",
        );
        at.sandbox.write(".git/info/exclude", "hidden.sql\n");
        at.xtask(
            &["migrate", "backfill", "hidden", "--backup", &backup],
            &env,
        )
        .expect(3)
        .says("`migrations/backfills/postgres/hidden.sql` is ignored by git");
        at.xtask(&["migrate", "backfill", "words", "--backup", &backup], &env)
            .expect(0)
            .says("`words` has changed 1 rows");
        let words = at.sql("kitchen_staging", "select env from env_marker");
        assert_eq!(words, ["new"]);
    }

    #[test]
    fn a_plan_that_is_not_the_one_is_not_applied() {
        let Some(at) = Production::new() else { return };
        let staging = at.staging();
        at.xtask(&["db", "mark", "staging"], &staging).expect(0);
        let deploy = at.xtask(&["deploy", "db", "--plan-hash", "0123456789"], &staging);
        deploy
            .expect(3)
            .says("not `0123456789`: files or database have changed since");
        assert_eq!(at.tables("kitchen_staging"), ["_env_marker"]);
        let plan = at.xtask(&["migrate", "plan", "--format", "json"], &staging);
        let hash = plan.expect(0).json()["plan_hash"]
            .as_str()
            .unwrap()
            .to_owned();
        at.xtask(&["deploy", "db", "--plan-hash", &hash], &staging)
            .expect(0);
    }
}

#[test]
fn a_local_file_is_deployed_to_in_the_same_steps() {
    use crate::sandbox::Sandbox;

    let sandbox = Sandbox::new();
    let env = [("WEB_KEY", "a key"), ("DATABASE_URL", "sqlite://local.db")];
    std::fs::write(sandbox.dir.join("local.db"), "").unwrap();
    sandbox.xtask_with(&["db", "mark", "dev"], &env).expect(0);
    let deployed = sandbox.xtask_with(&["deploy", "db"], &env);
    deployed
        .expect(0)
        .says("[STEP 3/3] migrate")
        .says("applied 1 of 1 migration");
}
