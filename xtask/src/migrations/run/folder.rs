//! The migration files of one engine, ready to be applied.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha384};
use sqlx::migrate::{Migration, MigrationType};
use sqlx::{AssertSqlSafe, SqlSafeStr as _};

use crate::exit::Problem;
use crate::migrations::lint::measure::Statement;
use crate::migrations::lint::{self, Sql};
use crate::migrations::{Engine, files};
use crate::policy::Allow;
use crate::repo;

/// What the folder holds, in the order of the versions.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) engine: Engine,
    pub(crate) migrations: Vec<Migration>,
    /// As they lie there, for the lint; one for each migration.
    pub(crate) sources: Vec<Sql>,
    /// Files that cannot be applied, whatever the database says.
    pub(crate) problems: Vec<String>,
}

impl Folder {
    /// Reads every file of the engine's folder; what is no migration, or ignored by git, is a problem,
    /// never skipped.
    ///
    /// # Errors
    /// Exit 3, when the folder or a file cannot be read.
    pub(crate) fn read(root: &Path, engine: Engine) -> Result<Self> {
        let path = root.join(engine.folder());
        let ignored = match repo::open(root)? {
            Some(repo) => repo::ignored(&repo, root, engine.folder())?,
            None => BTreeSet::new(),
        };
        let unreadable = || {
            Problem::precondition(format!("failed to read `{}`", engine.folder()))
                .help("run it in a checkout of the workspace")
        };
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&path).with_context(unreadable)? {
            let entry = entry.with_context(unreadable)?;
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let mut folder = Self {
            engine,
            migrations: Vec::new(),
            sources: Vec::new(),
            problems: Vec::new(),
        };
        for name in names {
            let file = format!("{}/{name}", engine.folder());
            let Some(version) = files::version(&name) else {
                folder.problems.push(format!(
                    "`{file}` is no migration and would be skipped: name it YYYYMMDDHHMMSS_name.sql"
                ));
                continue;
            };
            if folder
                .migrations
                .last()
                .is_some_and(|last| last.version == version)
            {
                folder
                    .problems
                    .push(format!("`{file}` has the version of another file"));
                continue;
            }
            if ignored.contains(&file) {
                folder.problems.push(format!(
                    "`{file}` is ignored by git, and so is part of no commit: remove it, or add it"
                ));
            }
            let bytes = std::fs::read(path.join(&name)).with_context(unreadable)?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let description = name.split_once('_').map_or("", |(_, rest)| rest);
            folder.migrations.push(Migration::new(
                version,
                description
                    .trim_end_matches(".sql")
                    .replace('_', " ")
                    .into(),
                MigrationType::Simple,
                AssertSqlSafe(text.clone()).into_sql_str(),
                text.starts_with(lint::NO_TRANSACTION),
            ));
            folder.sources.push(Sql {
                file,
                engine,
                bytes,
                is_new: false,
            });
        }
        Ok(folder)
    }

    /// What the lint says of the pending files, but for what the policy allows: a file that is red
    /// in `ci` is not applied, and one that ends the runner's transaction never is. Answers their
    /// statements.
    ///
    /// # Errors
    /// When the lint cannot be started.
    pub(crate) fn judge(&mut self, pending: &[i64], allowed: &[Allow]) -> Result<Vec<Statement>> {
        for (source, migration) in self.sources.iter_mut().zip(&self.migrations) {
            source.is_new = pending.contains(&migration.version);
        }
        let linted = lint::lint(&self.sources)?;
        for finding in linted.findings {
            let file = finding.file.as_deref();
            let is_allowed = |allow: &Allow| allow.covers(&finding.rule, file);
            if finding.rule != lint::TRANSACTION && allowed.iter().any(is_allowed) {
                continue;
            }
            let line = finding
                .line
                .map_or(String::new(), |line| format!(":{line}"));
            self.problems.push(format!(
                "`{}{line}`: {}",
                file.unwrap_or_default(),
                finding.message
            ));
        }
        Ok(linted.fresh)
    }

    pub(crate) fn of(&self, version: i64) -> Option<(&Migration, &Sql)> {
        let at = self
            .migrations
            .iter()
            .position(|migration| migration.version == version)?;
        Some((&self.migrations[at], &self.sources[at]))
    }
}

/// Whether `applied` is the checksum of this text, with either kind of line ending: a checkout may
/// have changed them, and that is no edit.
pub(crate) fn is_same_text(migration: &Migration, applied: &[u8]) -> bool {
    if *migration.checksum == *applied {
        return true;
    }
    let lf = migration.sql.as_str().replace("\r\n", "\n");
    let crlf = lf.replace('\n', "\r\n");
    [lf, crlf]
        .iter()
        .any(|text| Sha384::digest(text).as_slice() == applied)
}
