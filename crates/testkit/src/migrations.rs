//! The workspace's migrations, applied to new databases.

use std::fmt::{Debug, Display, Write as _};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};

use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use tokio::sync::OnceCell;

/// The file of a migrated SQLite database, not marked: made once per process, then copied from memory, so
/// that nothing is left on disk when the process ends.
pub(crate) async fn sqlite_file() -> &'static [u8] {
    static FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
    FILE.get_or_init(|| async {
        let dir = must("create a folder", tempfile::tempdir());
        let path = dir.path().join("template.db");
        must("migrate a sqlite database", prepare_sqlite(&path).await);
        must("read the sqlite template", std::fs::read(&path))
    })
    .await
}

async fn prepare_sqlite(path: &Path) -> Result<(), MigrateError> {
    // Without a write-ahead log the database is one file once it is closed.
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Delete);
    let mut connection = options.connect().await?;
    migrator("sqlite").await.run(&mut connection).await?;
    Ok(connection.close().await?)
}

/// Migrates the empty database behind `url`.
pub(crate) async fn prepare_postgres(url: String) -> Result<(), MigrateError> {
    migrate_postgres(&url, i64::MAX).await
}

/// Applies the migrations before `version`.
pub(crate) async fn migrate_sqlite(url: &str, version: i64) -> Result<(), MigrateError> {
    let mut connection = SqliteConnection::connect(url).await?;
    let migrator = migrator("sqlite").await;
    migrator.run_to(version - 1, &mut connection).await?;
    Ok(connection.close().await?)
}

/// Applies the migrations before `version`.
pub(crate) async fn migrate_postgres(url: &str, version: i64) -> Result<(), MigrateError> {
    let mut connection = PgConnection::connect(url).await?;
    let migrator = migrator("postgres").await;
    migrator.run_to(version - 1, &mut connection).await?;
    Ok(connection.close().await?)
}

/// Names the template made from the PostgreSQL migrations as they are now: a long-lived server
/// may have one from before an edit.
pub(crate) async fn postgres_key() -> String {
    let mut hasher = DefaultHasher::new();
    for migration in migrator("postgres").await.iter() {
        (migration.version, &migration.checksum).hash(&mut hasher);
    }
    let mut key = "migrated_".to_owned();
    must("name the template", write!(key, "{:016x}", hasher.finish()));
    key
}

async fn migrator(engine: &str) -> Migrator {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "..", "migrations", engine]
        .iter()
        .collect();
    let found = must("read the migrations", Migrator::new(folder.as_path()).await);
    assert!(
        found.iter().next().is_some(),
        "no migrations in `{}`",
        folder.display()
    );
    found
}

/// The value, or a panic that names what failed: the test that asked cannot go on.
#[track_caller]
pub(crate) fn must<T, E: Display + Debug>(doing: &str, result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("failed to {doing}: {error} ({error:?})"),
    }
}
