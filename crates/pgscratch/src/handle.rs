//! Reaching a running cluster, and a database per test in it.

use std::error::Error as StdError;
use std::future::Future;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _};
use tokio::time::{sleep, timeout};

use crate::{Error, wait};

/// How long one attempt to connect may take, and a database's removal.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);
/// How long a finished template may wait for connections into it to end.
const RENAME_LIMIT: Duration = Duration::from_secs(10);

/// How to reach a running cluster. Cheap to clone; does not keep the cluster alive.
#[derive(Debug, Clone)]
pub struct Handle {
    socket_dir: PathBuf,
}

impl Handle {
    pub(crate) fn new(socket_dir: PathBuf) -> Handle {
        Handle { socket_dir }
    }

    /// The URL of the database `name` of this cluster, for the superuser `postgres`. It states
    /// port and TLS mode, so that `PGPORT` and `PGSSLMODE` of the caller's environment do not
    /// apply.
    pub fn url(&self, name: &str) -> String {
        let dir = percent_encoded(&self.socket_dir.to_string_lossy());
        let name = percent_encoded(name);
        format!("postgres://postgres@localhost:5432/{name}?host={dir}&sslmode=disable")
    }

    /// A new database, copied from the template `key`. The first caller, of all processes that
    /// share the cluster, makes the template: `prepare` gets the URL of an empty database and
    /// brings it to the wanted state. A caller that dies on the way leaves no half template.
    ///
    /// # Errors
    /// [`Error::Key`] when `key` is not a plain name, [`Error::Prepare`] when `prepare` fails,
    /// [`Error::Sql`] when the server cannot be reached or refuses.
    pub async fn database<E, F, R>(&self, key: &str, prepare: F) -> Result<Database, Error>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: FnOnce(String) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if key.is_empty() || key.len() > 48 || !key.chars().all(plain) {
            return Err(Error::Key(key.to_owned()));
        }
        let mut server = self
            .connect("postgres")
            .await
            .map_err(Error::sql("connect"))?;
        if !exists(&mut server, &format!("t_{key}")).await? {
            self.make_template(&mut server, key, prepare).await?;
        }
        self.copy(server, &format!("t_{key}")).await
    }

    /// A new empty database.
    ///
    /// # Errors
    /// [`Error::Sql`] when the server cannot be reached or refuses.
    pub async fn empty_database(&self) -> Result<Database, Error> {
        let server = self
            .connect("postgres")
            .await
            .map_err(Error::sql("connect"))?;
        self.copy(server, "template1").await
    }

    /// Whether the server accepts connections.
    pub(crate) async fn ping(&self) -> bool {
        match self.connect("postgres").await {
            Ok(connection) => connection.close().await.is_ok(),
            Err(_) => false,
        }
    }

    /// Connects, whatever `PG*` variables the caller's environment has.
    async fn connect(&self, name: &str) -> sqlx::Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.socket_dir)
            .port(5432)
            .username("postgres")
            .database(name)
            .ssl_mode(PgSslMode::Disable);
        match timeout(ANSWER_LIMIT, options.connect()).await {
            Ok(connected) => connected,
            Err(elapsed) => Err(sqlx::Error::Io(elapsed.into())),
        }
    }

    /// Makes the template `t_<key>` under a lock, unless another caller did meanwhile. It is
    /// built as `b_<key>` and renamed when complete, so a template that exists is complete.
    async fn make_template<E, F, R>(
        &self,
        server: &mut PgConnection,
        key: &str,
        prepare: F,
    ) -> Result<(), Error>
    where
        E: Into<Box<dyn StdError + Send + Sync>>,
        F: FnOnce(String) -> R,
        R: Future<Output = Result<(), E>>,
    {
        let (building, template) = (format!("b_{key}"), format!("t_{key}"));
        // Held by the connection: a caller that dies gives it up.
        sqlx::query("SELECT pg_advisory_lock(hashtextextended($1, 0))")
            .bind(&template)
            .execute(&mut *server)
            .await
            .map_err(Error::sql("lock the template"))?;
        if !exists(server, &template).await? {
            let doing = "create the template";
            run(
                server,
                doing,
                format!("DROP DATABASE IF EXISTS {building} WITH (FORCE)"),
            )
            .await?;
            run(server, doing, format!("CREATE DATABASE {building}")).await?;
            prepare(self.url(&building))
                .await
                .map_err(|error| Error::Prepare {
                    key: key.to_owned(),
                    source: error.into(),
                })?;
            seal(server, &building, &template).await?;
        }
        sqlx::query("SELECT pg_advisory_unlock_all()")
            .execute(&mut *server)
            .await
            .map_err(Error::sql("unlock the template"))?;
        Ok(())
    }

    async fn copy(&self, mut server: PgConnection, template: &str) -> Result<Database, Error> {
        let name = unique_name();
        let sql = format!("CREATE DATABASE {name} TEMPLATE {template}");
        run(&mut server, "create the database", sql).await?;
        // It is as good as closed: the server notices the end of the socket either way.
        let _ = server.close().await;
        Ok(Database {
            url: self.url(&name),
            name,
            handle: self.clone(),
        })
    }
}

/// A database of its own for one test. Dropping it removes the database, connections into it
/// notwithstanding.
#[derive(Debug)]
pub struct Database {
    /// Connects to it; see [`Handle::url`].
    pub url: String,
    /// Its name in the cluster.
    pub name: String,
    handle: Handle,
}

impl Drop for Database {
    fn drop(&mut self) {
        let (handle, name) = (&self.handle, &self.name);
        // Only disk is at stake, and the whole cluster goes soon: failure is not worth a word.
        let dropping = async {
            let mut server = handle
                .connect("postgres")
                .await
                .map_err(Error::sql("connect"))?;
            let sql = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
            run(&mut server, "drop the database", sql).await
        };
        // The owner may have no runtime, in which alone a timer can be made.
        let _ = wait::for_end_of(async { timeout(ANSWER_LIMIT, dropping).await });
    }
}

/// Turns the finished database into a template: nobody is in it, and nobody gets in any more.
async fn seal(server: &mut PgConnection, building: &str, template: &str) -> Result<(), Error> {
    let doing = "finish the template";
    run(
        server,
        doing,
        format!("ALTER DATABASE {building} ALLOW_CONNECTIONS false"),
    )
    .await?;
    let deadline = Instant::now() + RENAME_LIMIT;
    loop {
        // `prepare` may have left a pool that is still closing.
        sqlx::query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1")
            .bind(building)
            .execute(&mut *server)
            .await
            .map_err(Error::sql(doing))?;
        let rename = format!("ALTER DATABASE {building} RENAME TO {template}");
        match run(server, doing, rename).await {
            Err(_) if Instant::now() < deadline => sleep(Duration::from_millis(10)).await,
            result => return result,
        }
    }
}

async fn exists(server: &mut PgConnection, name: &str) -> Result<bool, Error> {
    sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(server)
        .await
        .map_err(Error::sql("look for the template"))
}

/// Runs one statement that takes names, which cannot be bound. They are this module's own, or a
/// key that was checked to be a plain name.
async fn run(server: &mut PgConnection, doing: &'static str, sql: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .execute(server)
        .await
        .map_err(Error::sql(doing))?;
    Ok(())
}

/// A name that no other process, and no earlier one with the same number, uses in the cluster.
fn unique_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let nanos = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("d_{}_{nanos:x}_{n}", process::id())
}

/// `text` as one component of a URL.
fn percent_encoded(text: &str) -> String {
    use std::fmt::Write as _;

    text.bytes().fold(String::new(), |mut url, byte| {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                url.push(char::from(byte));
            }
            // Writing to a string cannot fail.
            _ => _ = write!(url, "%{byte:02X}"),
        }
        url
    })
}

#[cfg(test)]
mod tests {
    use super::Handle;

    #[test]
    fn a_url_survives_any_folder_name() {
        let handle = Handle::new("/tmp/a b&c".into());
        assert_eq!(
            handle.url("x"),
            "postgres://postgres@localhost:5432/x?host=%2Ftmp%2Fa%20b%26c&sslmode=disable"
        );
    }
}
