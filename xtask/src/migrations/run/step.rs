//! Applying one migration.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sqlx::migrate::{Migrate as _, MigrateError, Migration};

use super::journal::{self, State};
use super::outside::{self, Outcome};
use super::retry::{Again, GaveUp, until_locked};
use super::{Event, Events, Limits, failpoint, retry, state};
use crate::database::{Link, on};
use crate::exit::{Code, Problem};
use crate::migrations::Engine;
use crate::migrations::apply::Refused;
use crate::migrations::lint::Sql;

/// A migration that is pending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub(super) migration: &'a Migration,
    pub(super) source: &'a Sql,
    pub(super) limits: &'a Limits,
}

impl Step<'_> {
    /// Applies it.
    pub(super) async fn apply(&self, link: &mut Link, events: &mut Events<'_>) -> Result<()> {
        let migration = self.migration;
        failpoint::reached(State::Planned);
        events(&Event::Begun {
            version: migration.version,
            name: &migration.description,
            in_transaction: !migration.no_tx,
        });
        let began = Instant::now();
        let result = if migration.no_tx {
            self.outside(link).await
        } else {
            self.inside(link, events).await
        };
        if let Err(error) = result {
            events(&Event::Failed {
                version: migration.version,
                error: format!("{error:#}"),
            });
            return Err(error);
        }
        failpoint::reached(State::Recorded);
        events(&Event::Applied {
            version: migration.version,
            took: began.elapsed(),
        });
        Ok(())
    }

    /// In one transaction with its row: there or not there. A lock that is not had is asked for again.
    async fn inside(&self, link: &mut Link, events: &mut Events<'_>) -> Result<()> {
        let version = self.migration.version;
        let done = until_locked(
            self.limits,
            async || self.transaction(link).await,
            passing,
            |again| {
                let Again {
                    attempt,
                    code,
                    pause,
                } = again;
                events(&Event::Retried {
                    version,
                    attempt,
                    code,
                    pause,
                });
            },
        );
        let Err(GaveUp { error, passing }) = done.await else {
            return Ok(());
        };
        let is_unknown =
            matches!(&error, MigrateError::Execute(cause) if cause.as_database_error().is_none());
        let what = self.refused(error);
        let problem = match passing {
            _ if is_unknown => Problem::new(
                Code::Red,
                format!("{what}; whether it was committed is not known"),
            )
            .help("once the database answers again: cargo xtask migrate status, and change no file before"),
            Some(attempts) => Problem::new(Code::Busy, format!("{what}, {attempts} times"))
                .help("something holds the table for long: look at pg_stat_activity, then run this again; nothing of this migration is left"),
            None => Problem::new(Code::Red, what).help(
                "nothing of this migration is left, what was applied before it stays; mend the file, which no database has yet",
            ),
        };
        Err(problem.into())
    }

    /// Four round trips and one commit; sqlx's own `apply` commits a second time, for the duration.
    async fn transaction(&self, link: &mut Link) -> Result<(), MigrateError> {
        let (migration, limits) = (self.migration, self.limits);
        let began = Instant::now();
        let opening = match link.engine() {
            Engine::Postgres => format!(
                "begin; set local lock_timeout = {}; set local statement_timeout = {}",
                limits.lock.as_millis(),
                limits.statement.as_millis()
            ),
            Engine::Sqlite => "begin immediate".to_owned(),
        };
        link.execute(&opening).await?;
        let version = migration.version;
        let done = match link.execute(migration.sql.as_str()).await {
            Err(error) => Err(MigrateError::ExecuteMigration(error, version)),
            Ok(()) => on!(link, c => c.skip(state::TABLE, migration).await),
        };
        if let Err(error) = done {
            // Where the session is gone, so is its transaction.
            let _ = link.execute("rollback").await;
            return Err(error);
        }
        let commit = format!(
            "update {} set execution_time = {} where version = {version}; commit",
            state::TABLE,
            began.elapsed().as_nanos()
        );
        Ok(link.execute(&commit).await?)
    }

    /// Under the journal: its row first, then the statement, then a look at what it left, then sqlx's
    /// row.
    async fn outside(&self, link: &mut Link) -> Result<()> {
        let before = outside::before(link, self.migration.sql.as_str()).await?;
        journal::begin(link, self.migration, &before).await?;
        self.send(link, &before).await
    }

    /// Sends the statement whose row is in the journal.
    async fn send(&self, link: &mut Link, before: &str) -> Result<()> {
        let migration = self.migration;
        let sql = migration.sql.as_str();
        // It waits for others without holding anybody up.
        settings(link, Duration::ZERO, self.limits.outside).await?;
        if let Err(error) = link.execute(sql).await {
            let what = self.refused(MigrateError::ExecuteMigration(error, migration.version));
            // The file may have begun a transaction, which the journal is not to be part of.
            let _ = link.execute("rollback").await;
            let (outcome, dropped) = outside::settle(link, sql, before).await.context(
                Problem::new(Code::Red, what.clone())
                    .help("once the database answers again: cargo xtask migrate --resume"),
            )?;
            if outcome != Outcome::Again {
                return Err(Problem::new(Code::Red, format!("{what}; what it did before is not known"))
                    .help("look at the database, then say it: cargo xtask migrate --resume --done VERSION, or --undone VERSION")
                    .into());
            }
            journal::forget(link, migration.version).await?;
            let dropped = dropped.map_or(String::new(), |name| {
                format!("; dropped what it left invalid: `{name}`")
            });
            return Err(Problem::new(Code::Red, format!("{what}{dropped}"))
                .help(
                    "nothing of this migration is left; mend the rows or the file, then run this again",
                )
                .into());
        }
        self.verify(link).await?;
        journal::ran(link, migration.version).await?;
        self.record(link).await
    }

    /// A statement that ended well may still not have done what it says.
    async fn verify(&self, link: &mut Link) -> Result<()> {
        let Some((index, fault)) = outside::fault(link, self.migration.sql.as_str()).await? else {
            return Ok(());
        };
        journal::forget(link, self.migration.version).await?;
        Err(Problem::new(
            Code::Red,
            format!("`{}` ended, and the index `{index}` {fault}", self.source.file),
        )
        .help(format!(
            "what is there is of an earlier attempt: DROP INDEX CONCURRENTLY {index}; then run this again"
        ))
        .into())
    }

    async fn record(&self, link: &mut Link) -> Result<()> {
        on!(link, c => c.skip(state::TABLE, self.migration).await)
            .context("failed to record the migration")?;
        journal::forget(link, self.migration.version).await
    }

    /// Finishes what a killed run began: `decided` is what a person says of a statement whose effect
    /// the catalog does not show.
    pub(super) async fn resume(
        &self,
        link: &mut Link,
        entry: &journal::Entry,
        decided: Option<bool>,
    ) -> Result<()> {
        let migration = self.migration;
        let ran = match entry.state() {
            Some(State::Ran) => decided.unwrap_or(true),
            Some(State::Begun) => {
                let (outcome, _) =
                    outside::settle(link, migration.sql.as_str(), &entry.before).await?;
                match (decided, outcome) {
                    (Some(done), _) => done,
                    (None, Outcome::Done) => true,
                    (None, Outcome::Again) => false,
                    (None, Outcome::Unknown) => {
                        let version = migration.version;
                        return Err(Problem::precondition(format!(
                            "`{}` was sent and the run was killed: whether it was done cannot be seen",
                            self.source.file
                        ))
                        .help(format!(
                            "look at the database, then say it: cargo xtask migrate --resume --done {version}, or --undone {version}"
                        ))
                        .into());
                    }
                }
            }
            Some(State::Planned | State::Recorded) | None => {
                return Err(Problem::bug(format!(
                    "a journal in the state `{}` was not refused",
                    entry.state
                ))
                .into());
            }
        };
        if ran {
            self.verify(link).await?;
            return self.record(link).await;
        }
        self.send(link, &entry.before).await
    }

    /// What the database said of it, with the place where it is known.
    fn refused(&self, error: MigrateError) -> String {
        let refused = Refused::from(error);
        format!("{}: {}", refused.place(self.source), refused.message())
    }
}

fn passing(error: &MigrateError) -> Option<&'static str> {
    match error {
        MigrateError::ExecuteMigration(cause, _) | MigrateError::Execute(cause) => {
            retry::passing(cause)
        }
        _ => None,
    }
}

/// A migration may have changed them for its session.
pub(super) async fn settings(link: &mut Link, lock: Duration, statement: Duration) -> Result<()> {
    let Link::Postgres { connection, .. } = link else {
        return Ok(());
    };
    sqlx::query(
        "select set_config('lock_timeout', $1, false), set_config('statement_timeout', $2, false)",
    )
    .bind(format!("{}ms", lock.as_millis()))
    .bind(format!("{}ms", statement.as_millis()))
    .execute(connection)
    .await
    .context("failed to set the timeouts of the session")?;
    Ok(())
}
