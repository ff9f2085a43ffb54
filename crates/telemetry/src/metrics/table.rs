//! The metrics, one row each.

use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};
use serde::Serialize;
use settings::Surface;

/// How a metric behaves.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts values by size.
    Histogram {
        /// The upper bounds, but for the last one, which is infinity.
        buckets: &'static [f64],
    },
}

/// One metric.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Metric {
    /// Its name; the unit is part of it.
    pub name: &'static str,
    /// How it behaves.
    #[serde(flatten)]
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
    /// Its labels, sorted. Each has few values, all known beforehand: never a path, an id, or
    /// anything else of a caller's choosing.
    pub labels: &'static [&'static str],
    /// The only surface that has it; otherwise all do.
    #[serde(skip)]
    only: Option<Surface>,
}

/// The metrics of one surface, as `<app> describe metrics` prints them.
#[derive(Debug, Serialize)]
pub struct Description {
    /// Whose they are.
    pub app: Surface,
    /// One for each metric, in the order of the table.
    pub metrics: Vec<Metric>,
}

/// Lists the metrics of a surface. Needs nothing.
pub fn describe(surface: Surface) -> Description {
    let has = |metric: &&Metric| metric.only.is_none_or(|only| only == surface);
    Description {
        app: surface,
        metrics: ALL.iter().filter(has).copied().collect(),
    }
}

impl Metric {
    const fn new(
        name: &'static str,
        kind: Kind,
        labels: &'static [&'static str],
        help: &'static str,
    ) -> Self {
        Self {
            name,
            kind,
            help,
            labels,
            only: None,
        }
    }

    const fn only(self, surface: Surface) -> Self {
        Self {
            only: Some(surface),
            ..self
        }
    }

    /// Tells the recorder. What has no label of its own is there from the start, as 0: a counter
    /// that comes into being with its first event has not risen, to whoever watches it.
    pub(super) fn register(self) {
        let Self { name, help, .. } = self;
        let is_one = self.labels == ["service"];
        match self.kind {
            Counter => {
                describe_counter!(name, help);
                if is_one {
                    drop(counter!(name));
                }
            }
            Gauge => {
                describe_gauge!(name, help);
                if is_one {
                    drop(gauge!(name));
                }
            }
            Histogram { .. } => {
                describe_histogram!(name, help);
                if is_one {
                    drop(histogram!(name));
                }
            }
        }
    }
}

use Kind::{Counter, Gauge, Histogram};

/// From an answer out of memory to one that ran into a time-out.
const REQUEST_SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// From a connection that was idle to one that had to be opened, or waited for.
const ACQUIRE_SECONDS: &[f64] = &[0.0001, 0.001, 0.01, 0.1, 1.0, 5.0];

pub(super) const RELEASE: &str = "release_info";
pub(super) const POOL_CONNECTIONS: &str = "db_pool_connections";
pub(super) const LOG_FIELDS_DROPPED: &str = "log_fields_dropped_total";
pub(super) const LOG_LINES_DROPPED: &str = "log_lines_dropped_total";
pub(super) const RESIDENT_MEMORY: &str = "process_resident_memory_bytes";
pub(super) const OPEN_FDS: &str = "process_open_fds";
pub(super) const START_TIME: &str = "process_start_time_seconds";

pub(super) const ALL: &[Metric] = &[
    Metric::new(
        "http_requests_total",
        Counter,
        &["method", "route", "service", "status"],
        "requests answered, by the pattern of their route",
    ),
    Metric::new(
        "http_request_duration_seconds",
        Histogram {
            buckets: REQUEST_SECONDS,
        },
        &["method", "route", "service"],
        "time from a request's headers to its answer's",
    ),
    Metric::new(
        "http_requests_in_flight",
        Gauge,
        &["service"],
        "requests that are being answered",
    ),
    Metric::new(
        "rate_limit_triggered_total",
        Counter,
        &["class", "route", "service"],
        "requests turned away because their caller came too often",
    ),
    Metric::new(
        "webhook_deliveries_total",
        Counter,
        &["provider", "result", "service"],
        "what providers delivered, by what became of it",
    )
    .only(Surface::Api),
    Metric::new(
        POOL_CONNECTIONS,
        Gauge,
        &["service", "state"],
        "connections to the database, idle and used",
    )
    .only(Surface::Api),
    Metric::new(
        "db_pool_acquire_seconds",
        Histogram {
            buckets: ACQUIRE_SECONDS,
        },
        &["service"],
        "time until the pool gave a connection",
    )
    .only(Surface::Api),
    Metric::new(
        RELEASE,
        Gauge,
        &["service", "sha", "version"],
        "always 1; the labels say what runs",
    ),
    Metric::new(
        LOG_FIELDS_DROPPED,
        Counter,
        &["service"],
        "log fields not written because their name is not on the list",
    ),
    Metric::new(
        LOG_LINES_DROPPED,
        Counter,
        &["service"],
        "log lines not written because standard output was full",
    ),
    Metric::new(
        RESIDENT_MEMORY,
        Gauge,
        &["service"],
        "memory that is not swapped out",
    ),
    Metric::new(OPEN_FDS, Gauge, &["service"], "open file descriptors"),
    Metric::new(
        START_TIME,
        Gauge,
        &["service"],
        "when the process started, since 1970",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_say_their_unit_and_labels_are_sorted() {
        for (n, metric) in ALL.iter().enumerate() {
            let name = metric.name;
            assert!(
                ALL[n + 1..].iter().all(|other| other.name != name),
                "{name}"
            );
            assert!(metric.labels.is_sorted_by(|a, b| a < b), "{name}");
            assert!(metric.labels.contains(&"service"), "{name}");
            match metric.kind {
                Counter => assert!(name.ends_with("_total"), "{name}"),
                Gauge => assert!(!name.ends_with("_total"), "{name}"),
                Histogram { buckets } => {
                    assert!(name.ends_with("_seconds"), "{name}");
                    assert!(buckets.is_sorted_by(|a, b| a < b), "{name}");
                }
            }
        }
    }
}
