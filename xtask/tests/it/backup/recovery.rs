//! Restoring into a database that is kept, and the drill that measures how long it takes.

use super::{KITCHEN, Staging, block_on, count, execute};

#[test]
fn postgres_a_backup_is_restored_into_an_empty_database_alone() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let backup = staging.backup();
    (staging.xtask(&["db", "restore", backup.path()]).expect(3)).says("is not empty");

    let fresh = block_on(staging.server.empty_database()).unwrap();
    let at = [("DATABASE_URL", &*fresh.url)];
    for (env, says) in [
        ("local", "data stays in its environment"),
        ("preview", "data stays in its environment"),
        ("production", "production is restored by CI alone"),
    ] {
        let env = [at[0], ("APP_ENV", env)];
        (staging
            .xtask_with(&["db", "restore", backup.path()], &env)
            .expect(3))
        .says(says);
    }
    let of_ci = [at[0], ("APP_ENV", "production"), ("CI", "true")];
    (staging
        .xtask_with(&["db", "restore", backup.path()], &of_ci)
        .expect(3))
    .says("data stays in its environment");
    assert_eq!(count(&fresh.url, TABLES), 0);

    (staging
        .xtask_with(&["db", "restore", backup.path()], &at)
        .expect(0))
    .says("cargo xtask db mark staging --adopt");
    assert_eq!(count(&fresh.url, "select count(*) from orders"), 500);
    let next = "insert into orders (meal_id) values (1) returning id";
    assert_eq!(count(&fresh.url, next), 501);

    // A copy is none that may be used, until it is said to take the original's place.
    (staging.xtask_with(&["db", "backup"], &at).expect(3)).says("it is a copy");
    (staging.xtask_with(&["db", "mark", "staging", "--adopt"], &at)).expect(0);
    staging.xtask_with(&["db", "backup"], &at).expect(0);
}

const TABLES: &str = "select count(*) from pg_class where relnamespace = 'public'::regnamespace";

#[test]
fn postgres_a_restore_that_fails_leaves_the_database_empty() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let role = format!("reader_{}", staging.database.name);
    staging.execute(&format!(
        "create role {role}; grant select on orders to {role};"
    ));
    // Restored elsewhere, where there is no such role, it is proven all the same.
    let backup = staging.backup();
    staging.execute(&format!("drop owned by {role}; drop role {role};"));

    let fresh = block_on(staging.server.empty_database()).unwrap();
    let at = [("DATABASE_URL", &*fresh.url)];
    (staging
        .xtask_with(&["db", "restore", backup.path()], &at)
        .expect(1))
    .says(&role)
    .says("as empty as before");
    assert_eq!(count(&fresh.url, TABLES), 0);

    let cut = std::fs::read(backup.dump()).unwrap();
    std::fs::write(backup.dump(), &cut[..cut.len() / 2]).unwrap();
    (staging
        .xtask_with(&["db", "restore", backup.path()], &at)
        .expect(1))
    .says("its manifest says");
    assert_eq!(count(&fresh.url, TABLES), 0);

    std::fs::write(backup.dump(), &cut).unwrap();
    execute(&fresh.url, &format!("create role {role}"));
    staging
        .xtask_with(&["db", "restore", backup.path()], &at)
        .expect(0);
    let granted = "select count(*) from information_schema.role_table_grants where table_name = 'orders' and grantee like 'reader%'";
    assert_eq!(count(&fresh.url, granted), 1);
    execute(&fresh.url, &format!("drop owned by {role}"));
    staging.execute(&format!("drop role {role}"));
}

#[test]
fn postgres_a_drill_measures_a_recovery() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    (staging.xtask(&["db", "drill"]).expect(3)).says("no backup of `staging`");
    let first = staging.backup();
    let drilled = staging.xtask(&["db", "drill", "--format", "json"]);
    let measured = drilled.expect(0).json();
    assert_eq!(measured["manifest"], first.path());
    assert_eq!(measured["applied"], 1, "{measured:#}");
    assert_eq!(measured["rows"], 500 + 20 + 3 + 1, "{measured:#}");
    assert!(measured["recovery_time_s"].as_f64().unwrap() > 0.0);
    assert_eq!(
        (
            &measured["recovery_time_limit_s"],
            &measured["data_age_limit_s"]
        ),
        (&14_400.into(), &3600.into())
    );
    // It is migrated there, and here nothing is.
    assert_eq!(
        count(
            &staging.database.url,
            "select count(*) from pg_class where relname = 'env_marker'"
        ),
        0
    );

    first.shift(-2);
    (staging.xtask(&["db", "drill"]).expect(1))
        .says("red   data age 12")
        .says("ok    recovery time");
    first.shift(2);
    (staging.xtask(&["db", "drill"]).expect(3)).says("clock is behind");
    first.shift(0);

    staging
        .sandbox
        .append("xtask.toml", "\n[backup]\nrecovery-time-h = 0\n");
    let second = staging.backup();
    (staging.xtask(&["db", "drill"]).expect(1))
        .says("red   recovery time")
        .says(second.path());

    let half = std::fs::read(second.dump()).unwrap().len() as u64 / 2;
    let dump = std::fs::OpenOptions::new()
        .write(true)
        .open(second.dump())
        .unwrap();
    dump.set_len(half).unwrap();
    (staging.xtask(&["db", "drill"]).expect(1)).says("its manifest says");
}

/// What would be lost is what came after the newest one, whichever is drilled.
#[test]
fn postgres_a_drill_of_any_backup_measures_the_age_of_the_newest() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let old = staging.backup();
    let newest = staging.backup();
    old.shift(-30);
    let json = ["db", "drill", "--random", "--format", "json"];
    let is_old = (0..20).any(|_| {
        let measured = staging.xtask(&json).expect(0).json();
        assert_eq!(measured["newest"], newest.path(), "{measured:#}");
        assert!(measured["data_age_s"].as_u64().unwrap() < 3600);
        let is_old = measured["manifest"] == old.path();
        let age = measured["backup_age_s"].as_u64().unwrap();
        assert_eq!(age >= 30 * 3600, is_old, "{measured:#}");
        is_old
    });
    assert!(is_old, "the older of two was never drawn");

    newest.shift(-2);
    (staging.xtask(&["db", "drill", "--random"]).expect(1))
        .says("red   data age 12")
        .says(newest.path());
    // The newest one is what a recovery begins with: it counts as long as it is whole.
    newest.shift(0);
    std::fs::remove_file(newest.dump()).unwrap();
    (staging.xtask(&["db", "drill", "--random"]).expect(1)).says("cannot be read");

    // A manifest that cannot be read may be that of the newest one: it is named, never passed over.
    let newest = staging.backup();
    std::fs::write(newest.path(), "{").unwrap();
    (staging.xtask(&["db", "drill"]).expect(1)).says("is no manifest of a backup");
    (staging.xtask(&["db", "backup"]).expect(1)).says("no manifest that can be read");
}
