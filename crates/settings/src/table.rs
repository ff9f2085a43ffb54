//! The variables, one row each.

use serde::Serialize;

/// What a value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A URL with a scheme.
    Url,
    /// A key of at least 32 characters.
    Secret,
    /// `address:port`.
    SocketAddress,
    /// A whole number.
    Integer,
    /// Anything else.
    Text,
    /// One of the names of [`AppEnv`](crate::AppEnv).
    Environment,
}

impl Kind {
    /// How an error text says what was expected.
    pub(crate) const fn expectation(self) -> &'static str {
        match self {
            Self::Url => "a URL",
            Self::Secret => "a key of at least 32 characters",
            Self::SocketAddress => "a socket address such as `127.0.0.1:4000`",
            Self::Integer => "a whole number from 0 to 4294967295",
            Self::Text => "a usable text",
            Self::Environment => "one of `local`, `preview`, `staging`, `production`",
        }
    }
}

/// What applies when a variable is not set. An empty value counts as not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fallback {
    /// Nothing: it must be set everywhere.
    Required,
    /// This value, on a developer's machine only.
    Locally(&'static str),
    /// This value, everywhere.
    Always(&'static str),
}

/// One environment variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for, in one line.
    pub about: &'static str,
    /// What its value looks like.
    pub kind: Kind,
    /// What applies when it is not set.
    pub fallback: Fallback,
    /// Whether its value must never be shown.
    pub secret: bool,
    /// A value to copy, where the default is not one.
    pub example: Option<&'static str>,
}

impl Variable {
    const fn new(name: &'static str, kind: Kind, fallback: Fallback, about: &'static str) -> Self {
        let secret = matches!(kind, Secret);
        Self {
            name,
            about,
            kind,
            fallback,
            secret,
            example: None,
        }
    }

    const fn secret(self) -> Self {
        Self {
            secret: true,
            ..self
        }
    }

    const fn example(self, example: &'static str) -> Self {
        Self {
            example: Some(example),
            ..self
        }
    }
}

use Fallback::{Always, Locally, Required};
use Kind::{Environment, Integer, Secret, SocketAddress, Text, Url};

pub(crate) static APP_ENV: Variable = Variable::new(
    "APP_ENV",
    Environment,
    Always("local"),
    "where this process runs",
);
pub(crate) static LOG: Variable =
    Variable::new("LOG", Text, Always("info"), "which log lines are written")
        .example("info,sqlx=warn");
pub(crate) static RELEASE_SHA: Variable = Variable::new(
    "RELEASE_SHA",
    Text,
    Always("unknown"),
    "commit this release was built from",
)
.example("3f2a9c1d0b7e4856a1c2d3e4f5061728394a5b6c");
pub(crate) static TRUSTED_PROXIES: Variable = Variable::new(
    "TRUSTED_PROXIES",
    Text,
    Always(""),
    "addresses, with commas between, whose `x-forwarded-for` is believed",
)
.example("10.0.0.2,10.0.0.3");
pub(crate) static HEADER_TIMEOUT_MS: Variable = Variable::new(
    "HEADER_TIMEOUT_MS",
    Integer,
    Always("15000"),
    "longest a connection may idle; keep it above the load balancer's, below the deadline",
);
pub(crate) static DRAIN_LAME_DUCK_MS: Variable = Variable::new(
    "DRAIN_LAME_DUCK_MS",
    Integer,
    Always("0"),
    "how long a stopping service still accepts, for a load balancer to notice",
)
.example("5000");
pub(crate) static REDIS_URL: Variable = Variable::new(
    "REDIS_URL",
    Url,
    Always(""),
    "shares rate limits between instances; without it each counts for itself",
)
.secret()
.example("redis://10.0.0.5:6379");
pub(crate) static OTLP_ENDPOINT: Variable = Variable::new(
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    Url,
    Always(""),
    "where traces go, from builds with the feature `otel`",
)
.example("http://10.0.0.6:4318");
pub(crate) static DRAIN_DEADLINE_MS: Variable = Variable::new(
    "DRAIN_DEADLINE_MS",
    Integer,
    Always("20000"),
    "how long running requests may take once nothing more is accepted",
);

pub(crate) static API_ADDR: Variable = Variable::new(
    "API_ADDR",
    SocketAddress,
    Always("127.0.0.1:4000"),
    "where `api` listens",
);
pub(crate) static API_METRICS_ADDR: Variable = Variable::new(
    "API_METRICS_ADDR",
    SocketAddress,
    Always("127.0.0.1:4100"),
    "where `api` shows its metrics; never open it to the public",
);
pub(crate) static CLIENT_ADDR: Variable = Variable::new(
    "CLIENT_ADDR",
    SocketAddress,
    Always("127.0.0.1:4001"),
    "where `client` listens",
);
pub(crate) static CLIENT_METRICS_ADDR: Variable = Variable::new(
    "CLIENT_METRICS_ADDR",
    SocketAddress,
    Always("127.0.0.1:4101"),
    "where `client` shows its metrics; never open it to the public",
);
pub(crate) static ADMIN_ADDR: Variable = Variable::new(
    "ADMIN_ADDR",
    SocketAddress,
    Always("127.0.0.1:4002"),
    "where `admin` listens",
);
pub(crate) static ADMIN_METRICS_ADDR: Variable = Variable::new(
    "ADMIN_METRICS_ADDR",
    SocketAddress,
    Always("127.0.0.1:4102"),
    "where `admin` shows its metrics; never open it to the public",
);
pub(crate) static SITE_ADDR: Variable = Variable::new(
    "SITE_ADDR",
    SocketAddress,
    Always("127.0.0.1:4003"),
    "where `site` listens",
);
pub(crate) static SITE_METRICS_ADDR: Variable = Variable::new(
    "SITE_METRICS_ADDR",
    SocketAddress,
    Always("127.0.0.1:4103"),
    "where `site` shows its metrics; never open it to the public",
);

pub(crate) static DATABASE_URL: Variable = Variable::new(
    "DATABASE_URL",
    Url,
    Locally("sqlite://data/local.db"),
    "the database; PostgreSQL in staging and production",
)
.secret()
.example("postgres://app@localhost/app");

pub(crate) static DATABASE_SERVER_ID: Variable = Variable::new(
    "DATABASE_SERVER_ID",
    Text,
    Always(""),
    "names the database server in its marker, where the address is not stable",
)
.example("db-postgresql-fra1-4711");
pub(crate) static API_TOKEN_KEY: Variable = Variable::new(
    "API_TOKEN_KEY",
    Secret,
    Required,
    "signs the access tokens of `api`",
);
pub(crate) static API_TOKEN_KEYS_ACCEPTED: Variable = Variable::new(
    "API_TOKEN_KEYS_ACCEPTED",
    Text,
    Always(""),
    "keys, with commas between, that are believed besides: the next one before a change, the last one after it",
)
.secret();
pub(crate) static API_PAYMENTS_KEY: Variable = Variable::new(
    "API_PAYMENTS_KEY",
    Secret,
    Required,
    "signs what the payment provider sends; a `whsec_` key is read as the provider shows it",
);
pub(crate) static API_URL: Variable = Variable::new(
    "API_URL",
    Url,
    Locally("http://127.0.0.1:4000"),
    "where `api` is reached, by a private network",
)
.example("http://10.0.0.4:4000");
pub(crate) static CLIENT_SESSION_KEY: Variable = Variable::new(
    "CLIENT_SESSION_KEY",
    Secret,
    Required,
    "encrypts the sessions of `client`",
);
pub(crate) static CLIENT_SESSION_KEYS_ACCEPTED: Variable = Variable::new(
    "CLIENT_SESSION_KEYS_ACCEPTED",
    Text,
    Always(""),
    "keys, with commas between, that are believed besides",
)
.secret();
pub(crate) static ADMIN_SESSION_KEY: Variable = Variable::new(
    "ADMIN_SESSION_KEY",
    Secret,
    Required,
    "encrypts the sessions of `admin`",
);
pub(crate) static ADMIN_SESSION_KEYS_ACCEPTED: Variable = Variable::new(
    "ADMIN_SESSION_KEYS_ACCEPTED",
    Text,
    Always(""),
    "keys, with commas between, that are believed besides",
)
.secret();

/// What every surface reads.
pub(crate) static COMMON: &[&Variable] = &[
    &APP_ENV,
    &LOG,
    &RELEASE_SHA,
    &TRUSTED_PROXIES,
    &REDIS_URL,
    &OTLP_ENDPOINT,
    &HEADER_TIMEOUT_MS,
    &DRAIN_LAME_DUCK_MS,
    &DRAIN_DEADLINE_MS,
];
/// What each surface reads besides; its addresses first.
pub(crate) static API: &[&Variable] = &[
    &API_ADDR,
    &API_METRICS_ADDR,
    &DATABASE_URL,
    &DATABASE_SERVER_ID,
    &API_TOKEN_KEY,
    &API_TOKEN_KEYS_ACCEPTED,
    &API_PAYMENTS_KEY,
];
pub(crate) static CLIENT: &[&Variable] = &[
    &CLIENT_ADDR,
    &CLIENT_METRICS_ADDR,
    &API_URL,
    &CLIENT_SESSION_KEY,
    &CLIENT_SESSION_KEYS_ACCEPTED,
];
pub(crate) static ADMIN: &[&Variable] = &[
    &ADMIN_ADDR,
    &ADMIN_METRICS_ADDR,
    &API_URL,
    &ADMIN_SESSION_KEY,
    &ADMIN_SESSION_KEYS_ACCEPTED,
];
pub(crate) static SITE: &[&Variable] = &[&SITE_ADDR, &SITE_METRICS_ADDR, &API_URL];
