//! Connecting to a database that is the right one, and running statements on it.

use std::str::FromStr as _;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _};
use tokio::time::timeout;

use crate::{Engine, Marker, StoreError};

/// How long to wait for a connection, a new one or one that is free.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// How long SQLite waits for another writer.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How long a statement may take, with the wait for a connection. More than [`ACQUIRE_LIMIT`]
/// with [`BUSY_LIMIT`], or with twice [`STATEMENT_LIMIT`]: whoever is told that there was no answer
/// may ask again, and what was given up must not be done after all.
pub(crate) const QUERY_LIMIT: Duration = Duration::from_millis(8500);
/// When PostgreSQL itself gives up a statement, which it would not do for a caller that has gone.
/// It counts parsing, which may wait for a lock, and execution apart.
pub(crate) const STATEMENT_LIMIT: Duration = Duration::from_millis(2500);
/// How long statements under way may hold up [`Store::close`].
const CLOSE_LIMIT: Duration = Duration::from_secs(3);
/// How long [`Store::ping`] may take.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// The open pool of either engine.
#[derive(Debug, Clone)]
pub(crate) enum Pool {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// The database of a service. Cheap to clone: clones share one pool.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: Pool,
}

/// Runs the statement `$name` of the registry on whichever engine the store speaks to:
/// `run!(store, fetch_all, MENU, LIMIT, (bind, bind))`.
macro_rules! run {
    ($store:expr, $fetch:ident, $name:ident, $limit:expr, ($($bind:expr),*)) => {{
        let running = async {
            match &$store.pool {
                $crate::pool::Pool::Sqlite(pool) => {
                    sqlx::query_as($crate::sql::sqlite::$name)$(.bind($bind))*.$fetch(pool).await
                }
                $crate::pool::Pool::Postgres(pool) => {
                    sqlx::query_as($crate::sql::postgres::$name)$(.bind($bind))*.$fetch(pool).await
                }
            }
        };
        match tokio::time::timeout($limit, running).await {
            Ok(done) => done.map_err(|e| $crate::StoreError::of_query(stringify!($name), e)),
            Err(_) => Err($crate::StoreError::Timeout { query: stringify!($name), limit: $limit }),
        }
    }};
}
pub(crate) use run;

impl Store {
    /// Opens the database behind `url` and checks that it is marked `expected`. Does not create
    /// or migrate anything.
    ///
    /// # Errors
    /// [`StoreError::Scheme`] and [`StoreError::Url`] for a URL that cannot be used,
    /// [`StoreError::Connect`] when nothing answers within 3 s, [`StoreError::Unmarked`] and
    /// [`StoreError::WrongMarker`] when it is not the expected database.
    pub async fn connect(url: &str, expected: Marker) -> Result<Store, StoreError> {
        let (pool, target) = match Engine::of_url(url)? {
            Engine::Sqlite => connect_sqlite(url).await?,
            Engine::Postgres => connect_postgres(url).await?,
        };
        let store = Store { pool };
        let checked = store.check_marker(target, expected).await;
        if checked.is_err() {
            store.close().await;
        }
        checked.map(|()| store)
    }

    /// The engine of this database.
    pub fn engine(&self) -> Engine {
        match self.pool {
            Pool::Sqlite(_) => Engine::Sqlite,
            Pool::Postgres(_) => Engine::Postgres,
        }
    }

    /// Asks the database for an answer, within 1 s.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] or [`StoreError::Unavailable`] when there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let _: (i64,) = run!(self, fetch_one, PING, PING_LIMIT, ())?;
        Ok(())
    }

    /// Closes the pool: lets no new statement begin, and waits for those under way, at most 3 s.
    pub async fn close(&self) {
        let closed = async {
            match &self.pool {
                Pool::Sqlite(pool) => pool.close().await,
                Pool::Postgres(pool) => pool.close().await,
            }
        };
        // A server that is silent, or that waits for a lock, would hold up the exit for ever.
        let _ = timeout(CLOSE_LIMIT, closed).await;
    }

    async fn check_marker(&self, target: String, expected: Marker) -> Result<(), StoreError> {
        let row: Result<Option<(String,)>, _> = run!(self, fetch_optional, MARKER, QUERY_LIMIT, ());
        match row {
            Ok(Some((found,))) if found == expected.to_string() => Ok(()),
            Ok(Some((found,))) => Err(StoreError::WrongMarker {
                target,
                expected,
                found,
            }),
            Ok(None) => Err(StoreError::Unmarked { target, expected }),
            Err(StoreError::Query { source, .. }) if is_no_such_table(&source) => {
                Err(StoreError::Unmarked { target, expected })
            }
            Err(error) => Err(error),
        }
    }
}

/// SQLite has no error code of its own for it.
fn is_no_such_table(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| {
        error.code().as_deref() == Some("42P01") || error.message().starts_with("no such table")
    })
}

async fn connect_sqlite(url: &str) -> Result<(Pool, String), StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|source| StoreError::Url {
            engine: Engine::Sqlite,
            source,
        })?
        // A mistyped path must not become an empty database.
        .create_if_missing(false)
        .foreign_keys(true)
        .journal_mode(SqliteJournalMode::Wal)
        // With a write-ahead log it loses no committed order but on power failure.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(BUSY_LIMIT);
    let target = options.get_filename().display().to_string();
    probe(&options, &target).await?;
    let pool = SqlitePoolOptions::new().acquire_timeout(ACQUIRE_LIMIT);
    Ok((Pool::Sqlite(pool.connect_lazy_with(options)), target))
}

async fn connect_postgres(url: &str) -> Result<(Pool, String), StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|source| StoreError::Url {
        engine: Engine::Postgres,
        source,
    })?;
    let limit = STATEMENT_LIMIT.as_millis();
    let options = options.options([("statement_timeout", limit)]);
    let database = options.get_database().unwrap_or_default();
    let target = match options.get_socket() {
        Some(dir) => format!("{} at {}", database, dir.display()),
        None => format!(
            "{} at {}:{}",
            database,
            options.get_host(),
            options.get_port()
        ),
    };
    probe(&options, &target).await?;
    let pool = PgPoolOptions::new().acquire_timeout(ACQUIRE_LIMIT);
    Ok((Pool::Postgres(pool.connect_lazy_with(options)), target))
}

/// Connects once: a pool would try again until its limit, and then say only that it waited.
async fn probe<O>(options: &O, target: &str) -> Result<(), StoreError>
where
    O: ConnectOptions,
    O::Connection: Sized,
{
    let probed = timeout(ACQUIRE_LIMIT, async {
        options.connect().await?.close().await
    })
    .await;
    probed
        .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
        .map_err(|source| StoreError::Connect {
            target: target.to_owned(),
            source,
        })
}
