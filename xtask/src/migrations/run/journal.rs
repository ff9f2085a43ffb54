//! What the runner was about to do when it was killed.
//!
//! A migration in a transaction is there or not there, with its row in `_sqlx_migrations`: it needs
//! no journal. One outside of a transaction may be half there, so a row of `_migration_journal` is
//! committed before its statement is sent.

use anyhow::{Context as _, Result};
use sqlx::migrate::Migration;

use crate::database::{Link, on};
use crate::failpoint;
use crate::migrations::Engine;

/// How far a migration has come. What each state means for a run that finds it is in
/// [`super::step::resume`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing of it was sent.
    Planned,
    /// Outside of a transaction: its row is committed, its statement is about to be sent.
    Begun,
    /// Outside of a transaction: its statement has ended and its result was checked.
    Ran,
    /// `_sqlx_migrations` has it.
    Recorded,
}

impl State {
    pub(crate) const ALL: [State; 4] = [State::Planned, State::Begun, State::Ran, State::Recorded];

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            State::Planned => "planned",
            State::Begun => "begun",
            State::Ran => "ran",
            State::Recorded => "recorded",
        }
    }
}

/// A row of `_migration_journal`.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) version: i64,
    pub(crate) checksum: Vec<u8>,
    /// As it is written there; a hand may have written anything.
    pub(crate) state: String,
    /// What the catalog was before the statement, see [`super::outside`].
    pub(crate) before: String,
}

/// What finishes a migration that is in the journal.
pub(crate) const RESUME: &str = "cargo xtask migrate --resume";

impl Entry {
    /// What it means for everybody else.
    pub(crate) fn problem(&self) -> String {
        format!(
            "version {} was begun by a run that was killed",
            self.version
        )
    }

    pub(crate) fn state(&self) -> Option<State> {
        State::ALL
            .into_iter()
            .find(|state| state.as_str() == self.state)
    }
}

const TABLE: &str = "_migration_journal";

/// Makes the table where it is not there.
pub(super) async fn ensure(link: &mut Link) -> Result<()> {
    let sql = match link.engine() {
        Engine::Postgres => {
            "create table if not exists _migration_journal (
                version bigint primary key,
                checksum bytea not null,
                state text not null,
                before text not null,
                at timestamptz not null default now()
            )"
        }
        Engine::Sqlite => {
            "create table if not exists _migration_journal (
                version bigint primary key,
                checksum blob not null,
                state text not null,
                before text not null,
                at text not null default (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
            )"
        }
    };
    link.execute(sql)
        .await
        .context("failed to create the journal of the migrations")
}

/// The rows, none where there is no table. Writes nothing.
pub(crate) async fn read(link: &mut Link) -> Result<Vec<Entry>> {
    const SQL: &str =
        "select version, checksum, state, before from _migration_journal order by version";
    if !super::state::has_table(link, TABLE).await? {
        return Ok(Vec::new());
    }
    let rows: Vec<(i64, Vec<u8>, String, String)> =
        on!(link, c => sqlx::query_as(SQL).fetch_all(&mut *c).await)
            .context("failed to read the journal of the migrations")?;
    Ok(rows
        .into_iter()
        .map(|(version, checksum, state, before)| Entry {
            version,
            checksum,
            state,
            before,
        })
        .collect())
}

/// Commits that `migration` is about to be run.
pub(super) async fn begin(link: &mut Link, migration: &Migration, before: &str) -> Result<()> {
    const SQL: &str = "insert into _migration_journal (version, checksum, state, before) values ($1, $2, $3, $4)
        on conflict (version) do update set checksum = excluded.checksum, state = excluded.state, before = excluded.before";
    let checksum = migration.checksum.to_vec();
    on!(link, c => sqlx::query(SQL)
        .bind(migration.version)
        .bind(checksum)
        .bind(State::Begun.as_str())
        .bind(before)
        .execute(&mut *c)
        .await
        .map(drop))
    .context("failed to write the journal of the migrations")?;
    failpoint::reached(State::Begun.as_str());
    Ok(())
}

/// Commits that its statement has done its work.
pub(super) async fn ran(link: &mut Link, version: i64) -> Result<()> {
    const SQL: &str = "update _migration_journal set state = $2 where version = $1";
    on!(link, c => sqlx::query(SQL).bind(version).bind(State::Ran.as_str()).execute(&mut *c).await.map(drop))
        .context("failed to write the journal of the migrations")?;
    failpoint::reached(State::Ran.as_str());
    Ok(())
}

/// Forgets it: it is recorded, or nothing of it is left.
pub(super) async fn forget(link: &mut Link, version: i64) -> Result<()> {
    const SQL: &str = "delete from _migration_journal where version = $1";
    on!(link, c => sqlx::query(SQL).bind(version).execute(&mut *c).await.map(drop))
        .context("failed to write the journal of the migrations")
}
