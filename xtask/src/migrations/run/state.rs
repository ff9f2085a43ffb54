//! What a database has, held against the files.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result};
use sqlx::migrate::AppliedMigration;

use super::folder::{Folder, is_same_text};
use super::journal::{self, Entry, State};
use crate::database::{Link, on};
use crate::migrations::Engine;

/// sqlx's table.
pub(crate) const TABLE: &str = "_sqlx_migrations";

/// [`TABLE`] where it is, whatever a file has done to the search path.
pub(super) fn table(engine: Engine) -> &'static str {
    match engine {
        Engine::Postgres => "public._sqlx_migrations",
        Engine::Sqlite => "main._sqlx_migrations",
    }
}

/// What was read of a database. Writes nothing.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) applied: Vec<AppliedMigration>,
    /// Versions that another migrator says have failed.
    pub(crate) failed: Vec<i64>,
    pub(crate) journal: Vec<Entry>,
}

/// Whether the database has a table of this name, on PostgreSQL in the schema `public`.
pub(super) async fn has_table(link: &mut Link, name: &str) -> Result<bool> {
    let found = match link {
        Link::Postgres { connection, .. } => {
            sqlx::query_scalar("select to_regclass('public.' || $1) is not null")
                .bind(name)
                .fetch_one(connection)
                .await
        }
        Link::Sqlite { connection } => {
            sqlx::query_scalar(
                "select count(*) > 0 from sqlite_master where type = 'table' and name = $1",
            )
            .bind(name)
            .fetch_one(connection)
            .await
        }
    };
    found.with_context(|| format!("failed to look for the table `{name}`"))
}

impl Found {
    pub(crate) async fn read(link: &mut Link) -> Result<Self> {
        const SQL: &str =
            "select version, checksum, success from _sqlx_migrations order by version";
        let mut found = Self {
            applied: Vec::new(),
            failed: Vec::new(),
            journal: journal::read(link).await?,
        };
        if !has_table(link, TABLE).await? {
            return Ok(found);
        }
        let rows: Vec<(i64, Vec<u8>, bool)> =
            on!(link, c => sqlx::query_as(SQL).fetch_all(&mut *c).await)
                .with_context(|| format!("failed to read `{TABLE}`"))?;
        for (version, checksum, success) in rows {
            if !success {
                found.failed.push(version);
            }
            found.applied.push(AppliedMigration {
                version,
                checksum: checksum.into(),
            });
        }
        Ok(found)
    }

    pub(crate) fn is_applied(&self, version: i64) -> bool {
        self.applied
            .binary_search_by_key(&version, |applied| applied.version)
            .is_ok()
    }

    /// Versions of files that the database does not have, in their order.
    pub(crate) fn pending(&self, folder: &Folder) -> Vec<i64> {
        folder
            .migrations
            .iter()
            .map(|migration| migration.version)
            .filter(|version| !self.is_applied(*version))
            .collect()
    }

    /// Everything that stands against applying what is pending; all of it at once.
    pub(crate) fn problems(&self, folder: &Folder) -> Vec<String> {
        let mut problems = Vec::new();
        for applied in &self.applied {
            let version = applied.version;
            match folder.of(version) {
                None => problems.push(format!(
                    "version {version} is applied, and no file has it: it was deleted, or this checkout is older than the database"
                )),
                Some((migration, source)) if !is_same_text(migration, &applied.checksum) => problems
                    .push(format!(
                        "`{}` was edited after it was applied",
                        source.file
                    )),
                Some(_) => {}
            }
        }
        for version in &self.failed {
            problems.push(format!(
                "version {version} is recorded as failed, by another migrator"
            ));
        }
        let newest = self.applied.last().map(|applied| applied.version);
        for version in self.pending(folder) {
            if newest.is_some_and(|newest| version < newest)
                && let Some((_, source)) = folder.of(version)
            {
                problems.push(format!(
                    "`{}` is older than {}, which is applied: cargo xtask migrate renumber",
                    source.file,
                    newest.unwrap_or_default()
                ));
            }
        }
        problems.extend(self.journal_problems(folder));
        problems
    }

    /// Rows of the journal that no run of ours has written so.
    fn journal_problems(&self, folder: &Folder) -> Vec<String> {
        let mut problems = Vec::new();
        let mut open = BTreeSet::new();
        for entry in &self.journal {
            let version = entry.version;
            open.insert(version);
            let why = match (entry.state(), folder.of(version)) {
                (None, _) => format!("its state is `{}`", entry.state),
                (Some(State::Planned | State::Recorded), _) => {
                    format!("its state is `{}`, which is never written", entry.state)
                }
                (_, None) => "no file has this version".to_owned(),
                (_, Some((migration, _))) if !is_same_text(migration, &entry.checksum) => {
                    "the file was edited since".to_owned()
                }
                _ => continue,
            };
            problems.push(format!(
                "the row of version {version} in `_migration_journal` cannot be trusted: {why}"
            ));
        }
        if open.len() > 1 {
            problems.push(format!(
                "`_migration_journal` has {} open rows, and a run leaves one at most",
                open.len()
            ));
        }
        problems
    }
}
