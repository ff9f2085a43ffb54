//! Connecting: each time to the database that was marked for here, and to no other.
//!
//! A pool opens connections for as long as a service runs, and a name may lead elsewhere by then: a
//! failover, a restored copy, a file that was put in place of another. So each new connection reads
//! the marker before it is used.

use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use marker::{Environment, Found, Refusal};
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _};
use tokio::time::timeout;

use crate::pool::{Both, QUERY_LIMIT, STATEMENT_LIMIT};
use crate::{Engine, Expected, StoreError};

/// How long to wait for a connection, a new one or one that is free.
pub(crate) const ACQUIRE_LIMIT: Duration = Duration::from_secs(3);
/// How long SQLite waits for another writer.
pub(crate) const BUSY_LIMIT: Duration = Duration::from_secs(5);
/// When PostgreSQL ends a connection that stopped in the middle of a change: whoever else wants the
/// rows would wait for as long as it stays. More than [`QUERY_LIMIT`].
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// What each connection of a pool must lead to.
#[derive(Debug)]
pub(crate) struct Check {
    environment: Environment,
    /// See [`marker::postgres::server`].
    server: Option<String>,
    /// For messages: without credentials.
    target: String,
    /// Why the newest connection was refused, if it was.
    refusal: Mutex<Option<(Instant, Refusal)>>,
}

/// The error of a connection that leads to another database.
#[derive(Debug, thiserror::Error)]
#[error("the database `{target}` is refused: {refusal}")]
pub(crate) struct Refused {
    /// The database, without credentials.
    pub(crate) target: String,
    pub(crate) refusal: Refusal,
}

impl Check {
    fn new(environment: Environment, server: Option<String>, target: String) -> Arc<Check> {
        let refusal = Mutex::new(None);
        Arc::new(Check {
            environment,
            server,
            target,
            refusal,
        })
    }

    async fn sqlite(&self, connection: &mut SqliteConnection) -> sqlx::Result<()> {
        self.judge(&marker::sqlite::read(connection).await?)
    }

    async fn postgres(&self, connection: &mut PgConnection) -> sqlx::Result<()> {
        let server = self.server.as_deref();
        self.judge(&marker::postgres::read(connection, server).await?)
    }

    fn judge(&self, found: &Found) -> sqlx::Result<()> {
        let refusal = found.check(self.environment).err();
        *self.refusal() = refusal.clone().map(|refusal| (Instant::now(), refusal));
        refusal.map_or(Ok(()), |refusal| Err(self.refused(refusal)))
    }

    /// A pool that gets no connection says only that it waited; this says why it did, where the
    /// newest was refused.
    pub(crate) fn explain(&self, error: sqlx::Error) -> sqlx::Error {
        let refusal = match error {
            sqlx::Error::PoolTimedOut => self.refusal().clone(),
            _ => None,
        };
        // Of an older one nobody knows whether it is still so: the server may be gone since.
        let refusal = refusal
            .filter(|(since, _)| since.elapsed() <= ACQUIRE_LIMIT)
            .map(|(_, refusal)| refusal);
        refusal.map_or(error, |refusal| self.refused(refusal))
    }

    fn refused(&self, refusal: Refusal) -> sqlx::Error {
        let target = self.target.clone();
        sqlx::Error::Configuration(Box::new(Refused { target, refusal }))
    }

    fn refusal(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Refusal)>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pool of a database that is there and is the expected one, and what its connections must lead
/// to from now on.
pub(crate) async fn connect(
    url: &str,
    expected: &Expected,
) -> Result<(Both<SqlitePool, PgPool>, Arc<Check>), StoreError> {
    match Engine::of_url(url)? {
        Engine::Sqlite => sqlite(url, expected).await,
        Engine::Postgres => postgres(url, expected).await,
    }
}

async fn sqlite(
    url: &str,
    expected: &Expected,
) -> Result<(Both<SqlitePool, PgPool>, Arc<Check>), StoreError> {
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
    let check = Check::new(expected.environment, None, target);
    probe(&options, &check, async |connection| {
        check.sqlite(connection).await
    })
    .await?;
    let each = Arc::clone(&check);
    let pool = SqlitePoolOptions::new()
        .acquire_timeout(ACQUIRE_LIMIT)
        .after_connect(move |connection, _| {
            let check = Arc::clone(&each);
            Box::pin(async move { check.sqlite(connection).await })
        });
    Ok((Both::Sqlite(pool.connect_lazy_with(options)), check))
}

async fn postgres(
    url: &str,
    expected: &Expected,
) -> Result<(Both<SqlitePool, PgPool>, Arc<Check>), StoreError> {
    let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::Url(Engine::Postgres))?;
    let limits = [
        ("statement_timeout", STATEMENT_LIMIT),
        ("idle_in_transaction_session_timeout", IDLE_LIMIT),
    ];
    let options = options.options(limits.map(|(name, limit)| (name, limit.as_millis())));
    let database = marker::postgres::database(&options);
    let target = match options.get_socket() {
        Some(dir) => format!("{database} at {}", dir.display()),
        None => format!(
            "{database} at {}:{}",
            options.get_host(),
            options.get_port()
        ),
    };
    let server = marker::postgres::server(&options, expected.server_id.as_deref());
    let check = Check::new(expected.environment, server, target);
    probe(&options, &check, async |connection| {
        check.postgres(connection).await
    })
    .await?;
    let each = Arc::clone(&check);
    let pool = PgPoolOptions::new()
        .acquire_timeout(ACQUIRE_LIMIT)
        .after_connect(move |connection, _| {
            let check = Arc::clone(&each);
            Box::pin(async move { check.postgres(connection).await })
        });
    Ok((Both::Postgres(pool.connect_lazy_with(options)), check))
}

/// Connects once and checks: a pool would try again until its limit, and then say only that it
/// waited.
async fn probe<O>(
    options: &O,
    check: &Check,
    read: impl AsyncFnOnce(&mut O::Connection) -> sqlx::Result<()>,
) -> Result<(), StoreError>
where
    O: ConnectOptions,
    O::Connection: Sized,
{
    let connected = timeout(ACQUIRE_LIMIT, options.connect()).await;
    let mut connection = connected
        .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
        .map_err(|source| StoreError::Connect {
            target: check.target.clone(),
            source,
        })?;
    let checked = timeout(QUERY_LIMIT, read(&mut connection)).await;
    // It was for this question alone: whether it ends well changes no answer.
    let _ = timeout(ACQUIRE_LIMIT, connection.close()).await;
    match checked {
        Ok(read) => read.map_err(|error| StoreError::of_query("MARKER", error)),
        Err(_) => Err(StoreError::Timeout {
            query: "MARKER",
            limit: QUERY_LIMIT,
        }),
    }
}
