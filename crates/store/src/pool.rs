//! A pool of connections to the right database, and running statements on it.

use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::PgPool;
use sqlx::sqlite::SqlitePool;
use sqlx::{Postgres, Sqlite};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};

use crate::connect::{self, Check};
use crate::{Engine, Environment, StoreError};

/// How long a statement may take, with the wait for a connection; a change has as much for all of
/// its statements up to the COMMIT. More than [`connect::ACQUIRE_LIMIT`] with
/// [`connect::BUSY_LIMIT`], or with twice [`STATEMENT_LIMIT`]: whoever is told that there was no
/// answer may ask again, and what was given up must not be done after all.
pub(crate) const QUERY_LIMIT: Duration = Duration::from_millis(8500);
/// How long to wait for the answer to a COMMIT: after it, nobody knows whether there was one.
pub(crate) const COMMIT_LIMIT: Duration = Duration::from_secs(3);
/// When PostgreSQL itself gives up a statement, which it would not do for a caller that has gone.
/// It counts parsing, which may wait for a lock, and execution apart.
pub(crate) const STATEMENT_LIMIT: Duration = Duration::from_millis(2500);
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
    /// What each connection of the pool is held against.
    pub(crate) check: Arc<Check>,
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
    /// Opens the database behind `url` and checks that it is the one that was marked so, now and
    /// with each connection that is opened later: once they lead elsewhere, statements end with
    /// [`StoreError::Refused`]. Does not create or migrate anything.
    ///
    /// # Errors
    /// [`StoreError::Scheme`] and [`StoreError::Url`] for a URL that cannot be used,
    /// [`StoreError::Connect`] when nothing answers within 3 s, [`StoreError::Refused`] when it is not the
    /// expected database.
    pub async fn connect(url: &str, expected: impl Into<Expected>) -> Result<Store, StoreError> {
        let (pool, check) = connect::connect(url, &expected.into()).await?;
        Ok(Store {
            pool,
            check,
            writing: Arc::default(),
        })
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
            Both::Sqlite(pool) => pool.acquire().await.map(Both::Sqlite),
            Both::Postgres(pool) => pool.acquire().await.map(Both::Postgres),
        }
        .map_err(|error| self.check.explain(error))?;
        metrics::histogram!("db_pool_acquire_seconds").record(began.elapsed());
        Ok(connection)
    }
}
