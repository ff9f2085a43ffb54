//! What a run would do.

use anyhow::Result;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::folder::Folder;
use super::state::Found;
use crate::exit::{Code, Problem};
use crate::migrations::lint::measure::Statement;
use crate::migrations::lint::operations::Class;
use crate::policy::{Allow, Migrations};

/// The versions to apply, and what stands against it.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) pending: Vec<i64>,
    /// Of the pending PostgreSQL files, with what the lint knows of each.
    pub(crate) statements: Vec<Statement>,
    pub(crate) problems: Vec<String>,
    /// See [`hash`].
    pub(crate) hash: String,
}

/// SHA-256, in hexadecimal, over the files, their checksums and the applied versions: another file,
/// another text or another state of the database is another plan. Sizes of tables are not in it:
/// they change by themselves.
pub(crate) fn hash(folder: &Folder, found: &Found) -> String {
    let mut hash = Sha256::new();
    hash.update(folder.engine.name());
    for (migration, source) in folder.migrations.iter().zip(&folder.sources) {
        hash.update(b"\0file\0");
        hash.update(&source.file);
        hash.update(b"\0");
        hash.update(&*migration.checksum);
    }
    for applied in &found.applied {
        hash.update(b"\0applied\0");
        hash.update(applied.version.to_le_bytes());
        hash.update(&*applied.checksum);
    }
    marker::hex(&hash.finalize())
}

impl Plan {
    /// # Errors
    /// When the lint cannot be started.
    pub(crate) fn new(folder: &mut Folder, found: &Found, allowed: &[Allow]) -> Result<Self> {
        let pending = found.pending(folder);
        let statements = folder.judge(&pending, allowed)?;
        let mut problems = folder.problems.clone();
        problems.extend(found.problems(folder));
        Ok(Self {
            pending,
            statements,
            problems,
            hash: hash(folder, found),
        })
    }

    /// Heavy statements, `FILE:LINE` each, where the policy has a window and `now` is outside of it.
    pub(crate) fn outside_window(&self, policy: &Migrations, now: Timestamp) -> Option<String> {
        let window = policy.heavy_window.filter(|window| !window.has(now))?;
        let is_heavy = |statement: &&Statement| {
            let mut classes = statement.ops.iter().map(|op| op.row().class);
            classes.any(|class| class == Class::Heavy)
        };
        let heavy: Vec<String> = (self.statements.iter().filter(is_heavy))
            .map(|statement| format!("`{}:{}`", statement.file, statement.line))
            .collect();
        (!heavy.is_empty()).then(|| format!("outside of {window}: {}", heavy.join(", ")))
    }

    pub(super) fn refuse_problems(&self) -> Result<()> {
        super::refuse(&self.problems, Code::Precondition)
    }

    /// Another plan than the one that was looked at is not applied.
    pub(super) fn refuse_other(&self, wanted: &str) -> Result<()> {
        if wanted.len() >= 8 && self.hash.starts_with(wanted) {
            return Ok(());
        }
        Err(Problem::precondition(format!(
            "the plan is `{}`, not `{wanted}`: files or database have changed since",
            self.hash
        ))
        .help("look at it again: cargo xtask migrate plan")
        .into())
    }
}
