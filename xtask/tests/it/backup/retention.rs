//! What goes after a backup, and what stays.

use std::path::PathBuf;

use super::{Backup, KITCHEN, Staging, block_on};
use crate::production::Production;

/// A copy of a backup, of so many days ago or ahead.
fn copy(backup: &Backup, name: &str, days: i64) -> Backup {
    let path = backup.path.with_file_name(format!("{name}.json"));
    let dump = path.with_extension("dump");
    std::fs::copy(backup.dump(), &dump).unwrap();
    std::fs::copy(&backup.path, &path).unwrap();
    let copy = Backup {
        path,
        manifest: backup.manifest.clone(),
    };
    copy.shift(24 * days);
    let (old, new) = (backup.dump(), dump);
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    copy.reseal(&name(&old), &name(&new));
    copy
}

#[test]
fn postgres_what_is_old_goes_once_a_newer_one_is_proven() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let first = staging.backup();
    let old = copy(&first, "20200101T000000.000Z", -15);
    let young = copy(&first, "20200102T000000.000Z", -13);

    // What failed has no say.
    staging
        .xtask_with(&["db", "backup"], &[("PGSCRATCH_BIN", "/nonexistent")])
        .expect(4);
    assert!(old.path.exists());
    staging.backup();
    assert!(!old.path.exists() && !old.path.with_extension("dump").exists());
    assert!(young.path.exists() && young.path.with_extension("dump").exists());
    assert!(first.path.exists());

    // With one of the future beside it, the newest is not known: all stay.
    let old = copy(&first, "20200101T000000.000Z", -15);
    let future = copy(&first, "29990101T000000.000Z", 15);
    staging.backup();
    assert!(old.path.exists());
    std::fs::remove_file(&future.path).unwrap();
    staging
        .sandbox
        .append("xtask.toml", "\n[backup]\nkeep-days = { staging = 7 }\n");
    staging.backup();
    assert!(!old.path.exists() && !young.path.exists() && first.path.exists());
}

/// Puts a folder where the dump is: what may not be removed, whoever runs the tests.
fn pin(backup: &Backup) {
    let dump = backup.path.with_extension("dump");
    std::fs::remove_file(&dump).unwrap();
    std::fs::create_dir_all(dump.join("kept")).unwrap();
}

/// The backup is made and proven then, and it is said that another one is in the way.
#[test]
fn postgres_an_old_backup_that_cannot_go_is_told() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let first = staging.backup();
    let old = copy(&first, "20200101T000000.000Z", -15);
    let older = copy(&first, "20190101T000000.000Z", -16);
    pin(&old);
    (staging.xtask(&["db", "backup"]).expect(1))
        .says("done  backed up")
        .says("failed to remove `")
        .says("20200101T000000.000Z.dump")
        .says("help: ");
    assert!(old.path.exists() && !older.path.exists());
    let json = staging.xtask(&["db", "backup", "--format", "json"]);
    assert!(json.expect(1).json()["path"].is_string());
}

/// A deployment needs a proven backup, and no tidy folder.
#[test]
fn postgres_an_old_backup_that_cannot_go_stops_no_deployment() {
    let Some(at) = Production::new() else { return };
    at.deployed_to_staging();
    let env = at.staging();
    let made = at.xtask(&["db", "backup", "--format", "json"], &env);
    let old = copy(&Backup::made(&made), "20200101T000000.000Z", -15);
    pin(&old);
    (at.xtask(&["deploy", "db"], &env).expect(0))
        .says("warn  failed to remove `")
        .says("[STEP 3/3]");
    assert!(old.path.exists());
}

/// Two databases of one environment may keep their backups in one folder.
#[test]
fn postgres_backups_of_another_database_are_left_alone() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let other = block_on(staging.server.empty_database()).unwrap();
    let at = [("DATABASE_URL", &*other.url)];
    staging
        .xtask_with(&["db", "mark", "staging"], &at)
        .expect(0);
    let ours = staging.backup();
    let old = copy(&ours, "20200101T000000.000Z", -15);
    let theirs = Backup::made(&staging.xtask_with(&["db", "backup", "--format", "json"], &at));
    assert!(old.path.exists());

    let drilled = |args: &[&str], env: &[(&str, &str)]| {
        let drilled = staging.xtask_with(&[&["db", "drill"], args].concat(), env);
        let json = drilled.expect(0).json();
        json["manifest"].as_str().unwrap().to_owned()
    };
    assert_eq!(drilled(&["--format", "json"], &[]), ours.path());
    for _ in 0..2 {
        let any = drilled(&["--random", "--format", "json"], &at);
        assert_eq!(any, theirs.path());
    }
    // Without a database to ask there is no telling which one is meant.
    (staging
        .xtask_with(&["db", "drill"], &[("DATABASE_URL", "")])
        .expect(3))
    .says("has backups of 2 databases")
    .says(&staging.database.name)
    .says(&other.name);
    for backup in [&ours, &old] {
        std::fs::remove_file(&backup.path).unwrap();
    }
    let alone = [("DATABASE_URL", "")];
    assert_eq!(drilled(&["--format", "json"], &alone), theirs.path());
    (staging.xtask(&["db", "drill"]).expect(3)).says("no backup of");
}
