//! Databases of this process alone: made for one purpose, gone with it.

use std::str::FromStr as _;
use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::{Context as _, Result};
use marker::Environment;
use sqlx::postgres::PgConnectOptions;

use super::Link;
use super::target::{AppEnv, At, Target};
use crate::cx::{Cx, Postgres};
use crate::exit::{Code, Problem};
use crate::migrations::Engine;

/// A database: on the PostgreSQL cluster of this run, or a file in its folder. Removed when
/// it is dropped, or when the run ends.
#[derive(Debug)]
pub(crate) struct Scratch {
    target: Target,
    _kept: Option<pgscratch::Database>,
}

impl Scratch {
    /// Makes one, marked `dev`.
    ///
    /// # Errors
    /// Exit 4 where a PostgreSQL server is needed and none is installed.
    pub(crate) async fn new(cx: &Cx, engine: Engine) -> Result<Self> {
        let scratch = Self::empty(cx, engine).await?;
        scratch.mark().await?;
        Ok(scratch)
    }

    /// Makes one to restore into, which brings a marker; of SQLite only its place, where there is no
    /// file yet.
    ///
    /// # Errors
    /// As [`Scratch::new`].
    pub(crate) async fn empty(cx: &Cx, engine: Engine) -> Result<Self> {
        match engine {
            Engine::Postgres => Self::postgres(cx).await,
            Engine::Sqlite => Self::sqlite(cx),
        }
    }

    async fn postgres(cx: &Cx) -> Result<Self> {
        let cluster = match cx.postgres()? {
            Postgres::Running(cluster) => cluster,
            Postgres::Absent(missing) => {
                return Err(Problem::new(
                    Code::ToolMissing,
                    "no PostgreSQL server on this machine to restore into",
                )
                .help(format!(
                    "install the server's programs, of the version of the database or newer\n{missing}"
                ))
                .into());
            }
        };
        let kept = (cluster.handle().empty_database().await)
            .context("failed to make a scratch database")?;
        let options = PgConnectOptions::from_str(&kept.url)
            .context("failed to read the URL of a scratch database")?;
        let target = Target {
            app_env: AppEnv::Local,
            at: At::Postgres {
                server: marker::postgres::server(&options, None),
                options: Box::new(options),
                password: None,
            },
        };
        Ok(Self {
            target,
            _kept: Some(kept),
        })
    }

    fn sqlite(cx: &Cx) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = cx
            .tmp()
            .canonicalize()
            .context("failed to find the folder of this run")?;
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        Ok(Self {
            target: Target {
                app_env: AppEnv::Local,
                at: At::Sqlite {
                    file: folder.join(format!("scratch-{n}.db")),
                },
            },
            _kept: None,
        })
    }

    /// Marks it `dev`: whatever was restored into it, it is a database of this process.
    ///
    /// # Errors
    /// What the database says.
    pub(crate) async fn mark(&self) -> Result<()> {
        Link::make(&self.target, async |link| {
            link.mark(Environment::Dev).await.map(drop)
        })
        .await
    }

    pub(crate) fn target(&self) -> &Target {
        &self.target
    }
}
