//! Making a backup, and proving it.

use std::time::Instant;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use marker::Identity;

use super::content::Content;
use super::folder::{Folder, Kept, Partial, Place};
use super::manifest::{Dump, Manifest};
use super::programs::Programs;
use super::{VerifiedBackup, check, hook, proof, sqlite};
use crate::cx::Cx;
use crate::database::record::Applied;
use crate::database::{Link, Target, on};
use crate::exit::Problem;
use crate::migrations::Engine;
use crate::migrations::run::{self, ready};
use crate::repo;

/// Dumps the database of `target` and proves the dump. Nothing is written to the database.
///
/// # Errors
/// Exit 1 when it cannot be dumped or the dump is not the database, exit 3 when database, folder or
/// programs are not what they must be, exit 4 where a program is missing, exit 75 while another
/// backup of it is made in the folder. Nothing is left in the folder then but what was there.
pub(crate) fn make(cx: &Cx, target: &Target) -> Result<VerifiedBackup> {
    let began = Instant::now();
    let programs = match target.engine() {
        Engine::Postgres => Some(Programs::find(cx)?),
        Engine::Sqlite => None,
    };
    let folder = Folder::of(cx, target.app_env.marker());
    // The snapshot holds up the clean-up of dead rows: its session ends before the proof begins.
    let (place, earlier, taken) = cx.block_on(Link::with(target, async |link| {
        take(cx, target, link, &folder, programs.as_ref()).await
    }))?;
    let kept = prove(cx, taken, programs, &place, &earlier, began)?;
    Ok(VerifiedBackup { kept })
}

/// What was read of the database, and its dump, unproven.
struct Taken {
    engine: Engine,
    target: Target,
    identity: Identity,
    created_at: Timestamp,
    server_version: String,
    migrations: Vec<Applied>,
    /// Tables without a name of the tool's own, views and the like besides.
    objects: i64,
    content: Content,
    dump: Partial,
}

async fn take(
    cx: &Cx,
    target: &Target,
    link: &mut Link,
    folder: &Folder,
    programs: Option<&Programs>,
) -> Result<(Place, Vec<Kept>, Taken)> {
    let found = ready::to_read(target, link).await?;
    let server_version = proof::server_version(link).await?;
    if let Some(programs) = programs {
        programs.refuse_older(&server_version)?;
    }

    let place = folder.take(&found.identity)?;
    let mut earlier = folder.kept()?;
    earlier.retain(|kept| kept.manifest.identity == found.identity);
    let expected = match earlier.last() {
        Some(last) => last.manifest.dump.bytes,
        None => size(link).await?,
    };
    check::space(folder.path(), expected)?;

    proof::begin(link).await?;
    let created_at = Timestamp::now();
    let applied = run::Found::read(link).await?.applied;
    let objects = link.tables().await?;
    let snapshot = snapshot(link).await?;
    proof::as_text(link).await?;
    let content = Content::read(link).await?;
    let dump = if let (Some(programs), Some(snapshot)) = (programs, snapshot) {
        let dump = place.partial(created_at, "dump")?;
        programs.dump(cx, target, &snapshot, dump.path())?;
        dump
    } else {
        let dump = place.partial(created_at, "sqlite")?;
        Link::with(target, async |other| sqlite::copy(other, dump.path()).await).await?;
        dump
    };
    dump.sync()?;
    let taken = Taken {
        engine: target.engine(),
        target: target.clone(),
        identity: found.identity,
        created_at,
        server_version,
        migrations: applied.iter().map(Applied::from).collect(),
        objects,
        content,
        dump,
    };
    Ok((place, earlier, taken))
}

/// Every check there is; then the names that make it a backup.
fn prove(
    cx: &Cx,
    mut taken: Taken,
    programs: Option<Programs>,
    place: &Place,
    earlier: &[Kept],
    began: Instant,
) -> Result<Kept> {
    check::empty(&taken.content, taken.migrations.len(), taken.objects)?;
    let path = taken.dump.path();
    if let Some(programs) = &programs {
        programs.read_through(cx, path)?;
        check::lists(&programs.contents(cx, path)?, &taken.content)?;
    }
    let (scratch, copy) = cx.block_on(async {
        let (scratch, copy) = proof::unpacked(cx, taken.engine, path).await?;
        if taken.engine == Engine::Sqlite {
            Link::with(scratch.target(), sqlite::check).await?;
        }
        Ok((scratch, copy))
    })?;
    drop(scratch);
    taken.content.advance(&copy);
    check::same(&taken.content, &copy)?;

    let read = check::read(path).with_context(|| format!("failed to read `{}`", path.display()))?;
    check::size(earlier, read.bytes, taken.content.rows())?;
    let manifest = Manifest {
        format: Manifest::FORMAT,
        engine: taken.engine,
        environment: taken.target.app_env.marker(),
        identity: taken.identity,
        created_at: taken.created_at,
        server_version: taken.server_version,
        dump_version: programs.map(|programs| programs.version),
        release: repo::head(&cx.root)?.commit,
        migrations: taken.migrations,
        content: taken.content,
        dump: Dump {
            file: taken.dump.name(),
            ..read
        },
        took_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    let written = place.partial(taken.created_at, "json")?;
    std::fs::write(written.path(), manifest.to_text()?).with_context(|| {
        Problem::precondition(format!("failed to write `{}`", written.path().display()))
            .help("free space; no backup was made")
    })?;
    written.sync()?;
    hook::upload(cx, &taken.dump)?;
    hook::upload(cx, &written)?;
    let path = place.commit(&taken.dump, &written)?;
    Ok(Kept { path, manifest })
}

/// The name under which `pg_dump` finds the snapshot of this transaction.
async fn snapshot(link: &mut Link) -> Result<Option<String>> {
    let Link::Postgres { connection, .. } = link else {
        return Ok(None);
    };
    let name = sqlx::query_scalar("select pg_export_snapshot()")
        .fetch_one(connection)
        .await
        .context("failed to export the snapshot")?;
    Ok(Some(name))
}

/// Bytes that the database takes.
async fn size(link: &mut Link) -> Result<u64> {
    let sql = match link {
        Link::Postgres { .. } => "select pg_database_size(current_database())",
        Link::Sqlite { .. } => {
            "select page_count * page_size from pragma_page_count, pragma_page_size"
        }
    };
    let size: i64 = on!(link, c => sqlx::query_scalar(sql).fetch_one(&mut *c).await)
        .context("failed to ask the database for its size")?;
    Ok(u64::try_from(size).unwrap_or_default())
}
