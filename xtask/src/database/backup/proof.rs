//! Restoring into a scratch database: the only proof that a dump is a backup.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::check;
use super::content::{AS_TEXT, Content};
use super::folder::Kept;
use super::programs::{How, Programs};
use crate::cx::Cx;
use crate::database::{At, Link, Scratch, Target, on};
use crate::migrations::Engine;

/// A scratch database that holds what the manifest of a backup says.
///
/// # Errors
/// Exit 1 when it is damaged or differs; exit 4 where a program or a server is missing.
pub(crate) async fn restore_to_scratch(cx: &Cx, kept: &Kept) -> Result<Scratch> {
    check::whole(kept)?;
    let (scratch, copy) = unpacked(cx, kept.manifest.engine, &kept.dump()).await?;
    check::same(&kept.manifest.content, &copy)?;
    Ok(scratch)
}

/// A scratch database with what is in `dump`.
pub(super) async fn unpacked(cx: &Cx, engine: Engine, dump: &Path) -> Result<(Scratch, Content)> {
    let scratch = Scratch::empty(cx, engine).await?;
    match &scratch.target().at {
        At::Postgres { .. } => {
            let programs = Programs::find(cx)?;
            let version = Link::with(scratch.target(), server_version).await?;
            programs.refuse_newer(&version)?;
            programs.restore(cx, dump, scratch.target(), How::Scratch)?;
        }
        At::Sqlite { file } => {
            std::fs::copy(dump, file)
                .with_context(|| format!("failed to copy `{}`", dump.display()))?;
        }
    }
    let content = content_of(scratch.target()).await?;
    Ok((scratch, content))
}

/// What a database holds at one moment.
pub(super) async fn content_of(target: &Target) -> Result<Content> {
    Link::with(target, async |link| {
        begin(link).await?;
        as_text(link).await?;
        Content::read(link).await
    })
    .await
}

/// Begins the transaction in which all is read. SQLite's lets nobody write meanwhile: a copy can only
/// be made outside of it.
pub(super) async fn begin(link: &mut Link) -> Result<()> {
    let sql = match link {
        Link::Postgres { .. } => "begin isolation level repeatable read read only",
        Link::Sqlite { .. } => "begin immediate",
    };
    link.execute(sql)
        .await
        .context("failed to begin a transaction to read in")
}

/// How values are written from now on, see [`AS_TEXT`].
pub(super) async fn as_text(link: &mut Link) -> Result<()> {
    match link {
        Link::Postgres { .. } => link
            .execute(AS_TEXT)
            .await
            .context("failed to set how values are written"),
        Link::Sqlite { .. } => Ok(()),
    }
}

/// Of the server, or of the library of SQLite, as it states it.
pub(super) async fn server_version(link: &mut Link) -> Result<String> {
    let sql = match link {
        Link::Postgres { .. } => "select current_setting('server_version')",
        Link::Sqlite { .. } => "select sqlite_version()",
    };
    on!(link, c => sqlx::query_scalar(sql).fetch_one(&mut *c).await)
        .context("failed to ask the database for its version")
}
