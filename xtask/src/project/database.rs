//! The local database: migrated, marked, seeded. Nothing is written to one of another environment.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, Executor as _, Row as _};

use super::setup::ENV_FILE;
use crate::exit::Problem;
use crate::migrations::{Engine, apply};

pub(crate) const SEED: &str = "migrations/seed.sql";

/// Migrates, marks and seeds; says what it did.
pub(crate) async fn prepare(root: &Path, url: &str) -> Result<Vec<String>> {
    if let Some(file) = sqlite_file(root, url) {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to create `{}`", folder.display()))?;
        }
        let mut connection = apply::open_sqlite(&file).await?;
        let done = bring_up(root, Engine::Sqlite, &mut connection).await;
        connection
            .close()
            .await
            .context("failed to close the local database")?;
        return done;
    }
    if !url.starts_with("postgres:") && !url.starts_with("postgresql:") {
        return Err(
            Problem::precondition("DATABASE_URL is neither `sqlite:` nor `postgres:`")
                .help(format!(
                    "set it in `{ENV_FILE}`, for example sqlite://data/local.db"
                ))
                .into(),
        );
    }
    let mut connection = apply::open_postgres(url).await.context(
        Problem::precondition("failed to reach the local PostgreSQL of DATABASE_URL").help(
            format!(
                "start the server and create the database, or remove DATABASE_URL from `{ENV_FILE}`"
            ),
        ),
    )?;
    let done = bring_up(root, Engine::Postgres, &mut connection).await;
    connection
        .close()
        .await
        .context("failed to close the local database")?;
    done
}

/// The file of a `sqlite:` URL, relative ones from the root.
fn sqlite_file(root: &Path, url: &str) -> Option<PathBuf> {
    let rest = url.strip_prefix("sqlite:")?;
    let path = rest.strip_prefix("//").unwrap_or(rest).split('?').next()?;
    Some(root.join(path))
}

/// What `env_marker` says; an error where the table is not there.
async fn marker<C>(connection: &mut C) -> Result<Option<String>, sqlx::Error>
where
    C: sqlx::Connection,
    for<'a> &'a mut C: sqlx::Executor<'a, Database = C::Database>,
    for<'r> String: sqlx::Decode<'r, C::Database> + sqlx::Type<C::Database>,
    for<'r> i64: sqlx::Decode<'r, C::Database> + sqlx::Type<C::Database>,
    usize: sqlx::ColumnIndex<<C::Database as sqlx::Database>::Row>,
{
    let row = connection
        .fetch_optional("select env from env_marker where id = 1")
        .await?;
    row.map(|row| row.try_get(0)).transpose()
}

async fn bring_up<C>(root: &Path, engine: Engine, connection: &mut C) -> Result<Vec<String>>
where
    C: sqlx::Connection + sqlx::migrate::Migrate,
    for<'a> &'a mut C: sqlx::Acquire<'a, Database = C::Database, Connection = &'a mut C>
        + sqlx::Executor<'a, Database = C::Database>,
    for<'r> String: sqlx::Decode<'r, C::Database> + sqlx::Type<C::Database>,
    for<'r> i64: sqlx::Decode<'r, C::Database> + sqlx::Type<C::Database>,
    usize: sqlx::ColumnIndex<<C::Database as sqlx::Database>::Row>,
{
    let mut lines = Vec::new();
    let damaged = || {
        Problem::precondition("the local database cannot be used")
            .help("it is local: move the file away, then run `cargo xtask setup` again")
    };
    // Before anything is written: is this a database of ours at all?
    let tables = match engine {
        Engine::Sqlite => "select count(*) from sqlite_master where type = 'table'",
        Engine::Postgres => {
            "select count(*) from information_schema.tables where table_schema = 'public'"
        }
    };
    let tables: i64 = connection
        .fetch_one(tables)
        .await
        .with_context(damaged)?
        .try_get(0)?;
    let marker = marker(connection).await;
    let is_ours = match (&marker, engine) {
        _ if tables == 0 => true,
        (Ok(Some(marker)), _) => marker == "dev",
        // A local file that an earlier run did not get to mark.
        (Ok(None), Engine::Sqlite) => true,
        _ => false,
    };
    if !is_ours {
        let what = match marker {
            Ok(Some(other)) => format!("the database is marked `{other}`, not `dev`"),
            _ => "the database has tables and no marker".to_owned(),
        };
        return Err(
            Problem::precondition(format!("{what}; nothing was changed"))
                .help(format!(
                    "DATABASE_URL points at another database: mend it in `{ENV_FILE}`"
                ))
                .into(),
        );
    }
    let before = connection
        .list_applied_migrations("_sqlx_migrations")
        .await
        .map_or(0, |applied| applied.len());
    if let Err(refused) = apply::run(&root.join(engine.folder()), &mut *connection).await? {
        return Err(anyhow::anyhow!("{}", refused.message()).context(damaged()));
    }
    let after = connection
        .list_applied_migrations("_sqlx_migrations")
        .await
        .with_context(damaged)?
        .len();
    lines.push(match after - before.min(after) {
        0 => format!(
            "ok    local {} database: {after} migrations applied",
            engine.name()
        ),
        new => format!(
            "done  local {} database: applied {new} of {after} migrations",
            engine.name()
        ),
    });

    if matches!(marker, Ok(Some(_))) {
        lines.push("ok    database marked `dev`".to_owned());
    } else {
        connection
            .execute("insert into env_marker (id, env) values (1, 'dev')")
            .await
            .context("failed to mark the database")?;
        lines.push("done  database marked `dev`".to_owned());
    }
    let seed = root.join(SEED);
    if seed.is_file() {
        let sql =
            std::fs::read_to_string(&seed).with_context(|| format!("failed to read `{SEED}`"))?;
        // A file of this repository, applied to a local database only.
        connection
            .execute(sqlx::raw_sql(sqlx::AssertSqlSafe(sql)))
            .await
            .with_context(|| format!("failed to apply `{SEED}`"))?;
        lines.push(format!("ok    seeded from `{SEED}`"));
    }
    Ok(lines)
}
