//! The lock of production: each condition alone keeps it shut, and all together open it. And who
//! may say whose a database is.

use crate::sandbox::{Ran, Sandbox};

#[test]
fn dev_is_said_of_no_database_with_tables_of_somebody() {
    let sandbox = Sandbox::new();
    let file = sandbox.dir.join("theirs.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let theirs = [("DATABASE_URL", &*url)];
    sqlite(&url, "create table customers (id integer)").unwrap();
    let mark = |args: &[&str], env: &[(&str, &str)]| -> Ran {
        sandbox.xtask_with(&[&["db", "mark", "dev"], args].concat(), env)
    };
    mark(&[], &theirs)
        .expect(3)
        .says("has tables, and no marker")
        .says("help: ");
    // Somebody else's migrations made it, or nobody's.
    let migrated = "create table _sqlx_migrations (version bigint primary key, description text,
            installed_on text, success boolean, checksum blob, execution_time bigint);
        insert into _sqlx_migrations values (20200101000000, 'x', '', true, x'00', 1)";
    for sql in ["select 1", migrated] {
        sqlite(&url, sql).unwrap();
        mark(&["--adopt"], &theirs)
            .expect(3)
            .says("was not made by the migrations of this repository");
    }
    assert!(sqlite(&url, "select env from _env_marker").is_err());

    // What was migrated before there were markers is adopted.
    sandbox.xtask(&["setup"]).expect(0);
    let ours = format!("sqlite://{}", sandbox.dir.join("data/local.db").display());
    sqlite(&ours, "drop table _env_marker").unwrap();
    mark(&[], &[]).expect(3).says("db mark dev --adopt");
    mark(&["--adopt"], &[]).expect(0).says("done  marked `dev`");
    sandbox.xtask(&["migrate"]).expect(0);
}

fn sqlite(url: &str, sql: &str) -> Result<(), String> {
    use sqlx::Connection as _;
    let tokio = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    tokio.block_on(async {
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        let done = sql.execute(&mut connection).await.map(drop);
        connection.close().await.unwrap();
        done.map_err(|error| error.to_string())
    })
}

mod postgres {
    use std::path::PathBuf;

    use serde_json::Value;
    use xshell::cmd;

    use crate::production::{Env, Production, assert_only_reads};

    /// One condition that is false, all others true.
    struct Case {
        name: &'static str,
        spoil: fn(&Production, &mut Env),
        /// Puts back what was changed outside of the variables.
        mend: fn(&Production),
        /// The guards that do not hold then: one, and those that need what it demands.
        guards: &'static [&'static str],
        says: &'static str,
    }

    const NOTHING: fn(&Production) = |_| {};

    const CASES: &[Case] = &[
        Case {
            name: "no pipeline",
            spoil: |_, env| drop(env.remove("CI")),
            mend: NOTHING,
            guards: &["ci"],
            says: "CI is not `true`",
        },
        Case {
            name: "staging's APP_ENV on production",
            spoil: |_, env| drop(env.insert("APP_ENV", "staging".to_owned())),
            mend: NOTHING,
            guards: &["app-env"],
            says: "APP_ENV is `staging`, and `production` is meant",
        },
        Case {
            name: "nobody confirmed",
            spoil: |_, env| drop(env.insert("CONFIRM_PROD_MIGRATE", "yes".to_owned())),
            mend: NOTHING,
            guards: &["confirm"],
            says: "CONFIRM_PROD_MIGRATE is not `YES`",
        },
        Case {
            name: "no URL",
            spoil: |_, env| drop(env.remove("DATABASE_URL")),
            mend: NOTHING,
            guards: &["database-url", "marker", "staging-receipt"],
            says: "DATABASE_URL is not set in the environment",
        },
        Case {
            name: "the pipeline of staging",
            spoil: |_, env| drop(env.insert("DEPLOY_ENV", "staging".to_owned())),
            mend: NOTHING,
            guards: &["deploy-env"],
            says: "DEPLOY_ENV is `staging`, and `production` is meant",
        },
        Case {
            name: "staging's database",
            spoil: |at, env| drop(env.insert("DATABASE_URL", at.url("kitchen_staging"))),
            mend: NOTHING,
            guards: &["marker"],
            says: "it is marked `staging`, `prod` is expected",
        },
        Case {
            name: "a missing marker",
            spoil: |at, env| {
                at.sql("postgres", "create database unmarked");
                env.insert("DATABASE_URL", at.url("unmarked"));
            },
            mend: NOTHING,
            guards: &["marker"],
            says: "it has no environment marker, `prod` is expected",
        },
        Case {
            name: "a cloned copy",
            spoil: |at, env| {
                at.sql("postgres", "create database copy template kitchen");
                env.insert("DATABASE_URL", at.url("copy"));
            },
            mend: NOTHING,
            guards: &["marker"],
            says: "it is a copy: it was marked `prod`",
        },
        Case {
            name: "a marker edited by hand",
            spoil: |at, env| {
                at.sql(
                    "postgres",
                    "create database edited template kitchen_staging",
                );
                at.sql(
                    "edited",
                    "update _env_marker set env = 'prod', database_name = 'edited'",
                );
                env.insert("DATABASE_URL", at.url("edited"));
            },
            mend: NOTHING,
            guards: &["marker"],
            says: "its environment marker was edited by hand",
        },
        Case {
            name: "SQLite",
            spoil: |_, env| drop(env.insert("DATABASE_URL", "sqlite://data/local.db".to_owned())),
            mend: NOTHING,
            guards: &["marker", "staging-receipt"],
            says: "DATABASE_URL is SQLite, which is refused in `production`",
        },
        Case {
            name: "an edited file",
            spoil: |at, _| at.sandbox.append("README.md", "edited\n"),
            mend: |at| git(at, &["checkout", "--quiet", "README.md"]),
            guards: &["clean-tree"],
            says: "the work tree differs from its commit",
        },
        Case {
            name: "an untracked file",
            spoil: |at, _| at.sandbox.write("new.txt", "new"),
            mend: |at| std::fs::remove_file(at.sandbox.dir.join("new.txt")).unwrap(),
            guards: &["clean-tree"],
            says: "the work tree differs from its commit",
        },
        Case {
            name: "no release",
            spoil: |at, _| git(at, &["tag", "--delete", "v0.1.0"]),
            mend: |at| git(at, &["tag", "v0.1.0"]),
            guards: &["release-tag"],
            says: "HEAD has no release tag",
        },
        Case {
            name: "no receipt",
            spoil: |_, env| drop(env.remove("STAGING_RECEIPT")),
            mend: NOTHING,
            guards: &["staging-receipt"],
            says: "STAGING_RECEIPT is not set",
        },
        Case {
            name: "a receipt that is not there",
            spoil: |_, env| drop(env.insert("STAGING_RECEIPT", "/nowhere.json".to_owned())),
            mend: NOTHING,
            guards: &["staging-receipt"],
            says: "failed to read the staging receipt `/nowhere.json`",
        },
        Case {
            name: "a receipt edited by hand",
            spoil: |at, env| {
                let text = std::fs::read_to_string(&env["STAGING_RECEIPT"]).unwrap();
                let edited = edited_receipt(at);
                let other = text.replacen("\\\"version\\\":2026", "\\\"version\\\":2027", 1);
                assert_ne!(other, text);
                std::fs::write(&edited, other).unwrap();
                env.insert("STAGING_RECEIPT", edited.display().to_string());
            },
            mend: |at| std::fs::remove_file(edited_receipt(at)).unwrap(),
            guards: &["staging-receipt"],
            says: "its signature does not fit",
        },
        Case {
            name: "the key of somebody else",
            spoil: |_, env| drop(env.insert("RECEIPT_PUBLIC_KEY", "11".repeat(32))),
            mend: NOTHING,
            guards: &["staging-receipt"],
            says: "its signature does not fit",
        },
        Case {
            name: "no key",
            spoil: |_, env| drop(env.insert("RECEIPT_PUBLIC_KEY", "secret?".to_owned())),
            mend: NOTHING,
            guards: &["staging-receipt"],
            says: "RECEIPT_PUBLIC_KEY is not 32 bytes in hexadecimal",
        },
        Case {
            name: "a migration that staging has not",
            spoil: |at, _| {
                for engine in ["postgres", "sqlite"] {
                    let file = format!("migrations/{engine}/20990101000000_more.sql");
                    at.sandbox.write(&file, "create table more (id integer);\n");
                }
                at.sandbox.commit("more");
                git(at, &["tag", "v0.2.0"]);
            },
            mend: |at| {
                git(at, &["tag", "--delete", "v0.2.0"]);
                git(at, &["reset", "--quiet", "--hard", "HEAD~"]);
            },
            guards: &["staging-receipt"],
            says: "staging has not applied, or not with this text: 20990101000000",
        },
        Case {
            name: "a migration that staging has with another text",
            spoil: |at, _| {
                let file = "migrations/postgres/20260101000000_env_marker.sql";
                at.sandbox.append(file, "drop table env_marker;\n");
                at.sandbox.commit("edited");
                git(at, &["tag", "v0.2.0"]);
            },
            mend: |at| {
                git(at, &["tag", "--delete", "v0.2.0"]);
                git(at, &["reset", "--quiet", "--hard", "HEAD~"]);
            },
            guards: &["staging-receipt"],
            says: "staging has not applied, or not with this text: 20260101000000",
        },
    ];

    fn git(at: &Production, args: &[&str]) {
        let sh = &at.sandbox.sh;
        cmd!(sh, "git {args...}")
            .quiet()
            .ignore_stdout()
            .run()
            .unwrap();
    }

    fn edited_receipt(at: &Production) -> PathBuf {
        at.sandbox.dir.with_extension("edited.json")
    }

    /// The guards that do not hold.
    fn open(shown: &Value) -> Vec<&str> {
        let guards = shown["guards"].as_array().unwrap().iter();
        let open = guards.filter(|guard| guard["held"] == false);
        open.map(|guard| guard["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn each_condition_alone_keeps_production_locked_and_all_together_open_it() {
        let Some(at) = Production::new() else { return };
        let receipt = at.deployed_to_staging();
        let all = at.production(&receipt);
        at.xtask(&["db", "mark", "prod"], &all).expect(0);
        let backup = at.xtask(&["db", "backup", "--format", "json"], &all);
        backup.expect(0);
        let manifest = at.newest_backup("prod");

        for case in CASES {
            let mut env = all.clone();
            (case.spoil)(&at, &mut env);
            let sent = at.sent(|| {
                let shown = at.xtask(&["migrate", "guard", "--format", "json"], &env);
                assert_eq!(open(&shown.expect(3).json()), case.guards, "{}", case.name);
                let deploy = at.xtask(&["deploy", "db"], &env);
                deploy.expect(3).says(case.says).says("database unchanged");
                deploy.says("[STEP 1/3] verify");
                assert!(!deploy.stdout.contains("[STEP 2/3]"), "{}", case.name);
                let apply = at.xtask(&["migrate", "apply", "--backup", &manifest], &env);
                apply.expect(3).says(case.says);
                for ran in [shown, deploy, apply] {
                    let said = format!("{}{}", ran.stdout, ran.stderr);
                    for secret in ["RECEIPT_PUBLIC_KEY", "WEB_KEY", "DATABASE_URL"] {
                        let value = env.get(secret).map_or("no value", String::as_str);
                        assert!(!said.contains(value), "{secret} is in {said}");
                    }
                }
            });
            let reaches = !["no URL", "SQLite"].contains(&case.name);
            if reaches {
                assert_only_reads(&sent);
            } else {
                assert_eq!(sent, [], "{}", case.name);
            }
            (case.mend)(&at);
        }
        assert_eq!(at.tables("kitchen"), ["_env_marker"]);

        let shown = at.xtask(&["migrate", "guard", "--format", "json"], &all);
        assert_eq!(open(&shown.expect(0).json()), [""; 0]);
        at.xtask(&["migrate", "guard"], &all)
            .expect(0)
            .says("`production`: 9 of 9 conditions hold");
        let sent = at.sent(|| {
            at.xtask(&["deploy", "db"], &all).expect(0);
        });
        let wrote = |(application, _, sql): &(String, String, String)| {
            application == "xtask" && sql.to_lowercase().contains("create table env_marker")
        };
        assert!(sent.iter().any(wrote), "{sent:?}");
        assert!(at.tables("kitchen").contains(&"env_marker".to_owned()));
    }

    #[test]
    fn a_dev_shell_with_the_url_of_production_only_reads() {
        let Some(at) = Production::new() else { return };
        let all = at.production("none.json");
        at.xtask(&["db", "mark", "prod"], &all).expect(0);
        let shell = Env::from([("DATABASE_URL", at.url("kitchen"))]);
        let sent = at.sent(|| {
            at.xtask(&["migrate", "apply"], &shell)
                .expect(3)
                .says("`production` is locked");
            at.xtask(&["db", "backup"], &shell)
                .expect(3)
                .says("it is marked `prod`, `dev` is expected");
            at.xtask(&["deploy", "db"], &shell)
                .expect(3)
                .says("APP_ENV is `local`, and `production` is meant");
            at.xtask(&["db", "mark", "dev", "--adopt"], &shell)
                .expect(3);
        });
        assert_only_reads(&sent);
    }

    #[test]
    fn a_marker_in_another_schema_is_not_believed() {
        let Some(at) = Production::new() else { return };
        let shell = Env::from([("DATABASE_URL", at.url("kitchen"))]);
        at.xtask(&["db", "mark", "dev"], &shell).expect(0);
        for sql in [
            "create schema decoy; alter table _env_marker set schema decoy",
            "alter database kitchen set search_path = decoy, public",
        ] {
            at.sql("kitchen", sql);
        }
        (at.xtask(&["migrate", "status"], &shell).expect(3)).says("it has no environment marker");
        at.xtask(&["db", "mark", "prod"], &at.production("none.json"))
            .expect(0);
        (at.xtask(&["migrate", "status"], &shell).expect(3)).says("it is marked `prod`");

        // Where the marker is, there the migrations go.
        let staging = Env::from([("DATABASE_URL", at.url("kitchen_staging"))]);
        for sql in [
            "create schema decoy; create table decoy._sqlx_migrations (version bigint)",
            "alter database kitchen_staging set search_path = decoy, public",
        ] {
            at.sql("kitchen_staging", sql);
        }
        at.xtask(&["db", "mark", "dev"], &staging).expect(0);
        at.xtask(&["migrate"], &staging).expect(0);
        assert_eq!(
            at.tables("kitchen_staging"),
            [
                "_env_marker",
                "_migration_journal",
                "_sqlx_migrations",
                "env_marker"
            ]
        );
    }

    /// What an extension brought with the template is nobody's table.
    #[test]
    fn a_database_with_an_extension_is_new() {
        let Some(at) = Production::new() else { return };
        at.sql("kitchen", "create extension pg_stat_statements");
        let shell = Env::from([("DATABASE_URL", at.url("kitchen"))]);
        at.xtask(&["db", "mark", "dev"], &shell).expect(0);
    }

    #[test]
    fn production_is_marked_by_its_pipeline_alone() {
        let Some(at) = Production::new() else { return };
        let all = at.production("none.json");
        for (name, says) in [
            ("CI", "CI is not `true`"),
            ("CONFIRM_PROD_MIGRATE", "CONFIRM_PROD_MIGRATE is not `YES`"),
        ] {
            let mut env = all.clone();
            env.remove(name);
            let sent = at.sent(|| {
                at.xtask(&["db", "mark", "prod"], &env).expect(3).says(says);
            });
            assert_only_reads(&sent);
        }
        at.xtask(&["db", "mark", "prod"], &all).expect(0);
        assert_eq!(at.tables("kitchen"), ["_env_marker"]);
    }
}
