//! Migrations applied to a scratch database, to look at what they make.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, SqlSafeStr as _};

use super::Engine;
use super::apply::{self, Refused};
use super::schema::{self, logical::Logical};
use crate::cx::{Cx, Postgres};

/// What came of it.
#[derive(Debug)]
pub(crate) enum Replayed<T> {
    Done(T),
    /// The database refused a migration.
    Refused(Refused),
    /// There is no PostgreSQL here; how to get one.
    NoServer(String),
}

/// A freshly migrated database.
#[derive(Debug)]
pub(crate) enum Scratch {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Scratch {
    /// The text that is committed as `migrations/schema.*.sql`.
    pub(crate) async fn text(&mut self) -> Result<String> {
        match self {
            Scratch::Postgres(connection) => schema::postgres::read(connection).await,
            Scratch::Sqlite(connection) => schema::sqlite::read(connection).await,
        }
    }

    pub(crate) async fn logical(&mut self) -> Result<Logical> {
        match self {
            Scratch::Postgres(connection) => Logical::postgres(connection).await,
            Scratch::Sqlite(connection) => Logical::sqlite(connection).await,
        }
    }

    /// Prepares a statement; answers what the database has against it.
    pub(crate) async fn refuses(&mut self, sql: &str) -> Result<Option<String>> {
        let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
        let error = match self {
            Scratch::Postgres(connection) => connection.prepare(sql).await.err(),
            Scratch::Sqlite(connection) => connection.prepare(sql).await.err(),
        };
        match error {
            Some(sqlx::Error::Database(why)) => Ok(Some(why.message().to_owned())),
            Some(error) => Err(error).context("failed to prepare a statement"),
            None => Ok(None),
        }
    }
}

/// Applies the migrations in `folder` to a new database of `engine`, and does `work` with it.
pub(crate) fn with<T>(
    cx: &Cx,
    engine: Engine,
    folder: &Path,
    work: impl AsyncFnOnce(&mut Scratch) -> Result<T>,
) -> Result<Replayed<T>> {
    let cluster = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => match cx.postgres()? {
            Postgres::Running(cluster) => Some(cluster),
            Postgres::Absent(why) => return Ok(Replayed::NoServer(why)),
        },
    };
    cx.block_on(async {
        // Removed when this is dropped.
        let database;
        let (mut scratch, applied) = if let Some(cluster) = cluster {
            let made = cluster.handle().empty_database().await;
            database = made.context("failed to create a scratch database")?;
            let mut connection = apply::open_postgres(&database.url).await?;
            let applied = apply::run(folder, &mut connection).await?;
            (Scratch::Postgres(connection), applied)
        } else {
            static SERIAL: AtomicU32 = AtomicU32::new(0);
            let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
            let file = cx.tmp().join(format!("replay-{serial}.db"));
            let mut connection = apply::open_sqlite(&file).await?;
            let applied = apply::run(folder, &mut connection).await?;
            (Scratch::Sqlite(connection), applied)
        };
        if let Err(refused) = applied {
            return Ok(Replayed::Refused(refused));
        }
        let done = work(&mut scratch).await?;
        match scratch {
            Scratch::Postgres(connection) => connection.close().await?,
            Scratch::Sqlite(connection) => connection.close().await?,
        }
        Ok(Replayed::Done(done))
    })
}
