//! The settings of each surface.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use secrecy::SecretString;
use serde::Serialize;

use crate::environment::Environment;
use crate::table::{self, Variable};
use crate::{AppEnv, Problems, Reader};

/// One deployable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Surface {
    /// JSON.
    Api,
    /// Signed-in customers.
    Client,
    /// Staff.
    Admin,
    /// Public pages.
    Site,
}

impl Surface {
    /// Every surface.
    pub const ALL: [Self; 4] = [Self::Api, Self::Client, Self::Admin, Self::Site];

    /// The name of its binary.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Client => "client",
            Self::Admin => "admin",
            Self::Site => "site",
        }
    }

    /// The variables it reads, and no others.
    pub fn variables(self) -> impl Iterator<Item = &'static Variable> {
        let own = match self {
            Self::Api => table::API,
            Self::Client => table::CLIENT,
            Self::Admin => table::ADMIN,
            Self::Site => table::SITE,
        };
        table::COMMON.iter().chain(own).copied()
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The settings of one surface, read all at once.
pub trait Settings: Sized {
    /// Whose settings these are.
    const SURFACE: Surface;

    /// Reads each value; `None` once the reader has noted a problem.
    fn read(reader: &mut Reader<'_>) -> Option<Self>;

    /// Reads the process environment, and locally `.env.local` underneath it.
    fn from_env() -> Result<Self, Problems> {
        let mut environment = Environment::load(Self::SURFACE);
        let problems = std::mem::take(&mut environment.problems);
        let source = |name: &str| environment.get(name);
        let mut reader = Reader::new(&source, problems);
        let settings = Self::read(&mut reader);
        reader.finish(Self::SURFACE, settings)
    }

    /// Reads from any source, so a test needs no process environment.
    fn from_source(source: &dyn Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut reader = Reader::new(source, Vec::new());
        let settings = Self::read(&mut reader);
        reader.finish(Self::SURFACE, settings)
    }
}

/// What every surface has.
#[derive(Clone, Debug)]
pub struct Common {
    /// Where the process runs.
    pub app_env: AppEnv,
    /// Where it listens, unless it is handed a listener.
    pub addr: SocketAddr,
    /// Where it shows its metrics.
    pub metrics_addr: SocketAddr,
    /// The log filter.
    pub log: String,
    /// The commit the release was built from.
    pub release_sha: String,
    /// Peers whose `x-forwarded-for` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// Where rate limits are shared, if they are.
    pub redis_url: Option<SecretString>,
    /// Where traces go, if they do.
    pub otlp_endpoint: Option<String>,
    /// Longest a connection may idle or take to send its headers.
    pub header_timeout: Duration,
    /// How it stops.
    pub drain: Drain,
}

/// How long a stopping service waits, and for what.
#[derive(Clone, Copy, Debug)]
pub struct Drain {
    /// Still accepting, for a load balancer to notice.
    pub lame_duck: Duration,
    /// No longer accepting, for running requests to finish.
    pub deadline: Duration,
}

impl Common {
    fn read(reader: &mut Reader<'_>, addr: &Variable, metrics_addr: &Variable) -> Option<Self> {
        let addr = reader.parsed(addr);
        let metrics_addr = reader.parsed(metrics_addr);
        let log = reader.text(&table::LOG);
        let release_sha = reader.text(&table::RELEASE_SHA);
        let trusted_proxies = reader.list(&table::TRUSTED_PROXIES);
        let redis_url = reader.redis_url();
        let otlp_endpoint = reader.http_url(&table::OTLP_ENDPOINT);
        let lame_duck = reader.millis(&table::DRAIN_LAME_DUCK_MS);
        let limits = reader.limits();
        let (header_timeout, deadline) = limits.unzip();
        Some(Self {
            app_env: reader.app_env(),
            addr: addr?,
            metrics_addr: metrics_addr?,
            log: log?,
            release_sha: release_sha?,
            trusted_proxies: trusted_proxies?,
            redis_url: Some(redis_url?)
                .filter(|url| !url.is_empty())
                .map(SecretString::from),
            otlp_endpoint: Some(otlp_endpoint?).filter(|url| !url.is_empty()),
            header_timeout: header_timeout?,
            drain: Drain {
                lame_duck: lame_duck?,
                deadline: deadline?,
            },
        })
    }
}

/// The settings of `api`.
#[derive(Clone, Debug)]
pub struct ApiSettings {
    /// What every surface has.
    pub common: Common,
    /// The database.
    pub database_url: SecretString,
    /// What its server is called in the marker, where its address does not tell.
    pub database_server_id: Option<String>,
    /// Signs access tokens, then those that are believed besides.
    pub token_keys: Vec<SecretString>,
    /// Signs what the payment provider sends.
    pub payments_key: SecretString,
}

impl Settings for ApiSettings {
    const SURFACE: Surface = Surface::Api;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let common = Common::read(reader, &table::API_ADDR, &table::API_METRICS_ADDR);
        let database_url = reader.database_url();
        let database_server_id = reader.text(&table::DATABASE_SERVER_ID);
        let token_keys = reader.keys(&table::API_TOKEN_KEY, &table::API_TOKEN_KEYS_ACCEPTED);
        let payments_key = reader.webhook_key(&table::API_PAYMENTS_KEY);
        Some(Self {
            common: common?,
            database_url: database_url?,
            database_server_id: Some(database_server_id?).filter(|id| !id.is_empty()),
            token_keys: token_keys?,
            payments_key: payments_key?,
        })
    }
}

/// The settings of `client`.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// What every surface has.
    pub common: Common,
    /// Where `api` is reached.
    pub api_url: String,
    /// Encrypts sessions, then those that are believed besides.
    pub session_keys: Vec<SecretString>,
}

impl Settings for ClientSettings {
    const SURFACE: Surface = Surface::Client;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let common = Common::read(reader, &table::CLIENT_ADDR, &table::CLIENT_METRICS_ADDR);
        let api_url = reader.http_url(&table::API_URL);
        let session_keys = reader.keys(
            &table::CLIENT_SESSION_KEY,
            &table::CLIENT_SESSION_KEYS_ACCEPTED,
        );
        Some(Self {
            common: common?,
            api_url: api_url?,
            session_keys: session_keys?,
        })
    }
}

/// The settings of `admin`.
#[derive(Clone, Debug)]
pub struct AdminSettings {
    /// What every surface has.
    pub common: Common,
    /// Where `api` is reached.
    pub api_url: String,
    /// Encrypts sessions, then those that are believed besides.
    pub session_keys: Vec<SecretString>,
}

impl Settings for AdminSettings {
    const SURFACE: Surface = Surface::Admin;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let common = Common::read(reader, &table::ADMIN_ADDR, &table::ADMIN_METRICS_ADDR);
        let api_url = reader.http_url(&table::API_URL);
        let session_keys = reader.keys(
            &table::ADMIN_SESSION_KEY,
            &table::ADMIN_SESSION_KEYS_ACCEPTED,
        );
        Some(Self {
            common: common?,
            api_url: api_url?,
            session_keys: session_keys?,
        })
    }
}

/// The settings of `site`.
#[derive(Clone, Debug)]
pub struct SiteSettings {
    /// What every surface has.
    pub common: Common,
    /// Where `api` is reached.
    pub api_url: String,
}

impl Settings for SiteSettings {
    const SURFACE: Surface = Surface::Site;

    fn read(reader: &mut Reader<'_>) -> Option<Self> {
        let common = Common::read(reader, &table::SITE_ADDR, &table::SITE_METRICS_ADDR);
        let api_url = reader.http_url(&table::API_URL);
        Some(Self {
            common: common?,
            api_url: api_url?,
        })
    }
}
