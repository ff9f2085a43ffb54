//! `cargo xtask setup`: local secrets, the local database. Every step looks first, so it can be
//! repeated at any time and never replaces what is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, Executor as _, Row as _};

use crate::cli::say;
use crate::cx::{Cx, Shared};
use crate::environment;
use crate::exit::{Code, Problem};
use crate::gates::env;
use crate::migrations::{Engine, apply};

const ENV_FILE: &str = ".env.local";
const SEED: &str = "migrations/seed.sql";

pub(crate) fn run(shared: &Arc<Shared>) -> Result<Code> {
    let app_env = environment::var("APP_ENV").unwrap_or_else(|| "local".to_owned());
    if app_env != "local" {
        return Err(Problem::precondition(format!(
            "setup is for `local`, and APP_ENV is `{app_env}`"
        ))
        .help("unset APP_ENV, or prepare that environment as its runbook says")
        .into());
    }
    let lock = std::fs::File::create(shared.state().join("setup.lock"))
        .context("failed to create the lock of `setup`")?;
    lock.try_lock().map_err(|_| {
        Problem::new(Code::Busy, "another `cargo xtask setup` is running here").help("wait for it")
    })?;

    let cx = Cx::new(shared, Duration::from_mins(30));
    say("building the apps to ask them for their settings …")?;
    let settings = env::settings(&cx)?;
    let written = secrets(&shared.root, &settings)?;
    say(match written.as_slice() {
        [] => format!("ok    `{ENV_FILE}` has every secret"),
        names => format!("done  `{ENV_FILE}`: wrote {}", names.join(", ")),
    })?;

    let file = read_env(&shared.root)?;
    let default = settings
        .iter()
        .find(|(setting, _)| setting.name == "DATABASE_URL")
        .and_then(|(s, _)| s.default.clone());
    let url = environment::var("DATABASE_URL")
        .or_else(|| file.get("DATABASE_URL").cloned())
        .or(default);
    let Some(url) = url else {
        say("ok    no app has a database")?;
        return Ok(Code::Done);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for line in runtime.block_on(database(&shared.root, &url))? {
        say(line)?;
    }
    say("\nnext: cargo xtask ci")?;
    Ok(Code::Done)
}

/// Adds a random value for each secret that `.env.local` lacks; what is there stays.
fn secrets(root: &Path, settings: &[(env::Setting, Vec<String>)]) -> Result<Vec<String>> {
    let have = read_env(root)?;
    let missing: Vec<&env::Setting> = settings
        .iter()
        .map(|(setting, _)| setting)
        .filter(|setting| {
            setting.secret && setting.default.is_none() && !have.contains_key(&setting.name)
        })
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let path = root.join(ENV_FILE);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let mut text = if old.is_empty() {
        "# Secrets of this checkout, made by `cargo xtask setup`. Git ignores this file.\n"
            .to_owned()
    } else {
        old
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for setting in &missing {
        let _ = writeln!(text, "{}={}", setting.name, random()?);
    }
    // Private from its first byte; renamed into place, so that a crash leaves the old file.
    let temp = root.join(format!("{ENV_FILE}.{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&temp)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temp, &path)
    };
    write()
        .inspect_err(|_| drop(std::fs::remove_file(&temp)))
        .with_context(|| {
            Problem::precondition(format!("failed to write `{ENV_FILE}`"))
                .help("check free space and permissions")
        })?;
    Ok(missing.iter().map(|setting| setting.name.clone()).collect())
}

/// 32 random bytes of the operating system, in hexadecimal.
fn random() -> Result<String> {
    let mut bytes = [0_u8; 32];
    let mut source =
        std::fs::File::open("/dev/urandom").context("failed to open `/dev/urandom`")?;
    std::io::Read::read_exact(&mut source, &mut bytes).context("failed to read `/dev/urandom`")?;
    Ok(bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    }))
}

fn read_env(root: &Path) -> Result<BTreeMap<String, String>> {
    let text = match std::fs::read_to_string(root.join(ENV_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read `{ENV_FILE}`")),
    };
    Ok(text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            line.trim_start()
                .trim_start_matches("export ")
                .split_once('=')
        })
        .map(|(name, value)| {
            let value = value.trim();
            let quoted = ['"', '\'']
                .iter()
                .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            (name.trim().to_owned(), quoted.unwrap_or(value).to_owned())
        })
        .filter(|(_, value)| !value.is_empty())
        .collect())
}

/// Migrates, marks and seeds; says what it did.
async fn database(root: &Path, url: &str) -> Result<Vec<String>> {
    if let Some(file) = sqlite_file(root, url) {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("failed to create `{}`", folder.display()))?;
        }
        let mut connection = apply::open_sqlite(&file).await?;
        let done = prepare(root, Engine::Sqlite, &mut connection).await;
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
    let done = prepare(root, Engine::Postgres, &mut connection).await;
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

async fn prepare<C>(root: &Path, engine: Engine, connection: &mut C) -> Result<Vec<String>>
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
