//! Counts that all instances of an app share, in Redis. When it does not answer, each instance
//! counts for itself until it does: too much is let through then, and nobody is turned away for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, RedisError, Script};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::timeout;

use super::{Caller, RateClass};

/// A request does not wait longer than this for its count.
const PATIENCE: Duration = Duration::from_millis(50);
/// How long Redis is left alone after it failed to answer.
const RESPITE: Duration = Duration::from_secs(1);

/// The generic cell rate algorithm: one key holds the time at which the bucket is full again, in
/// microseconds of the server's clock, so that the instances' clocks do not matter. Takes the
/// microseconds per token and per full bucket; gives those to wait, or 0.
const TAKE: &str = "
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now) + ARGV[1]
local wait = full - now - ARGV[2]
if wait > 0 then return math.ceil(wait) end
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000))
return 0";

/// A connection that is made when it is needed, and made again when it breaks. Clones share it.
#[derive(Clone)]
pub struct SharedRates(Arc<Shared>);

struct Shared {
    /// Keeps apps apart that share one server.
    prefix: String,
    script: Script,
    connection: ConnectionManager,
    is_down: AtomicBool,
}

impl SharedRates {
    /// Connects lazily: a server that is not there is no reason not to start. Needs a running tokio.
    pub fn new(prefix: &str, url: &SecretString) -> Result<Self, RedisError> {
        let client = Client::open(url.expose_secret())?;
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(RESPITE))
            .set_response_timeout(Some(RESPITE));
        Ok(Self(Arc::new(Shared {
            prefix: format!("rate:{prefix}"),
            script: Script::new(TAKE),
            connection: ConnectionManager::new_lazy_with_config(client, config)?,
            is_down: AtomicBool::new(false),
        })))
    }

    /// Whether the server answers.
    pub async fn ping(&self) -> Result<(), RedisError> {
        let mut connection = self.0.connection.clone();
        redis::cmd("PING").query_async(&mut connection).await
    }

    /// Takes one token, or tells how long until there is one; nothing when Redis does not answer.
    pub(super) async fn take(
        &self,
        class: RateClass,
        caller: &Caller,
    ) -> Option<Result<(), Duration>> {
        if self.0.is_down.load(Ordering::Relaxed) {
            return None;
        }
        match timeout(PATIENCE, self.ask(class, caller)).await {
            Ok(Ok(0)) => Some(Ok(())),
            Ok(Ok(wait)) => Some(Err(Duration::from_micros(wait))),
            Ok(Err(error)) => {
                self.leave_alone(&error);
                None
            }
            Err(_) => {
                self.leave_alone(&(ErrorKind::Io, "no answer in time").into());
                None
            }
        }
    }

    async fn ask(&self, class: RateClass, caller: &Caller) -> Result<u64, RedisError> {
        const MICROS: f64 = 1e6;
        let (burst, per_second) = class.allowance();
        let who = match caller {
            Caller::Subject(subject) => format!("subject:{subject}"),
            Caller::Address(Some(addr)) => format!("address:{addr}"),
            Caller::Named(name) => format!("named:{name}"),
            Caller::Address(None) => "address:unknown".to_owned(),
        };
        let mut connection = self.0.connection.clone();
        let mut call = self.0.script.prepare_invoke();
        call.key(format!("{}:{}:{who}", self.0.prefix, class.as_str()))
            .arg(MICROS / per_second)
            .arg(burst * MICROS / per_second);
        call.invoke_async(&mut connection).await
    }

    /// Says once that counts are not shared now, and asks again until they are.
    fn leave_alone(&self, error: &RedisError) {
        if self.0.is_down.swap(true, Ordering::Relaxed) {
            return;
        }
        tracing::warn!(
            error = error.to_string(),
            "redis does not answer: each instance counts rates for itself"
        );
        let shared = self.clone();
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(RESPITE).await;
                // Whoever finished the app is gone: nobody is left to ask for.
                if Arc::strong_count(&shared.0) == 1 {
                    return;
                }
                if let Ok(Ok(())) = timeout(RESPITE, shared.ping()).await {
                    break;
                }
            }
            shared.0.is_down.store(false, Ordering::Relaxed);
            tracing::info!("redis answers again: rates are shared");
        });
    }
}
