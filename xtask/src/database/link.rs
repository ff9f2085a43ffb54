//! One connection, of either engine.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use marker::{Environment, Found};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions as _, Connection as _};

use super::pooler;
use super::target::{At, Target};
use crate::exit::Problem;
use crate::migrations::{Engine, own_tables};

/// How long a server may take to answer at first.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// Migrations go to the schema `public`, as the tables of the tool do: it stands first on the search
/// path, whatever a role or a database has there.
macro_rules! schema {
    () => {
        "select set_config('search_path', concat_ws(', ', 'public', nullif(current_setting('search_path'), '')), false)"
    };
}

/// Makes a session of PostgreSQL what it was when it was opened: an earlier migration may have set
/// something for it, or become another role.
pub(crate) const FRESH: &str = concat!(
    "reset session authorization; reset role; reset all; ",
    schema!()
);

/// A dedicated connection: no pool, so that what a session holds ends with it.
#[derive(Debug)]
pub(crate) enum Link {
    Postgres {
        connection: PgConnection,
        server: Option<String>,
    },
    Sqlite {
        connection: SqliteConnection,
    },
}

/// Runs the same expression on the connection of either engine: `on!(link, c => c.ping().await)`.
macro_rules! on {
    ($link:expr, $c:ident => $do:expr) => {
        match $link {
            $crate::database::Link::Postgres { connection: $c, .. } => $do,
            $crate::database::Link::Sqlite { connection: $c } => $do,
        }
    };
}
pub(crate) use on;

impl Link {
    /// Connects. A SQLite file that is not there is an error, unless `make`.
    ///
    /// # Errors
    /// Exit 3, with what was looked for, without credentials.
    pub(crate) async fn open(target: &Target, make: bool) -> Result<Self> {
        match &target.at {
            At::Postgres {
                options, server, ..
            } => {
                let opened = tokio::time::timeout(CONNECT_LIMIT, options.connect()).await;
                let connection = opened
                    .unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
                    .with_context(|| {
                        Problem::precondition(format!("failed to connect to `{target}`"))
                            .help("check DATABASE_URL, and that the server runs and lets you in")
                    })?;
                let mut link = Link::Postgres {
                    connection,
                    server: server.clone(),
                };
                match link.begin(target).await {
                    Ok(()) => Ok(link),
                    Err(error) => {
                        link.close().await;
                        Err(error)
                    }
                }
            }
            At::Sqlite { file } => Ok(Link::Sqlite {
                connection: open_sqlite(file, make).await?,
            }),
        }
    }

    async fn begin(&mut self, target: &Target) -> Result<()> {
        if let Link::Postgres { connection, .. } = self {
            pooler::refuse(target, connection).await?;
            self.public_first(schema!()).await?;
        }
        Ok(())
    }

    /// See [`FRESH`].
    pub(crate) async fn fresh(&mut self) -> Result<()> {
        match self {
            Link::Postgres { .. } => self.public_first(FRESH).await,
            Link::Sqlite { .. } => Ok(()),
        }
    }

    async fn public_first(&mut self, sql: &str) -> Result<()> {
        self.execute(sql).await.with_context(|| {
            Problem::precondition("failed to set the search path of the session")
                .help("look at what the role, the database and DATABASE_URL say of search_path")
        })
    }

    /// Does `work` in a session, and ends it, whatever came of it.
    ///
    /// # Errors
    /// As [`Link::open`], and those of the work.
    pub(crate) async fn with<T>(
        target: &Target,
        work: impl AsyncFnOnce(&mut Link) -> Result<T>,
    ) -> Result<T> {
        Self::open(target, false).await?.ended(work).await
    }

    /// As [`Link::with`]; a SQLite file that is not there is made.
    pub(crate) async fn make<T>(
        target: &Target,
        work: impl AsyncFnOnce(&mut Link) -> Result<T>,
    ) -> Result<T> {
        Self::open(target, true).await?.ended(work).await
    }

    /// As [`Link::with`], in a session that only reads.
    pub(crate) async fn look<T>(
        target: &Target,
        work: impl AsyncFnOnce(&mut Link) -> Result<T>,
    ) -> Result<T> {
        Self::with(target, async |link| {
            link.read_only().await?;
            work(link).await
        })
        .await
    }

    async fn ended<T>(mut self, work: impl AsyncFnOnce(&mut Link) -> Result<T>) -> Result<T> {
        let done = work(&mut self).await;
        self.close().await;
        done
    }

    pub(crate) fn engine(&self) -> Engine {
        match self {
            Link::Postgres { .. } => Engine::Postgres,
            Link::Sqlite { .. } => Engine::Sqlite,
        }
    }

    /// What the marker says, and what the database is. Writes nothing.
    pub(crate) async fn marker(&mut self) -> Result<Found> {
        let found = match self {
            Link::Postgres { connection, server } => {
                marker::postgres::read(connection, server.as_deref()).await
            }
            Link::Sqlite { connection } => marker::sqlite::read(connection).await,
        };
        found.with_context(|| {
            Problem::precondition("failed to read the environment marker").help(
                "check DATABASE_URL, and that this role may read `_env_marker`; a damaged local file may be moved away, and cargo xtask setup makes a new one",
            )
        })
    }

    /// Marks it; whether it may be is for the caller to know.
    pub(crate) async fn mark(&mut self, environment: Environment) -> Result<Found> {
        let found = match self {
            Link::Postgres { connection, server } => {
                marker::postgres::write(connection, server.as_deref(), environment).await
            }
            Link::Sqlite { connection } => marker::sqlite::write(connection, environment).await,
        };
        found.context("failed to write the environment marker")
    }

    /// How many tables and views there are that are neither the tool's own nor of an extension.
    pub(crate) async fn tables(&mut self) -> Result<i64> {
        const POSTGRES: &str = concat!(
            "select count(*) from pg_class where relkind in ('r', 'p', 'v', 'm', 'f')
            and not exists (select from pg_depend d where d.classid = 'pg_class'::regclass
                and d.objid = pg_class.oid and d.deptype = 'e')
            and relnamespace not in (select oid from pg_namespace where nspname in ('pg_catalog', 'information_schema') or nspname like 'pg\\_%')
            and relname not in ",
            own_tables!(sql)
        );
        const SQLITE: &str = concat!(
            "select count(*) from sqlite_master where type in ('table', 'view') and name not like 'sqlite\\_%' escape '\\'
            and name not in ",
            own_tables!(sql)
        );
        let sql = match self.engine() {
            Engine::Postgres => POSTGRES,
            Engine::Sqlite => SQLITE,
        };
        let count: sqlx::Result<i64> =
            on!(self, c => sqlx::query_scalar(sql).fetch_one(&mut *c).await);
        count.context("failed to count the tables")
    }

    /// From now on the session writes nothing, whatever it is asked: each transaction of PostgreSQL
    /// only reads, SQLite has a switch of its own.
    async fn read_only(&mut self) -> Result<()> {
        let sql = match self {
            Link::Postgres { .. } => "set session characteristics as transaction read only",
            Link::Sqlite { .. } => "pragma query_only = on",
        };
        self.execute(sql)
            .await
            .context("failed to begin a session that only reads")
    }

    /// Runs statements, answers nothing.
    pub(crate) async fn execute(&mut self, sql: &str) -> sqlx::Result<()> {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        on!(self, c => sql.execute(c).await.map(drop))
    }

    /// Ends the session, and with it all locks.
    pub(crate) async fn close(self) {
        // It is as good as closed: the server notices the end of the socket either way.
        let _ = on!(self, connection => connection.close().await);
    }
}

/// Opens a SQLite file; one that it makes has a write-ahead log, as the apps want it.
async fn open_sqlite(file: &Path, make: bool) -> Result<SqliteConnection> {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(make)
        // With a write-ahead log it loses no committed change but on power failure.
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true);
    let options = if make {
        options.journal_mode(SqliteJournalMode::Wal)
    } else {
        options
    };
    options.connect().await.with_context(|| {
        Problem::precondition(format!("failed to open the database `{}`", file.display()))
            .help("check that it is there, and free space; `cargo xtask setup` makes a new local one where there is none")
    })
}
