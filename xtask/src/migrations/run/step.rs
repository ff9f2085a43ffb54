//! Applying one migration.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use sqlx::migrate::{Migrate as _, MigrateError, Migration};

use super::journal::{self, State};
use super::outside::{self, Outcome};
use super::retry::{Again, GaveUp, until_locked};
use super::{Event, Events, Limits, retry, state, transaction};
use crate::database::{Link, on};
use crate::exit::{Code, Problem};
use crate::failpoint;
use crate::migrations::apply::Refused;
use crate::migrations::lint::Sql;

/// A migration that is pending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step<'a> {
    pub(super) migration: &'a Migration,
    pub(super) source: &'a Sql,
    pub(super) limits: &'a Limits,
}

/// Why a migration in a transaction was not applied.
#[derive(Debug)]
enum Fault {
    /// Nothing of it is left.
    Refused(MigrateError),
    /// It ended the transaction itself, and may have failed after that.
    Ended(Option<MigrateError>),
}

impl From<sqlx::Error> for Fault {
    fn from(error: sqlx::Error) -> Self {
        Fault::Refused(MigrateError::Execute(error))
    }
}

impl Step<'_> {
    /// Applies it.
    pub(super) async fn apply(&self, link: &mut Link, events: &mut Events<'_>) -> Result<()> {
        let migration = self.migration;
        failpoint::reached(State::Planned.as_str());
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
        failpoint::reached(State::Recorded.as_str());
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
        let (error, passing) = match done.await {
            Ok(()) => return Ok(()),
            Err(GaveUp {
                error: Fault::Ended(cause),
                ..
            }) => return self.ended(link, cause).await,
            Err(GaveUp {
                error: Fault::Refused(error),
                passing,
            }) => (error, passing),
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

    /// Three round trips and one commit; sqlx's own `apply` commits a second time, for the duration.
    async fn transaction(&self, link: &mut Link) -> Result<(), Fault> {
        let migration = self.migration;
        let version = migration.version;
        let began = Instant::now();
        transaction::begin(link, self.limits, version).await?;
        if let Err(error) = link.execute(migration.sql.as_str()).await {
            let error = MigrateError::ExecuteMigration(error, version);
            return Err(if transaction::undo(link, version).await {
                Fault::Ended(Some(error))
            } else {
                Fault::Refused(error)
            });
        }
        let committed = transaction::commit(link, migration, began.elapsed()).await;
        if committed.is_err() {
            // Whatever is open now has no row.
            let _ = link.execute("rollback").await;
        }
        committed.map_err(|fault| match fault {
            transaction::Fault::Ended => Fault::Ended(None),
            transaction::Fault::Failed(error) => error.into(),
        })
    }

    /// What it committed is there without its row: the journal keeps it for a person to look at.
    async fn ended(&self, link: &mut Link, cause: Option<MigrateError>) -> Result<()> {
        let mut what = format!(
            "`{}` ended the transaction that it runs in, and what it committed stays",
            self.source.file
        );
        if let Some(cause) = cause {
            what = format!("{what}: {}", self.refused(cause));
        }
        let problem = || Problem::new(Code::Red, what.clone()).help(self.look());
        link.fresh().await.with_context(problem)?;
        journal::begin(link, self.migration, "")
            .await
            .with_context(problem)?;
        Err(problem().into())
    }

    /// What a person is to do about a statement whose effect the database does not show.
    fn look(&self) -> String {
        let version = self.migration.version;
        format!(
            "look at the database, and change no file before you say it: cargo xtask migrate --resume --done {version} where all of it is there, or --undone {version} once nothing of it is"
        )
    }

    /// Of a file that ended its transaction a person alone can tell.
    async fn decide(&self, link: &mut Link, decided: Option<bool>) -> Result<()> {
        let file = &self.source.file;
        match decided {
            Some(true) => self.record(link).await,
            Some(false) => {
                journal::forget(link, self.migration.version).await?;
                // It would end the next transaction too.
                Err(Problem::new(
                    Code::Red,
                    format!("`{file}` is begun no longer, and was not sent again"),
                )
                .help("take COMMIT and ROLLBACK out of it, then: cargo xtask migrate")
                .into())
            }
            None => Err(Problem::precondition(format!(
                "`{file}` ended the transaction that it ran in: what it committed cannot be seen"
            ))
            .help(self.look())
            .into()),
        }
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
        self.record(link).await?;
        link.fresh().await
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
        let table = state::table(link.engine());
        on!(link, c => c.skip(table, self.migration).await)
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
        if !migration.no_tx {
            return self.decide(link, decided).await;
        }
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

fn passing(error: &Fault) -> Option<&'static str> {
    match error {
        Fault::Refused(MigrateError::ExecuteMigration(cause, _) | MigrateError::Execute(cause)) => {
            retry::passing(cause)
        }
        _ => None,
    }
}

/// Of the session, until they are set again.
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
