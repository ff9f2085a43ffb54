//! Connecting to a database that is the right one, and running statements on it.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _, Postgres, Sqlite};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::{Engine, Environment, StoreError};

/// How long to wait for a connection, a new one or one that is free.
const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// How long SQLite waits for another writer.
const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// How long a statement may take, with the wait for a connection; a change has as much for all of
/// its statements up to the COMMIT. More than [`ACQUIRE_LIMIT`] with [`BUSY_LIMIT`], or with twice
/// [`STATEMENT_LIMIT`]: whoever is told that there was no answer may ask again, and what was given
/// up must not be done after all.
pub(crate) const QUERY_LIMIT: Duration = Duration::from_millis(8500);
/// How long to wait for the answer to a COMMIT: after it, nobody knows whether there was one.
pub(crate) const COMMIT_LIMIT: Duration = Duration::from_secs(3);
/// When PostgreSQL itself gives up a statement, which it would not do for a caller that has gone.
/// It counts parsing, which may wait for a lock, and execution apart.
pub(crate) const STATEMENT_LIMIT: Duration = Duration::from_millis(2500);
/// When PostgreSQL ends a connection that stopped in the middle of a change: whoever else wants the
/// rows would wait for as long as it stays. More than [`QUERY_LIMIT`].
const IDLE_LIMIT: Duration = Duration::from_secs(10);
/// How long statements under way may hold up [`Store::close`].
const CLOSE_LIMIT: Duration = Duration::from_secs(3);
/// How long [`Store::ping`] may take.
const PING_LIMIT: Duration = Duration::from_secs(1);

/// The same thing of either engine.
#[derive(Debug, Clone)]
pub(crate) enum Both<S, P> {
    Sqlite(S),
    Postgres(P),
}

/// The database of a service. Cheap to clone: clones share one pool.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) pool: Both<SqlitePool, PgPool>,
    /// Whose turn it is to write to SQLite, which has one writer: here they wait in line, and keep
    /// no connection from those who read.
    pub(crate) writing: Arc<Mutex<()>>,
}

/// The database that a service means to open.
#[derive(Debug, Clone)]
pub struct Expected {
    /// What it must be marked as.
    pub environment: Environment,
    /// The name given to its server when it was marked, where the address is not stable.
    pub server_id: Option<String>,
}

impl From<Environment> for Expected {
    fn from(environment: Environment) -> Expected {
        Expected {
            environment,
            server_id: None,
        }
    }
}

/// How many connections a [`Store`] holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolState {
    /// Open, with nothing to do.
    pub idle: usize,
    /// Running a statement, or inside a transaction.
    pub used: usize,
}

/// Runs the statement `$name` of the registry on whichever engine `$on` is of, a [`Store`] or a
/// change ([`Tx`](crate::tx::Tx)): `run!(store, fetch_all, MENU, (bind, bind))`.
macro_rules! run {
    ($on:expr, $fetch:ident, $name:ident, ($($bind:expr),*)) => {{
        let deadline = $on.deadline();
        let running = async {
            let mut connection = $on.connection().await?;
            match &mut connection {
                $crate::pool::Both::Sqlite(on) => {
                    sqlx::query_as($crate::sql::sqlite::$name)$(.bind($bind))*.$fetch(&mut **on).await
                }
                $crate::pool::Both::Postgres(on) => {
                    sqlx::query_as($crate::sql::postgres::$name)$(.bind($bind))*.$fetch(&mut **on).await
                }
            }
        };
        match tokio::time::timeout_at(deadline, running).await {
            Ok(done) => done.map_err(|e| $crate::StoreError::of_query(stringify!($name), e)),
            Err(_) => Err($crate::StoreError::Timeout {
                query: stringify!($name),
                limit: $crate::pool::QUERY_LIMIT,
            }),
        }
    }};
}
pub(crate) use run;

impl Store {
    /// Opens the database behind `url` and checks that it is the one that was marked so. Does not
    /// create or migrate anything.
    ///
    /// # Errors
    /// [`StoreError::Scheme`] and [`StoreError::Url`] for a URL that cannot be used,
    /// [`StoreError::Connect`] when nothing answers within 3 s, [`StoreError::Refused`] when it is not the
    /// expected database.
    pub async fn connect(url: &str, expected: impl Into<Expected>) -> Result<Store, StoreError> {
        let expected = expected.into();
        let (pool, at) = match Engine::of_url(url)? {
            Engine::Sqlite => connect_sqlite(url).await?,
            Engine::Postgres => connect_postgres(url, expected.server_id.as_deref()).await?,
        };
        let store = Store {
            pool,
            writing: Arc::default(),
        };
        let checked = store.check_marker(at, expected.environment).await;
        if checked.is_err() {
            store.close().await;
        }
        checked.map(|()| store)
    }

    /// The engine of this database.
    pub fn engine(&self) -> Engine {
        match self.pool {
            Both::Sqlite(_) => Engine::Sqlite,
            Both::Postgres(_) => Engine::Postgres,
        }
    }

    /// Asks the database for an answer, within 1 s.
    ///
    /// # Errors
    /// [`StoreError::Timeout`] or [`StoreError::Unavailable`] when there is none.
    pub async fn ping(&self) -> Result<(), StoreError> {
        let pinging = async { run!(self, fetch_one, PING, ()) };
        let _: (i64,) = timeout(PING_LIMIT, pinging)
            .await
            .unwrap_or(Err(StoreError::Timeout {
                query: "PING",
                limit: PING_LIMIT,
            }))?;
        Ok(())
    }

    /// What the connections are doing at this moment.
    pub fn pool_state(&self) -> PoolState {
        let (size, idle) = match &self.pool {
            Both::Sqlite(pool) => (pool.size(), pool.num_idle()),
            Both::Postgres(pool) => (pool.size(), pool.num_idle()),
        };
        // The two are read one after the other.
        let used = (size as usize).saturating_sub(idle);
        PoolState { idle, used }
    }

    /// Closes the pool: lets no new statement begin, and waits for those under way, at most 3 s.
    pub async fn close(&self) {
        let closed = async {
            match &self.pool {
                Both::Sqlite(pool) => pool.close().await,
                Both::Postgres(pool) => pool.close().await,
            }
        };
        // A server that is silent, or that waits for a lock, would hold up the exit for ever.
        let _ = timeout(CLOSE_LIMIT, closed).await;
    }

    /// When a statement that begins now has had its time.
    #[expect(
        clippy::unused_self,
        reason = "`run!` asks a change for its own in the same way"
    )]
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + QUERY_LIMIT
    }

    /// A connection of the pool, for one statement.
    pub(crate) async fn connection(
        &self,
    ) -> sqlx::Result<Both<PoolConnection<Sqlite>, PoolConnection<Postgres>>> {
        let began = Instant::now();
        let connection = match &self.pool {
            Both::Sqlite(pool) => Both::Sqlite(pool.acquire().await?),
            Both::Postgres(pool) => Both::Postgres(pool.acquire().await?),
        };
        metrics::histogram!("db_pool_acquire_seconds").record(began.elapsed());
        Ok(connection)
    }

    async fn check_marker(&self, at: At, expected: Environment) -> Result<(), StoreError> {
        let reading = async {
            match self.connection().await? {
                Both::Sqlite(mut on) => marker::sqlite::read(&mut on).await,
                Both::Postgres(mut on) => {
                    marker::postgres::read(&mut on, at.server.as_deref()).await
                }
            }
        };
        let found = match timeout(QUERY_LIMIT, reading).await {
            Ok(read) => read.map_err(|e| StoreError::of_query("MARKER", e))?,
            Err(_) => {
                return Err(StoreError::Timeout {
                    query: "MARKER",
                    limit: QUERY_LIMIT,
                });
            }
        };
        found
            .check(expected)
            .map_err(|refusal| StoreError::Refused {
                target: at.target,
                refusal,
            })
    }
}

/// Where a database was found.
struct At {
    /// For messages: without credentials.
    target: String,
    /// See [`marker::postgres::server`].
    server: Option<String>,
}

async fn connect_sqlite(url: &str) -> Result<(Both<SqlitePool, PgPool>, At), StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Url(Engine::Sqlite))?
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
    let server = None;
    Ok((
        Both::Sqlite(pool.connect_lazy_with(options)),
        At { target, server },
    ))
}

async fn connect_postgres(
    url: &str,
    server_id: Option<&str>,
) -> Result<(Both<SqlitePool, PgPool>, At), StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Url(Engine::Postgres))?;
    let limits = [
        ("statement_timeout", STATEMENT_LIMIT),
        ("idle_in_transaction_session_timeout", IDLE_LIMIT),
    ];
    let options = options.options(limits.map(|(name, limit)| (name, limit.as_millis())));
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
    let server = marker::postgres::server(&options, server_id);
    Ok((
        Both::Postgres(pool.connect_lazy_with(options)),
        At { target, server },
    ))
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
