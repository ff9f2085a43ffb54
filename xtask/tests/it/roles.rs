//! Roles that may do their work, and nothing else.

mod postgres {
    use crate::production::{Production, sql_at};

    #[test]
    fn what_the_tool_makes_later_is_never_the_apps_to_write() {
        let Some(at) = Production::new() else { return };
        let mut owner = at.staging();
        let printed = at.xtask(&["db", "roles"], &owner);
        at.sql("kitchen_staging", &printed.expect(1).stdout);
        let url = |role: &str| {
            at.url("kitchen_staging")
                .replace("postgres@", &format!("{role}@"))
        };
        owner.insert("DATABASE_URL", url("app_owner"));
        let denied = |table: &str| {
            for statement in ["delete from", "truncate"] {
                let error = sql_at(&url("app"), &format!("{statement} {table}")).unwrap_err();
                assert!(error.contains("permission denied"), "{table}: {error}");
            }
        };
        at.xtask(&["db", "mark", "staging"], &owner).expect(0);
        denied("_env_marker");
        at.xtask(&["deploy", "db"], &owner).expect(0);
        denied("_sqlx_migrations");
        denied("_migration_journal");
        let backfill = "-- backfill: env_marker (id)\nupdate env_marker set id = id where $batch\n";
        let file = "migrations/backfills/postgres/same.sql";
        at.sandbox.write(file, backfill);
        at.sandbox.commit("backfill");
        at.xtask(&["db", "backup"], &owner).expect(0);
        let backup = at.newest_backup("staging");
        let args = ["migrate", "backfill", "same", "--backup", &backup];
        at.xtask(&args, &owner).expect(0);
        denied("_migration_backfill");
        at.xtask(&["db", "roles"], &owner).expect(0);
        sql_at(
            &url("app"),
            "insert into env_marker (id, env) values (1, 'x')",
        )
        .unwrap();
    }

    /// As the sample's own URL has it: `postgres://app@localhost/app`.
    #[test]
    fn one_role_that_is_owner_and_app_migrates() {
        let Some(at) = Production::new() else { return };
        at.sql(
            "kitchen_staging",
            "create role app login; alter database kitchen_staging owner to app; alter schema public owner to app",
        );
        let mut app = at.staging();
        let url = app["DATABASE_URL"].replace("postgres@", "app@");
        app.insert("DATABASE_URL", url);
        at.xtask(&["db", "mark", "staging"], &app).expect(0);
        at.xtask(&["deploy", "db"], &app).expect(0);
        for engine in ["postgres", "sqlite"] {
            let file = format!("migrations/{engine}/20990101000000_more.sql");
            at.sandbox.write(&file, "create table more (id integer);\n");
        }
        at.sandbox.commit("more");
        at.xtask(&["deploy", "db"], &app)
            .expect(0)
            .says("applied 1 of 2 migrations");
    }

    #[test]
    fn each_role_does_its_work_and_no_more() {
        let Some(at) = Production::new() else { return };
        at.deployed_to_staging();
        let all = at.staging();
        let before = at.xtask(&["db", "roles"], &all);
        before.expect(1).says("-- the role `app` is missing");
        for _ in 0..2 {
            at.sql("kitchen_staging", &before.stdout);
        }
        let after = at.xtask(&["db", "roles", "--format", "json"], &all);
        assert_eq!(after.expect(0).json()["differences"], serde_json::json!([]));

        let url = |role: &str| {
            at.url("kitchen_staging")
                .replace("postgres@", &format!("{role}@"))
        };
        let app = |sql: &str| sql_at(&url("app"), sql);
        app("insert into env_marker (id, env) values (1, 'x'); select env from env_marker")
            .unwrap();
        app("update env_marker set env = 'y'; delete from env_marker").unwrap();
        app("select env from _env_marker; select version::text from _sqlx_migrations").unwrap();
        for denied in [
            "create table planted (id integer)",
            "create temporary table planted (id integer)",
            "create schema planted",
            "alter table env_marker add column planted text",
            "drop table env_marker",
            "truncate env_marker",
            "update _env_marker set env = 'dev'",
            "insert into _sqlx_migrations select * from _sqlx_migrations",
            "delete from _migration_journal",
        ] {
            let error = app(denied).unwrap_err();
            assert!(
                error.contains("permission denied") || error.contains("must be owner"),
                "{denied}: {error}"
            );
        }

        let mut backup = all.clone();
        backup.insert("DATABASE_URL", url("app_backup"));
        at.xtask(&["db", "backup"], &backup).expect(0);
        sql_at(&url("app_backup"), "delete from env_marker").unwrap_err();

        // The owner migrates, and what it makes is the apps' to use.
        for engine in ["postgres", "sqlite"] {
            let file = format!("migrations/{engine}/20990101000000_more.sql");
            at.sandbox.write(&file, "create table more (id integer);\n");
        }
        at.sandbox.commit("more");
        let mut owner = all.clone();
        owner.insert("DATABASE_URL", url("app_owner"));
        at.xtask(&["deploy", "db"], &owner)
            .expect(0)
            .says("applied 1 of 2 migrations");
        app("insert into more values (1)").unwrap();
        at.xtask(&["db", "roles"], &owner).expect(0);

        for (sql, says) in [
            (
                "grant update on _env_marker to app",
                "too much: `app` may update `_env_marker`",
            ),
            (
                "revoke insert on more from app",
                "missing: `app` may not insert `more`",
            ),
            (
                "alter table more owner to postgres",
                "missing: `more` is owned by `postgres`, not by `app_owner`",
            ),
            (
                "grant create on schema public to public",
                "too much: `app` may create in the schema public",
            ),
            (
                "grant app_owner to app",
                "too much: `app` is a member of `app_owner`",
            ),
            (
                "alter role app_backup createdb",
                "too much: `app_backup` is superuser",
            ),
        ] {
            at.sql("kitchen_staging", sql);
            at.xtask(&["db", "roles"], &all).expect(1).says(says);
        }
    }
}
