//! What a live database has otherwise than its applied migrations make.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Link, Target};
use crate::cx::Cx;
use crate::exit::{Code, Problem};
use crate::migrations::replay::{self, Replayed};
use crate::migrations::run::{Folder, Found, ready};
use crate::migrations::schema;

/// What was seen.
#[derive(Debug)]
pub(crate) struct Drift {
    /// How many migrations the database has.
    pub(crate) applied: usize,
    /// A unified diff from the schema that they make to the one that is there.
    pub(crate) diff: Option<String>,
}

/// Replays what the database has on a scratch one, and compares the two. Writes nothing that stays.
///
/// # Errors
/// Exit 3 for a database that is refused, 1 where the files cannot be replayed, 4 where a PostgreSQL
/// server is needed for it and none is installed.
pub(crate) fn drift(cx: &Cx, target: &Target) -> Result<Drift> {
    let folder = Folder::read(&cx.root, target.engine())?;
    let (live, found) = cx.block_on(Link::look(target, async |link| read(target, link).await))?;
    let replayed = replay::with(
        cx,
        target.engine(),
        &applied(cx, &folder, &found)?,
        async |link| schema::read(link).await,
    )?;
    let made = match replayed {
        Replayed::Done(text) => text,
        Replayed::Refused(refused) => {
            return Err(Problem::new(
                Code::Red,
                format!(
                    "the applied migrations cannot be replayed: {}",
                    refused.message()
                ),
            )
            .help("cargo xtask ci migrations says which one")
            .into());
        }
        Replayed::NoServer(help) => {
            return Err(Problem::new(
                Code::ToolMissing,
                "no PostgreSQL server here to replay the applied migrations on",
            )
            .help(help)
            .into());
        }
    };
    Ok(Drift {
        applied: found.applied.len(),
        diff: schema::drift("live schema", &made, &live),
    })
}

async fn read(target: &Target, link: &mut Link) -> Result<(String, Found)> {
    ready::to_read(target, link).await?;
    let found = Found::read(link).await?;
    Ok((schema::read(link).await?, found))
}

/// A folder with the files that the database has, and no other.
fn applied(cx: &Cx, folder: &Folder, found: &Found) -> Result<PathBuf> {
    let copy = cx.tmp().join("applied");
    let failed = || format!("failed to write `{}`", copy.display());
    std::fs::create_dir_all(&copy).with_context(failed)?;
    for (migration, source) in folder.migrations.iter().zip(&folder.sources) {
        if found.is_applied(migration.version) {
            let name = source.file.rsplit('/').next().unwrap_or_default();
            std::fs::write(copy.join(name), &source.bytes).with_context(failed)?;
        }
    }
    Ok(copy)
}
