//! What a service tells about itself: log lines, each with its request's id, and metrics.

mod causes;
mod log;
pub mod metrics;
mod panics;
mod request_id;
#[cfg(feature = "otel")]
mod traces;

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::BuildError;
use settings::{AppEnv, Common, Surface};
use tracing_subscriber::filter::{LevelFilter, ParseError};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry};

use crate::log::{Lines, Queue};

pub use causes::with_causes;
pub use request_id::{RequestId, in_request};

/// How long the end of a process waits for what it has told to arrive.
const PATIENCE: Duration = Duration::from_secs(2);

static QUEUE: OnceLock<Queue> = OnceLock::new();

/// Why logs and metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The filter does not parse.
    #[error("`LOG` is `{filter}`, not a log filter such as `info,sqlx=warn`")]
    Filter {
        /// What was given.
        filter: String,
        /// Why it does not parse.
        source: ParseError,
    },
    /// The filter parses, and silences whatever it does not name.
    #[error("`LOG` is `{0}`, which gives no level for all the rest, such as `info`")]
    NoLevel(String),
    /// There is nobody to write the log, or nowhere to write it.
    #[error("failed to set up the log")]
    Log(#[from] io::Error),
    /// The table of metrics is not usable.
    #[error("failed to set up the metrics")]
    Metrics(#[from] BuildError),
    /// No exporter for traces.
    #[cfg(feature = "otel")]
    #[error("failed to set up the traces")]
    Traces(#[from] opentelemetry_otlp::ExporterBuildError),
    /// The process has logs and metrics already.
    #[error("logs and metrics are set up already")]
    Twice,
}

impl Error {
    /// What to do about it.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Filter { .. } | Self::NoLevel(_) => "`LOG=info` is a good start",
            Self::Log(_) => "the system is short of threads or files: see `ulimit -a`",
            Self::Metrics(_) => "mend the buckets in `crates/telemetry/src/metrics/table.rs`",
            #[cfg(feature = "otel")]
            Self::Traces(_) => "check `OTEL_EXPORTER_OTLP_ENDPOINT`",
            Self::Twice => "call `telemetry::init` once in a process",
        }
    }
}

/// Sets up logs, metrics and what becomes of panics, for the whole process. Comes before the app is
/// finished: what was counted before is lost.
pub fn init(common: &Common, surface: Surface) -> Result<(), Error> {
    let filter = filter(&common.log)?;
    let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
    let queue = Queue::start(stdout)?;
    let lines = Lines::new(common.app_env, surface.as_str(), queue.clone());
    let subscriber = Registry::default().with(filter).with(lines);
    #[cfg(feature = "otel")]
    let subscriber = subscriber.with(traces::Spans);
    subscriber.try_init().map_err(|_| Error::Twice)?;
    metrics::init(common, surface)?;
    panics::log_them(queue.clone());
    #[cfg(feature = "otel")]
    traces::init(common, surface)?;
    #[cfg(not(feature = "otel"))]
    if common.otlp_endpoint.is_some() {
        tracing::warn!(
            "traces have an address to go to, but this build lacks the feature `otel`: \
             build the app with `--features serve/otel`"
        );
    }
    QUEUE.set(queue).map_err(|_| Error::Twice)
}

/// Waits until all that was told has arrived, for two seconds at most. The last thing a process
/// does.
pub fn flush() {
    let until = Instant::now() + PATIENCE;
    #[cfg(feature = "otel")]
    let traces = traces::shut_down(PATIENCE);
    if let Some(queue) = QUEUE.get() {
        queue.flush(until);
    }
    #[cfg(feature = "otel")]
    let _ = traces.recv_timeout(until.saturating_duration_since(Instant::now()));
}

/// The subscriber behind [`init`], writing where it is told, at once: a test can read what was
/// logged.
pub fn subscriber<W>(
    env: AppEnv,
    filter: &str,
    writer: W,
) -> Result<Box<dyn tracing::Subscriber + Send + Sync>, Error>
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    let lines = Lines::new(env, "test", writer);
    Ok(Box::new(
        Registry::default().with(self::filter(filter)?).with(lines),
    ))
}

fn filter(filter: &str) -> Result<EnvFilter, Error> {
    let parsed = EnvFilter::builder()
        .parse(filter)
        .map_err(|source| Error::Filter {
            filter: filter.to_owned(),
            source,
        })?;
    if has_bare_level(filter) {
        Ok(parsed)
    } else {
        Err(Error::NoLevel(filter.to_owned()))
    }
}

/// A misspelt level is a target to the parser: `inof` would silence all but a crate of that name.
fn has_bare_level(filter: &str) -> bool {
    filter
        .split(',')
        .map(str::trim)
        .any(|part| !part.is_empty() && part.parse::<LevelFilter>().is_ok())
}
