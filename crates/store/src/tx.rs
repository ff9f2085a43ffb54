//! A change: statements that take effect together with their audit event, or not at all.

use std::future::{Ready, ready};
use std::time::Duration;

use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, timeout, timeout_at};

use crate::pool::{Both, COMMIT_LIMIT, QUERY_LIMIT, run};
use crate::{By, Store, StoreError, sql};

/// An open transaction of either engine. Dropping it takes back what was done in it.
pub(crate) struct Tx {
    open: Both<Transaction<'static, Sqlite>, Transaction<'static, Postgres>>,
    /// One for all statements: whoever gives up before the commit has changed nothing.
    deadline: Instant,
    /// Given back last. None where any number can write at once.
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Store {
    /// Begins a change. On SQLite it is the only one from now on: one that began by reading could
    /// find the lock taken when it comes to write, and no wait would help it.
    pub(crate) async fn begin(&self) -> Result<Tx, StoreError> {
        let (deadline, store) = (self.deadline(), self.clone());
        // A task sees it to its end when the caller gives up: PostgreSQL's BEGIN, left half way,
        // would put a connection back into the pool that is inside of a transaction.
        let beginning = tokio::spawn(async move {
            let (turn, open) = match store.pool {
                Both::Sqlite(pool) => {
                    let turn = store.writing.lock_owned().await;
                    let open = pool.begin_with(sql::sqlite::BEGIN).await;
                    (Some(turn), open.map(Both::Sqlite))
                }
                Both::Postgres(pool) => {
                    let open = pool.begin_with(sql::postgres::BEGIN).await;
                    (None, open.map(Both::Postgres))
                }
            };
            let open = open.map_err(|error| store.check.explain(error))?;
            Ok(Tx {
                open,
                deadline,
                _turn: turn,
            })
        });
        match timeout_at(deadline, beginning).await {
            Ok(begun) => begun
                .unwrap_or(Err(sqlx::Error::WorkerCrashed))
                .map_err(|error| StoreError::of_query("BEGIN", error)),
            Err(_) => Err(timed_out("BEGIN", QUERY_LIMIT)),
        }
    }
}

impl Tx {
    /// Commits, together with the event that says what was done by whom.
    pub(crate) async fn commit_as(
        mut self,
        by: &By<'_>,
        action: &str,
        subject: &str,
        detail: &str,
    ) -> Result<(), StoreError> {
        let _: (i64,) = run!(
            &mut self,
            fetch_one,
            RECORD,
            (by.actor, action, subject, detail, by.request_id)
        )?;
        self.commit_silently().await
    }

    /// Commits what nobody needs to be told of. After an error nobody knows whether it took
    /// effect: the answer to a COMMIT may be what was lost.
    pub(crate) async fn commit_silently(self) -> Result<(), StoreError> {
        let committing = async {
            match self.open {
                Both::Sqlite(open) => open.commit().await,
                Both::Postgres(open) => open.commit().await,
            }
        };
        // The turn ends with `self`, after the commit.
        match timeout(COMMIT_LIMIT, committing).await {
            Ok(committed) => committed.map_err(|error| StoreError::of_query("COMMIT", error)),
            Err(_) => Err(timed_out("COMMIT", COMMIT_LIMIT)),
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// The connection that the transaction is on; a future only to be like [`Store`]'s.
    pub(crate) fn connection(
        &mut self,
    ) -> Ready<sqlx::Result<Both<&mut SqliteConnection, &mut PgConnection>>> {
        ready(Ok(match &mut self.open {
            Both::Sqlite(open) => Both::Sqlite(&mut *open),
            Both::Postgres(open) => Both::Postgres(&mut *open),
        }))
    }
}

fn timed_out(query: &'static str, limit: Duration) -> StoreError {
    StoreError::Timeout { query, limit }
}
