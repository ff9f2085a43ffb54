//! `/livez`, `/readyz` and `/health`.

use std::collections::BTreeMap;
use std::error::Error;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use axum::Json;
use axum::http::{HeaderName, StatusCode, header};
use guard::{GuardedRouter, RateClass, public};
use jiff::Timestamp;
use serde::Serialize;
use telemetry::with_causes;
use tokio::sync::Mutex;
use tokio::time::timeout;

/// How long a result stands: probes of several load balancers cost one query.
const FRESH: Duration = Duration::from_secs(1);
/// A dependency that takes longer counts as gone.
const PATIENCE: Duration = Duration::from_secs(2);

type Probe =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<(), String>> + Send>> + Send + Sync>;
type Answer<T> = (StatusCode, [(HeaderName, &'static str); 1], Json<T>);

/// Something the service depends on.
pub struct Check {
    name: &'static str,
    required: bool,
    probe: Probe,
    last: Mutex<Option<(Instant, bool)>>,
}

impl Check {
    /// Something the service cannot work without: its name, and how to ask it for a sign of life.
    pub fn new<F, E>(name: &'static str, probe: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        let probe: Probe = Box::new(move || {
            let asked = probe();
            Box::pin(async move { asked.await.map_err(|error| with_causes(&*error.into())) })
        });
        Self {
            name,
            required: true,
            probe,
            last: Mutex::new(None),
        }
    }

    /// Something the service does worse without: shown as `disconnected` when it is gone, while the
    /// service stays `healthy` and ready. Taking all instances out of service would be the larger
    /// loss.
    pub fn optional<F, E>(name: &'static str, probe: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        Self {
            required: false,
            ..Self::new(name, probe)
        }
    }

    /// Whoever asks while another is asking waits for the same answer.
    async fn passes(&self) -> bool {
        let mut last = self.last.lock().await;
        if let Some((at, passed)) = *last
            && at.elapsed() < FRESH
        {
            return passed;
        }
        let failure = match timeout(PATIENCE, (self.probe)()).await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some("no answer in time".to_owned()),
        };
        if let Some(error) = &failure {
            tracing::warn!(check = self.name, error, "dependency check failed");
        }
        *last = Some((Instant::now(), failure.is_none()));
        failure.is_none()
    }
}

/// What a service knows about its own state. Clones share it.
#[derive(Clone)]
pub struct Health(Arc<State>);

struct State {
    sha: String,
    started: Instant,
    draining: AtomicBool,
    checks: Vec<Check>,
}

#[derive(Serialize)]
struct Status {
    status: &'static str,
}

#[derive(Serialize)]
struct Report {
    status: &'static str,
    uptime: u64,
    timestamp: String,
    version: &'static str,
    sha: String,
    services: BTreeMap<&'static str, &'static str>,
}

impl Health {
    /// The health of a release with these dependencies.
    pub fn new(sha: &str, checks: Vec<Check>) -> Self {
        Self(Arc::new(State {
            sha: sha.to_owned(),
            started: Instant::now(),
            draining: AtomicBool::new(false),
            checks,
        }))
    }

    /// The three routes.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> GuardedRouter<S> {
        let (ready, health) = (self.clone(), self.clone());
        GuardedRouter::new()
            .get(
                "/livez",
                public("the supervisor asks whether the process responds").rate(RateClass::Probe),
                async || answer(true, Status { status: "alive" }),
            )
            .get(
                "/readyz",
                public("load balancers ask whether to send requests").rate(RateClass::Probe),
                async move || ready.readiness().await,
            )
            .get(
                "/health",
                public("monitoring and deployments ask what runs here").rate(RateClass::Probe),
                async move || health.report().await,
            )
    }

    /// From now on the service is not ready, whatever its dependencies say.
    pub(crate) fn start_draining(&self) {
        self.0.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Relaxed)
    }

    async fn readiness(&self) -> Answer<Status> {
        if self.is_draining() {
            return answer(false, Status { status: "draining" });
        }
        let mut ready = true;
        for check in self.0.checks.iter().filter(|check| check.required) {
            ready &= check.passes().await;
        }
        answer(
            ready,
            Status {
                status: if ready { "ready" } else { "unready" },
            },
        )
    }

    async fn report(&self) -> Answer<Report> {
        let mut healthy = !self.is_draining();
        let mut services = BTreeMap::new();
        for check in &self.0.checks {
            let connected = check.passes().await;
            healthy &= connected || !check.required;
            let word = if connected {
                "connected"
            } else {
                "disconnected"
            };
            services.insert(check.name, word);
        }
        let now = Timestamp::now();
        answer(
            healthy,
            Report {
                status: if healthy { "healthy" } else { "unhealthy" },
                uptime: self.0.started.elapsed().as_secs(),
                // Whole seconds, as every reader of logs expects them.
                timestamp: Timestamp::from_second(now.as_second())
                    .unwrap_or(now)
                    .to_string(),
                version: env!("CARGO_PKG_VERSION"),
                sha: self.0.sha.clone(),
                services,
            },
        )
    }
}

fn answer<T>(ok: bool, body: T) -> Answer<T> {
    let status = if ok {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, [(header::CACHE_CONTROL, "no-store")], Json(body))
}
