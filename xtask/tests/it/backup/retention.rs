//! What goes after a backup, and what stays.

use std::path::PathBuf;

use super::{Backup, KITCHEN, Staging};

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
