//! Backups of a SQLite file, which only a developer has.

use std::path::{Path, PathBuf};

use sqlx::{ConnectOptions as _, Connection as _};

use super::{Backup, block_on, files};
use crate::sandbox::Sandbox;

const DATABASE: &str = "data/local.db";

fn execute(file: &Path, sql: &str) {
    block_on(async {
        let options = sqlx::sqlite::SqliteConnectOptions::new();
        let mut connection = options
            .filename(file)
            .foreign_keys(false)
            .connect()
            .await
            .unwrap();
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        sql.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

fn local() -> (Sandbox, PathBuf) {
    let sandbox = Sandbox::new();
    sandbox.xtask(&["setup"]).expect(0);
    let file = sandbox.dir.join(DATABASE);
    assert!(file.is_file());
    execute(
        &file,
        "create table a (id integer primary key autoincrement, \"odd \"\"name\" text, raw blob, n real);
        create table b (a integer references a);
        create virtual table words using fts5(word);
        insert into words values ('soup');
        insert into a values (7, 'x' || char(0) || 'y', x'00ff', 0.1), (8, null, '', 1e300), (9, '', null, 3);
        insert into b values (7), (7);",
    );
    (sandbox, file)
}

fn backup(sandbox: &Sandbox) -> Backup {
    Backup::made(&sandbox.xtask(&["db", "backup", "--format", "json"]))
}

#[test]
fn a_sqlite_file_is_backed_up_verified_and_restored() {
    let (sandbox, file) = local();
    let folder = sandbox.dir.join("data/backups/dev");
    let made = backup(&sandbox);
    assert_eq!(made.manifest["content"]["tables"]["a"]["rows"], 3);
    assert_eq!(made.manifest["content"]["sequences"]["a"]["last"], 9);
    assert_eq!(files(&folder).len(), 2, "{:?}", files(&folder));
    sandbox.xtask(&["db", "verify", made.path()]).expect(0);
    (sandbox.xtask(&["db", "drill"]).expect(0))
        .says("recovery time")
        .says("0 migrations applied");
    assert_eq!(files(&folder).len(), 2, "{:?}", files(&folder));

    (sandbox.xtask(&["db", "restore", made.path()]).expect(3)).says("is there already");
    let aside = file.with_extension("aside");
    for ending in ["", "-wal", "-shm"] {
        let of = |path: &Path| PathBuf::from(format!("{}{ending}", path.display()));
        if of(&file).exists() {
            std::fs::rename(of(&file), of(&aside)).unwrap();
        }
    }
    sandbox.xtask(&["db", "restore", made.path()]).expect(0);
    // In its old place it is not told from the original.
    sandbox.xtask(&["db", "backup"]).expect(0);
}

#[test]
fn every_damage_of_a_sqlite_backup_is_told() {
    let (sandbox, _) = local();
    let made = backup(&sandbox);
    let (dump, text) = (std::fs::read(made.dump()).unwrap(), made.text());
    let refused = |says: &str| {
        let refused = sandbox.xtask(&["db", "verify", made.path()]);
        refused.expect(1).says(says);
        std::fs::write(made.dump(), &dump).unwrap();
        std::fs::write(&made.path, &text).unwrap();
    };
    for percent in [99, 60, 10, 0] {
        std::fs::write(made.dump(), &dump[..dump.len() * percent / 100]).unwrap();
        refused("its manifest says");
    }
    let mut flipped = dump.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    std::fs::write(made.dump(), flipped).unwrap();
    refused("its SHA-256 is not the manifest's");

    for (change, says) in [
        (
            "update a set \"odd \"\"name\" = 'x' || char(0) || 'z' where id = 7",
            "table `a` has other content",
        ),
        (
            "update a set n = 0.1 + 1e-16 where id = 7",
            "table `a` has other content",
        ),
        (
            "update a set raw = '' where id = 9",
            "table `a` has other content",
        ),
        (
            "update a set raw = x'' where id = 8",
            "table `a` has other content",
        ),
        (
            "delete from b where rowid = 1",
            "table `b` has 1 rows instead of 2",
        ),
        ("drop table b", "table `b` is missing"),
        (
            "update sqlite_sequence set seq = 10",
            "sequence `a` stands at 10 instead of 9",
        ),
        ("insert into words values ('salad')", "table `words_"),
    ] {
        execute(&made.dump(), change);
        super::damage::adjust(&made);
        refused(says);
    }
    sandbox.xtask(&["db", "verify", made.path()]).expect(0);
}

#[test]
fn a_sqlite_file_with_lost_references_is_no_backup() {
    let (sandbox, file) = local();
    execute(&file, "insert into b values (4711)");
    (sandbox.xtask(&["db", "backup"]).expect(1))
        .says("1 row without what they refer to")
        .says("`b` in `a`");
    assert_eq!(files(&sandbox.dir.join("data/backups/dev")), [""; 0]);
}
