//! Migrations applied to a scratch database, to look at what they make.

use std::path::Path;

use anyhow::Result;

use super::Engine;
use super::apply::{self, Refused};
use crate::cx::{Cx, Postgres};
use crate::database::{Link, Scratch, on};

/// What came of it.
#[derive(Debug)]
pub(crate) enum Replayed<T> {
    Done(T),
    /// The database refused a migration.
    Refused(Refused),
    /// There is no PostgreSQL here; how to get one.
    NoServer(String),
}

/// Applies the migrations in `folder` to a new database of `engine`, and does `work` with it.
pub(crate) fn with<T>(
    cx: &Cx,
    engine: Engine,
    folder: &Path,
    work: impl AsyncFnOnce(&mut Link) -> Result<T>,
) -> Result<Replayed<T>> {
    if engine == Engine::Postgres
        && let Postgres::Absent(why) = cx.postgres()?
    {
        return Ok(Replayed::NoServer(why));
    }
    cx.block_on(async {
        // Removed when this is dropped.
        let scratch = Scratch::new(cx, engine).await?;
        Link::with(scratch.target(), async |link| {
            match on!(link, c => apply::run(folder, &mut *c).await)? {
                Ok(()) => work(link).await.map(Replayed::Done),
                Err(refused) => Ok(Replayed::Refused(refused)),
            }
        })
        .await
    })
}
