//! Applying migrations to a scratch database, and what a database says of one that it refuses.

use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::postgres::PgDatabaseError;

use super::Engine;
use crate::report::Finding;

/// A migration that the database refused, as far as it says which and where.
#[derive(Debug)]
pub(crate) struct Refused {
    version: Option<i64>,
    /// Character into the migration's text, from 1 (PostgreSQL only).
    position: Option<usize>,
    message: String,
}

impl Refused {
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The file, with the line where the database says which.
    pub(crate) fn place(&self, source: &super::lint::Sql) -> String {
        let text = String::from_utf8_lossy(&source.bytes);
        match self.line(&text) {
            Some(line) => format!("`{}:{line}`", source.file),
            None => format!("`{}`", source.file),
        }
    }

    /// Line of the position, from 1.
    fn line(&self, text: &str) -> Option<usize> {
        let before = text.chars().take(self.position?.saturating_sub(1));
        Some(before.filter(|c| *c == '\n').count() + 1)
    }

    /// The finding at the file of the refused migration.
    pub(crate) fn finding(
        &self,
        root: &Path,
        engine: Engine,
        files: &[super::files::Migration],
    ) -> Finding {
        let finding = Finding::error(
            "migrations/apply",
            format!("{}: {}", engine.name(), self.message),
        );
        let file = files
            .iter()
            .find(|file| file.engine == engine && Some(file.version) == self.version);
        let Some(file) = file.map(|file| &file.file) else {
            return finding.file(engine.folder());
        };
        let text = std::fs::read_to_string(root.join(file)).unwrap_or_default();
        match self.line(&text) {
            Some(line) => finding.at(file, line),
            None => finding.file(file),
        }
    }
}

impl From<MigrateError> for Refused {
    fn from(error: MigrateError) -> Self {
        let (cause, version) = match &error {
            MigrateError::ExecuteMigration(cause, version) => (Some(cause), Some(*version)),
            MigrateError::Execute(cause) => (Some(cause), None),
            MigrateError::VersionMismatch(version) | MigrateError::VersionMissing(version) => {
                (None, Some(*version))
            }
            _ => (None, None),
        };
        let database = cause.and_then(sqlx::Error::as_database_error);
        let position = database.and_then(|error| {
            match error.try_downcast_ref::<PgDatabaseError>()?.position()? {
                sqlx::postgres::PgErrorPosition::Original(position) => Some(position),
                sqlx::postgres::PgErrorPosition::Internal { .. } => None,
            }
        });
        let message =
            database.map_or_else(|| error.to_string(), |error| error.message().to_owned());
        Self {
            version,
            position,
            message,
        }
    }
}

/// Applies what is pending of `folder`. The outer error is ours, the inner one the database's.
pub(crate) async fn run<'a, A>(folder: &Path, connection: A) -> Result<Result<(), Refused>>
where
    A: sqlx::Acquire<'a>,
    <A::Connection as std::ops::Deref>::Target: sqlx::migrate::Migrate,
{
    let migrator = Migrator::new(folder)
        .await
        .with_context(|| format!("failed to read the migrations in `{}`", folder.display()))?;
    Ok(migrator.run(connection).await.map_err(Refused::from))
}
