//! Turns the rows of the table into typed values and gathers what is wrong on the way.

use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};

use crate::table::{
    APP_ENV, DATABASE_URL, DRAIN_DEADLINE_MS, Fallback, HEADER_TIMEOUT_MS, Kind, REDIS_URL,
    Variable,
};
use crate::{AppEnv, Problems, Surface};

/// The shortest key that is accepted: 32 characters of hexadecimal are 128 bits.
const MIN_KEY_CHARS: usize = 32;

/// Reads variables from a source. Each method answers `None` once it has noted a problem, so a
/// caller can go on and find the others.
pub struct Reader<'a> {
    source: &'a dyn Fn(&str) -> Option<String>,
    app_env: AppEnv,
    problems: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(source: &'a dyn Fn(&str) -> Option<String>, problems: Vec<String>) -> Self {
        // An environment that is not known yet, or misspelt, gets no local default.
        let mut reader = Self {
            source,
            app_env: AppEnv::Production,
            problems,
        };
        if let Some(app_env) = reader.parsed(&APP_ENV) {
            reader.app_env = app_env;
        }
        reader
    }

    pub(crate) fn app_env(&self) -> AppEnv {
        self.app_env
    }

    pub(crate) fn finish<T>(self, surface: Surface, value: Option<T>) -> Result<T, Problems> {
        match value {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(Problems {
                surface,
                app_env: self.app_env,
                found: self.problems,
            }),
        }
    }

    pub(crate) fn text(&mut self, variable: &Variable) -> Option<String> {
        let set = (self.source)(variable.name).filter(|value| !value.is_empty());
        let fallback = match variable.fallback {
            Fallback::Always(value) => Some(value),
            Fallback::Locally(value) if self.app_env.is_local() => Some(value),
            Fallback::Locally(_) | Fallback::Required => None,
        };
        let value = set.or_else(|| fallback.map(str::to_owned));
        if value.is_none() {
            self.note(format!(
                "`{}` is not set: {}",
                variable.name, variable.about
            ));
        }
        value
    }

    pub(crate) fn parsed<T: FromStr>(&mut self, variable: &Variable) -> Option<T> {
        let value = self.text(variable)?;
        let parsed = value.parse().ok();
        if parsed.is_none() {
            self.note_unexpected(variable, &value);
        }
        parsed
    }

    pub(crate) fn list<T: FromStr>(&mut self, variable: &Variable) -> Option<Vec<T>> {
        let value = self.text(variable)?;
        let items = value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty());
        let parsed = items.map(str::parse).collect::<Result<_, _>>().ok();
        if parsed.is_none() {
            self.note_unexpected(variable, &value);
        }
        parsed
    }

    /// Whole milliseconds that fit 32 bits: sums with a point in time then never overflow.
    pub(crate) fn millis(&mut self, variable: &Variable) -> Option<Duration> {
        self.parsed::<u32>(variable)
            .map(|millis| Duration::from_millis(millis.into()))
    }

    /// The limit of an idle connection, then that of a drain, which waits for idle ones, too.
    pub(crate) fn limits(&mut self) -> Option<(Duration, Duration)> {
        let idle = self.millis(&HEADER_TIMEOUT_MS);
        let drain = self.millis(&DRAIN_DEADLINE_MS);
        let (idle, drain) = (idle?, drain?);
        if idle.is_zero() || idle >= drain {
            self.note(format!(
                "`{}` is `{}`, not more than 0 and less than `{}`, which is `{}`",
                HEADER_TIMEOUT_MS.name,
                idle.as_millis(),
                DRAIN_DEADLINE_MS.name,
                drain.as_millis()
            ));
            return None;
        }
        Some((idle, drain))
    }

    pub(crate) fn key(&mut self, variable: &Variable) -> Option<SecretString> {
        let value = self.text(variable)?;
        let chars = value.chars().count();
        if chars < MIN_KEY_CHARS {
            let name = variable.name;
            self.note(format!(
                "`{name}` has {chars} characters, at least {MIN_KEY_CHARS} are needed"
            ));
            return None;
        }
        Some(value.into())
    }

    /// A key that may be written as Standard Webhooks does; one that only looks so would verify
    /// nothing, ever.
    pub(crate) fn webhook_key(&mut self, variable: &Variable) -> Option<SecretString> {
        let key = self.key(variable)?;
        let encoded = key.expose_secret().strip_prefix("whsec_");
        if encoded.is_some_and(|encoded| STANDARD.decode(encoded).is_err()) {
            let name = variable.name;
            self.note(format!(
                "`{name}` begins with `whsec_` and is no base64 after it"
            ));
            return None;
        }
        Some(key)
    }

    /// The key that is used, then those that are believed besides.
    pub(crate) fn keys(
        &mut self,
        used: &Variable,
        believed: &Variable,
    ) -> Option<Vec<SecretString>> {
        let used = self.key(used);
        let text = self.text(believed)?;
        let keys = text.split(',').map(str::trim).filter(|key| !key.is_empty());
        if keys.clone().any(|key| key.chars().count() < MIN_KEY_CHARS) {
            let name = believed.name;
            self.note(format!(
                "`{name}` has a key of less than {MIN_KEY_CHARS} characters"
            ));
            return None;
        }
        let believed = keys.map(SecretString::from);
        Some([used?].into_iter().chain(believed).collect())
    }

    /// An address of ours on a private network; empty if it may be and is. Nothing here speaks TLS
    /// as a client: better told now than at the first request.
    pub(crate) fn http_url(&mut self, variable: &Variable) -> Option<String> {
        self.url(
            variable,
            &["http://"],
            "which is how services are reached on a private network",
        )
    }

    pub(crate) fn redis_url(&mut self) -> Option<String> {
        self.url(
            &REDIS_URL,
            &["redis://", "unix://"],
            "the kinds of server that are known",
        )
    }

    fn url(&mut self, variable: &Variable, schemes: &[&str], why: &str) -> Option<String> {
        let value = self.text(variable)?;
        let rest = schemes.iter().find_map(|scheme| value.strip_prefix(scheme));
        if value.is_empty() || rest.is_some_and(|rest| !rest.trim_matches('/').is_empty()) {
            return Some(value.trim_end_matches('/').to_owned());
        }
        let (name, schemes) = (variable.name, schemes.join("` or `"));
        self.note(format!("`{name}` does not begin with `{schemes}`, {why}"));
        None
    }

    pub(crate) fn database_url(&mut self) -> Option<SecretString> {
        let value = self.text(&DATABASE_URL)?;
        let name = DATABASE_URL.name;
        let scheme = value.split(':').next().unwrap_or_default();
        match (scheme, self.app_env) {
            ("sqlite", AppEnv::Staging | AppEnv::Production) => {
                self.note(format!(
                    "`{name}` is SQLite, which is refused in `{}`: PostgreSQL is needed",
                    self.app_env
                ));
                None
            }
            ("postgres" | "postgresql", _) if demands_tls(&value) => {
                // Else every start would fail at the first connection.
                self.note(format!(
                    "`{name}` demands TLS, which the store does not speak yet: reach the server by \
                     a socket or a private network, and say `sslmode=disable`"
                ));
                None
            }
            ("sqlite" | "postgres" | "postgresql", _) => Some(value.into()),
            _ => {
                self.note(format!(
                    "`{name}` begins with neither `postgres:` nor `sqlite:`"
                ));
                None
            }
        }
    }

    fn note_unexpected(&mut self, variable: &Variable, value: &str) {
        let name = variable.name;
        let expected = match variable.kind {
            Kind::Text => variable.about,
            kind => kind.expectation(),
        };
        self.note(if variable.secret {
            format!("`{name}` is not {expected}")
        } else {
            format!("`{name}` is `{value}`, not {expected}")
        });
    }

    fn note(&mut self, problem: String) {
        self.problems.push(problem);
    }
}

/// Whether the URL says `sslmode=require` or more.
fn demands_tls(url: &str) -> bool {
    let parameters = url.split_once('?').map_or("", |(_, query)| query);
    parameters.split('&').any(|parameter| {
        matches!(
            parameter.split_once('='),
            Some((
                "sslmode" | "ssl-mode",
                "require" | "verify-ca" | "verify-full"
            ))
        )
    })
}
