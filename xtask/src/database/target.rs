//! Which database a command means, from `APP_ENV` and `DATABASE_URL`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr as _;

use anyhow::{Context as _, Result};
use marker::Environment;
use percent_encoding::percent_decode_str;
use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::sqlite::SqliteConnectOptions;

use crate::cx::Cx;
use crate::environment;
use crate::exit::Problem;
use crate::gates::env;
use crate::migrations::Engine;
use crate::project::setup::{self, DATABASE_URL, ENV_FILE};

/// Where a command runs: the words of `APP_ENV`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AppEnv {
    Local,
    Preview,
    Staging,
    Production,
}

impl AppEnv {
    pub(crate) const ALL: [AppEnv; 4] = [
        AppEnv::Local,
        AppEnv::Preview,
        AppEnv::Staging,
        AppEnv::Production,
    ];

    /// `APP_ENV`; without it, `local`.
    pub(crate) fn read() -> Result<Self> {
        let word = environment::var("APP_ENV").unwrap_or_else(|| "local".to_owned());
        Self::ALL
            .into_iter()
            .find(|app_env| app_env.as_str() == word)
            .with_context(|| {
                Problem::precondition(format!("APP_ENV is `{word}`, which is no environment"))
                    .help("set it to local, preview, staging or production")
            })
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            AppEnv::Local => "local",
            AppEnv::Preview => "preview",
            AppEnv::Staging => "staging",
            AppEnv::Production => "production",
        }
    }

    /// What a database must be marked as to be used from here.
    pub(crate) fn marker(self) -> Environment {
        match self {
            AppEnv::Local | AppEnv::Preview => Environment::Dev,
            AppEnv::Staging => Environment::Staging,
            AppEnv::Production => Environment::Prod,
        }
    }

    /// Whether others than developers depend on the data.
    pub(crate) fn is_shared(self) -> bool {
        matches!(self, AppEnv::Staging | AppEnv::Production)
    }
}

impl fmt::Display for AppEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A database, and how to reach it. Its password is in no message and no `Debug`.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) app_env: AppEnv,
    pub(crate) at: At,
}

/// Where a database is.
#[derive(Clone)]
pub(crate) enum At {
    Postgres {
        options: Box<PgConnectOptions>,
        /// What its server is called in a marker, see [`marker::postgres::server`].
        server: Option<String>,
        /// For client programs, which take it from their environment.
        password: Option<String>,
    },
    Sqlite {
        file: PathBuf,
    },
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({} `{self}`)", self.app_env)
    }
}

/// Where it is, without credentials.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.at {
            At::Sqlite { file } => write!(f, "{}", file.display()),
            At::Postgres { options, .. } => {
                let name = marker::postgres::database(options);
                match options.get_socket() {
                    Some(folder) => write!(f, "{name} at {}", folder.display()),
                    None => write!(f, "{name} at {}:{}", options.get_host(), options.get_port()),
                }
            }
        }
    }
}

impl Target {
    /// The database of this environment. `DATABASE_URL` names it; only `local` has a file and a
    /// default of the apps to look in besides.
    ///
    /// # Errors
    /// Exit 3: no URL, one that cannot be read, or SQLite where others depend on the data.
    pub(crate) fn read(cx: &Cx) -> Result<Self> {
        let app_env = AppEnv::read()?;
        let url = match environment::var(DATABASE_URL) {
            Some(url) => url,
            None if app_env == AppEnv::Local => local_url(cx)?,
            None => {
                return Err(Problem::precondition(format!(
                    "DATABASE_URL is not set, and `{app_env}` has no default"
                ))
                .help("set it to the database of this environment; it is read from nowhere else")
                .into());
            }
        };
        Self::of_url(cx, app_env, &url)
    }

    /// The database behind `url`, relative SQLite paths from the root.
    pub(crate) fn of_url(cx: &Cx, app_env: AppEnv, url: &str) -> Result<Self> {
        let at = match url.split(':').next().unwrap_or_default() {
            "sqlite" if app_env.is_shared() => {
                return Err(Problem::precondition(format!(
                    "DATABASE_URL is SQLite, which is refused in `{app_env}`"
                ))
                .help("PostgreSQL is the engine of staging and production")
                .into());
            }
            "sqlite" => At::Sqlite {
                file: cx.root.join(sqlite_file(url)?),
            },
            "postgres" | "postgresql" => {
                // Why it cannot be read is not told: the reason quotes what it stumbled over.
                let options = PgConnectOptions::from_str(url).map_err(|_| {
                    Problem::precondition("DATABASE_URL cannot be read").help(
                        "postgres://user:password@host:port/database, with % codes for special characters",
                    )
                })?;
                let options = options.application_name("xtask");
                if !matches!(
                    options.get_ssl_mode(),
                    PgSslMode::Disable | PgSslMode::Allow | PgSslMode::Prefer
                ) {
                    return Err(Problem::precondition("DATABASE_URL demands TLS, which is not spoken yet")
                        .help("reach the server by a socket or a private network, and say sslmode=disable")
                        .into());
                }
                let id = environment::var("DATABASE_SERVER_ID");
                At::Postgres {
                    server: marker::postgres::server(&options, id.as_deref()),
                    password: password(&options),
                    options: Box::new(options),
                }
            }
            _ => {
                return Err(Problem::precondition(
                    "DATABASE_URL is neither `sqlite:` nor `postgres:`",
                )
                .help(format!(
                    "set it in `{ENV_FILE}`, for example sqlite://data/local.db"
                ))
                .into());
            }
        };
        Ok(Self { app_env, at })
    }

    pub(crate) fn engine(&self) -> Engine {
        match self.at {
            At::Postgres { .. } => Engine::Postgres,
            At::Sqlite { .. } => Engine::Sqlite,
        }
    }
}

/// The file in a URL, which is read as the apps read it.
fn sqlite_file(url: &str) -> Result<PathBuf> {
    let options = SqliteConnectOptions::from_str(url).map_err(|_| {
        Problem::precondition("DATABASE_URL cannot be read")
            .help("sqlite://path/to/file, with % codes for special characters")
    })?;
    let file = options.get_filename();
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let in_memory = path.ends_with(":memory:")
        || form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == "mode" && value == "memory");
    if in_memory || file.as_os_str().is_empty() {
        return Err(Problem::precondition("DATABASE_URL names no SQLite file")
            .help("for example sqlite://data/local.db")
            .into());
    }
    Ok(file.to_owned())
}

/// The password that sqlx logs in with: of the URL, `PGPASSWORD`, or a password file. It is told in
/// the options' own URL alone, which needs a user and a host that fit into one.
fn password(options: &PgConnectOptions) -> Option<String> {
    let plain = options.clone().username("user").host("localhost");
    let url = plain.to_url_lossy();
    let password = percent_decode_str(url.password()?).decode_utf8_lossy();
    Some(password.into_owned())
}

/// `.env.local`, then the default that the apps state.
fn local_url(cx: &Cx) -> Result<String> {
    if let Some(url) = setup::read_env(&cx.root)?.remove(DATABASE_URL) {
        return Ok(url);
    }
    let settings = env::settings(cx)?;
    let default = settings
        .iter()
        .find(|(setting, _)| setting.name == DATABASE_URL)
        .and_then(|(setting, _)| setting.default.clone());
    default.with_context(|| {
        Problem::precondition("DATABASE_URL is not set, and no app has a default")
            .help(format!("set it in `{ENV_FILE}`"))
    })
}
