//! A migrated database per test, marked `dev`.

use marker::Environment;
use pgscratch::Cluster;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, PgConnection, SqliteConnection};
use tempfile::TempDir;

use crate::migrations::{
    migrate_postgres, migrate_sqlite, must, postgres_key, prepare_postgres, sqlite_file,
};

/// A migrated database that belongs to one test, and is removed when dropped.
#[derive(Debug)]
pub struct Database {
    url: String,
    kept: Kept,
}

/// What must live as long as the database.
#[derive(Debug)]
enum Kept {
    Sqlite { _dir: TempDir },
    Postgres { _database: pgscratch::Database },
}

impl Database {
    /// The URL to connect to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The engine's name: `sqlite` or `postgres`.
    pub fn engine(&self) -> &'static str {
        match self.kept {
            Kept::Sqlite { .. } => "sqlite",
            Kept::Postgres { .. } => "postgres",
        }
    }

    /// Runs statements that both engines understand, to bring about a state that the code under
    /// test has no way to reach.
    ///
    /// # Panics
    /// When a statement fails.
    pub async fn execute(&self, sql: &'static str) {
        must(
            &format!("run `{sql}` on {}", self.engine()),
            self.run(sql).await,
        );
    }

    /// Runs statements as [`Database::execute`] does, and gives why the database refuses them.
    ///
    /// # Panics
    /// When it does not.
    pub async fn refuses(&self, sql: &'static str) -> String {
        match self.run(sql).await {
            Ok(()) => panic!("{} accepts `{sql}`", self.engine()),
            Err(error) => error.to_string(),
        }
    }

    /// Applies the migrations that [`sqlite_before`] or [`postgres_before`] left out, and marks the
    /// database.
    ///
    /// # Panics
    /// When one fails.
    pub async fn migrate(&self) {
        let done = match self.kept {
            Kept::Sqlite { .. } => migrate_sqlite(&self.url, i64::MAX).await,
            Kept::Postgres { .. } => migrate_postgres(&self.url, i64::MAX).await,
        };
        must("migrate the database", done);
        let marked = match self.kept {
            Kept::Sqlite { .. } => mark_sqlite(&self.url).await,
            Kept::Postgres { .. } => mark_postgres(&self.url).await,
        };
        must("mark the database", marked);
    }

    async fn run(&self, sql: &'static str) -> sqlx::Result<()> {
        match self.kept {
            Kept::Sqlite { .. } => run_sqlite(&self.url, sql).await,
            Kept::Postgres { .. } => run_postgres(&self.url, sql).await,
        }
    }
}

async fn run_sqlite(url: &str, sql: &'static str) -> sqlx::Result<()> {
    let mut connection = SqliteConnection::connect(url).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await
}

async fn run_postgres(url: &str, sql: &'static str) -> sqlx::Result<()> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::raw_sql(sql).execute(&mut connection).await?;
    connection.close().await
}

/// A copy of a template is another database, and is marked by itself.
async fn mark_sqlite(url: &str) -> sqlx::Result<()> {
    let mut connection = SqliteConnection::connect(url).await?;
    marker::sqlite::write(&mut connection, Environment::Dev).await?;
    connection.close().await
}

/// As [`mark_sqlite`].
async fn mark_postgres(url: &str) -> sqlx::Result<()> {
    let options: PgConnectOptions = url.parse()?;
    let server = marker::postgres::server(&options, None);
    let mut connection = options.connect().await?;
    marker::postgres::write(&mut connection, server.as_deref(), Environment::Dev).await?;
    connection.close().await
}

/// A new SQLite database, in a temporary folder of its own.
///
/// # Panics
/// When the migrations fail or the folder cannot be written.
pub async fn sqlite() -> Database {
    let dir = must("create a folder", TempDir::with_prefix("testkit-"));
    let path = dir.path().join("test.db");
    must(
        "copy the sqlite template",
        std::fs::write(&path, sqlite_file().await),
    );
    let url = format!("sqlite://{}", path.display());
    must("mark the database", mark_sqlite(&url).await);
    Database {
        url,
        kept: Kept::Sqlite { _dir: dir },
    }
}

/// A new SQLite database with the migrations before `version`, and no marker: for a test of what the
/// others do to the rows of their time.
///
/// # Panics
/// As [`sqlite`] does.
pub async fn sqlite_before(version: i64) -> Database {
    let dir = must("create a folder", TempDir::with_prefix("testkit-"));
    let url = format!("sqlite://{}?mode=rwc", dir.path().join("test.db").display());
    must("migrate the database", migrate_sqlite(&url, version).await);
    Database {
        url,
        kept: Kept::Sqlite { _dir: dir },
    }
}

/// A new PostgreSQL database. Without an installed server it says `not run: postgresql` and
/// gives `None`.
///
/// # Panics
/// When the server does not start, when the migrations fail, and when there is no server and
/// `XTASK_REQUIRE_POSTGRES=1`.
pub async fn postgres() -> Option<Database> {
    let server = pgscratch::for_tests()?;
    Some(migrated_postgres(&server).await)
}

/// As [`sqlite_before`], on PostgreSQL, if there is a server.
///
/// # Panics
/// As [`postgres`] does.
pub async fn postgres_before(version: i64) -> Option<Database> {
    let server = pgscratch::for_tests()?;
    let made = server.empty_database().await;
    let database = must("create a postgresql database", made);
    let url = database.url.clone();
    must(
        "migrate the database",
        migrate_postgres(&url, version).await,
    );
    Some(Database {
        url,
        kept: Kept::Postgres {
            _database: database,
        },
    })
}

/// As [`postgres`], on a server of its own: for a test that drops the cluster, and so takes the
/// database away from whoever uses it.
///
/// # Panics
/// As [`postgres`] does.
pub async fn postgres_alone() -> Option<(Cluster, Database)> {
    let installed = pgscratch::server_for_tests()?;
    let cluster = must("start postgresql", Cluster::start(&installed));
    let database = migrated_postgres(&cluster.handle()).await;
    Some((cluster, database))
}

async fn migrated_postgres(server: &pgscratch::Handle) -> Database {
    let made = server
        .database(&postgres_key().await, prepare_postgres)
        .await;
    let database = must("create a postgresql database", made);
    must("mark the database", mark_postgres(&database.url).await);
    Database {
        url: database.url.clone(),
        kept: Kept::Postgres {
            _database: database,
        },
    }
}
