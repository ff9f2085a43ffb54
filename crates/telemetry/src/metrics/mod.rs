//! Metrics: one table that says what there is, the recorder behind the macros of `metrics`, and the
//! text that is scraped.

mod process;
mod table;

use std::sync::{Mutex, OnceLock, PoisonError};

use metrics::{Counter, counter, gauge};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use settings::{Common, Surface};

use crate::Error;

use self::table::{ALL, LOG_FIELDS_DROPPED, LOG_LINES_DROPPED, POOL_CONNECTIONS, RELEASE};
pub use self::table::{Description, Kind, Metric, describe};

/// What scraping needs.
struct Exporter {
    handle: PrometheusHandle,
    dropped_fields: Counter,
    dropped_lines: Counter,
    /// Run before each scrape.
    samplers: Mutex<Vec<Sampler>>,
}

type Sampler = Box<dyn Fn() + Send>;

static EXPORTER: OnceLock<Exporter> = OnceLock::new();

/// Puts the recorder in place. Handles that were made before stay without effect.
pub(crate) fn init(common: &Common, surface: Surface) -> Result<(), Error> {
    let mut builder = PrometheusBuilder::new().add_global_label("service", surface.as_str());
    for metric in ALL {
        if let Kind::Histogram { buckets } = metric.kind {
            let whole_name = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(whole_name, buckets)?;
        }
    }
    let handle = builder.install_recorder().map_err(|_| Error::Twice)?;
    for metric in describe(surface).metrics {
        metric.register();
    }
    gauge!(
        RELEASE,
        "sha" => common.release_sha.clone(),
        "version" => env!("CARGO_PKG_VERSION")
    )
    .set(1.0);
    process::started();
    let exporter = Exporter {
        handle,
        dropped_fields: counter!(LOG_FIELDS_DROPPED),
        dropped_lines: counter!(LOG_LINES_DROPPED),
        samplers: Mutex::default(),
    };
    EXPORTER.set(exporter).map_err(|_| Error::Twice)
}

/// Runs before each scrape: for gauges whose value somebody else knows.
fn on_scrape(sampler: impl Fn() + Send + 'static) {
    if let Some(exporter) = EXPORTER.get() {
        let mut samplers = exporter
            .samplers
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        samplers.push(Box::new(sampler));
    }
}

/// Shows how many connections of a pool are idle and used, asked at each scrape.
pub fn watch_pool(idle_and_used: impl Fn() -> (usize, usize) + Send + 'static) {
    let [idle, used] = ["idle", "used"].map(|state| gauge!(POOL_CONNECTIONS, "state" => state));
    on_scrape(move || {
        let (now_idle, now_used) = idle_and_used();
        for (gauge, n) in [(&idle, now_idle), (&used, now_used)] {
            gauge.set(u32::try_from(n).unwrap_or(u32::MAX));
        }
    });
}

/// All metrics as the Prometheus text format has them; empty before [`init`](crate::init).
pub fn render() -> String {
    let Some(exporter) = EXPORTER.get() else {
        return String::new();
    };
    process::sample();
    let samplers = exporter
        .samplers
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    samplers.iter().for_each(|sample| sample());
    drop(samplers);
    exporter.handle.render()
}

/// To be called each second or so: until then, each value of a histogram is kept one by one.
pub fn upkeep() {
    if let Some(exporter) = EXPORTER.get() {
        exporter.handle.run_upkeep();
    }
}

pub(crate) fn count_dropped_fields(n: u64) {
    if let Some(exporter) = EXPORTER.get() {
        exporter.dropped_fields.increment(n);
    }
}

pub(crate) fn count_dropped_line() {
    if let Some(exporter) = EXPORTER.get() {
        exporter.dropped_lines.increment(1);
    }
}
