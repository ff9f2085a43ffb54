//! The live schema is what its applied migrations make: nobody has changed it by hand.

use anyhow::{Context as _, Result};

use super::Check;
use crate::cx::Cx;
use crate::database::{Link, Target};
use crate::exit::{Code, Problem};
use crate::migrations::replay::{self, Replayed, Scratch};
use crate::migrations::run::{Folder, Found};
use crate::migrations::schema;
use crate::report::text;

pub(super) const CHECK: Check = Check {
    name: "schema",
    run,
};

fn run(cx: &Cx) -> Result<String> {
    let target = Target::read(cx)?;
    let folder = Folder::read(&cx.root, target.engine())?;
    let (live, found) = cx.block_on(async {
        let mut link = Link::open(&target, false).await?;
        let live = read(&mut link).await;
        link.close().await;
        live
    })?;
    let replayed = replay::with(
        cx,
        target.engine(),
        &applied(cx, &folder, &found)?,
        Scratch::text,
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
    match schema::drift("live schema", &made, &live) {
        None => Ok(format!(
            "as {} made it",
            text::plural(found.applied.len(), "applied migration")
        )),
        Some(diff) => Err(Problem::new(
            Code::Red,
            format!("the schema of `{target}` is not what its migrations make:\n{}", diff.trim_end()),
        )
        .help("somebody changed it by hand: write a migration that does the same, or take the change back")
        .into()),
    }
}

async fn read(link: &mut Link) -> Result<(String, Found)> {
    let found = Found::read(link).await?;
    // It begins, and ends, a transaction of its own that only reads.
    let text = match link {
        Link::Postgres { connection, .. } => schema::postgres::read(connection).await,
        Link::Sqlite { connection } => schema::sqlite::read(connection).await,
    };
    Ok((text?, found))
}

/// A folder with the files that the database has, and no other.
fn applied(cx: &Cx, folder: &Folder, found: &Found) -> Result<std::path::PathBuf> {
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
