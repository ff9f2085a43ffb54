//! Restoring a backup into a database that is kept.

use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;

use super::content::Content;
use super::folder::Kept;
use super::programs::{How, Programs};
use super::{check, proof};
use crate::cx::Cx;
use crate::database::{At, Link, Target, on};
use crate::exit::{Code, Problem};

/// Restores into `target`, which is empty, and compares. It is all there or, when this fails, as
/// empty as before; only a difference that is found at the end stays there, to be looked at.
///
/// # Errors
/// Exit 1 when the backup is damaged or cannot be restored, exit 3 when the target is not empty, or
/// of another environment or engine than the backup.
pub(crate) fn restore(cx: &Cx, kept: &Kept, target: &Target) -> Result<Content> {
    let manifest = &kept.manifest;
    check::age(manifest, Timestamp::now())?;
    let environment = target.app_env.marker();
    if manifest.environment != environment {
        return Err(Problem::precondition(format!(
            "the backup is of `{}`, and `{}` is `{environment}`: data stays in its environment",
            manifest.environment, target.app_env
        ))
        .help("set APP_ENV and DATABASE_URL to the environment of the backup; to look at one: cargo xtask db drill")
        .into());
    }
    if manifest.engine != target.engine() {
        return Err(Problem::precondition(format!(
            "the backup is of {}, and `{target}` is {}",
            manifest.engine.name(),
            target.engine().name()
        ))
        .help("set DATABASE_URL to a database of the same engine")
        .into());
    }
    check::whole(kept)?;
    match &target.at {
        At::Postgres { .. } => {
            cx.block_on(empty(target))?;
            Programs::find(cx)?
                .restore(cx, &kept.dump(), target, How::Whole)
                .context(
                    Problem::new(
                        Code::Red,
                        format!(
                            "failed to restore `{}`; the database is as empty as before",
                            kept.path.display()
                        ),
                    )
                    .help(
                        "mend what it names: a role or an extension that is missing is made first",
                    ),
                )?;
        }
        At::Sqlite { file } => copy(&kept.dump(), file)?,
    }
    let content = cx.block_on(proof::content_of(target))?;
    check::same(&manifest.content, &content)?;
    Ok(content)
}

/// Nothing of anybody's is in it, not even a marker.
async fn empty(target: &Target) -> Result<()> {
    const OBJECTS: &str =
        "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname <> 'information_schema' and n.nspname not like 'pg\\_%'
            and not exists (select from pg_depend d
                where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')";
    let objects: i64 = Link::with(target, async |link| {
        on!(link, c => sqlx::query_scalar(OBJECTS).fetch_one(&mut *c).await)
            .context("failed to look for tables")
    })
    .await?;
    if objects == 0 {
        return Ok(());
    }
    Err(Problem::precondition(format!("`{target}` is not empty"))
        .help("restore into a new database (createdb) that has no tables and no marker; the backup brings both")
        .into())
}

/// Beside its place first, so that there is a whole file or none.
fn copy(dump: &Path, file: &Path) -> Result<()> {
    let taken = |ending: &str| {
        let mut path = file.as_os_str().to_owned();
        path.push(ending);
        Path::new(&path).exists()
    };
    if ["", "-wal", "-journal"].into_iter().any(taken) {
        return Err(
            Problem::precondition(format!("`{}` is there already", file.display()))
                .help("move it away, with its `-wal` and `-shm`, then run this again")
                .into(),
        );
    }
    let mut part = file.as_os_str().to_owned();
    part.push(".partial");
    let written = std::fs::copy(dump, &part)
        .and_then(|_| std::fs::File::open(&part)?.sync_all())
        .and_then(|()| std::fs::rename(&part, file));
    written
        .inspect_err(|_| {
            let _ = std::fs::remove_file(&part);
        })
        .with_context(|| {
            Problem::precondition(format!("failed to write `{}`", file.display()))
                .help("check that its folder is there, and free space")
        })
}
