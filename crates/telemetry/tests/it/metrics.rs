//! What is scraped.

use std::collections::{BTreeMap, BTreeSet};

use ::metrics::{counter, gauge, histogram};
use serde_json::Value;
use settings::Surface;
use telemetry::metrics::{self, Kind};

use crate::alone;

/// One sample: its name and labels.
type Sample = (String, BTreeMap<String, String>);

/// Reads the text format, strictly: `# HELP`, `# TYPE` and samples of the form `name{l="v"} 1`.
fn parse(
    text: &str,
) -> (
    BTreeMap<String, String>,
    BTreeMap<String, String>,
    Vec<Sample>,
) {
    let (mut help, mut kinds, mut samples) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(rest) = line.strip_prefix("# ") {
            let [what, name, text] = rest.splitn(3, ' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let table = if what == "HELP" {
                &mut help
            } else {
                &mut kinds
            };
            assert!(
                table.insert(name.to_owned(), text.to_owned()).is_none(),
                "{line}"
            );
            continue;
        }
        let (series, value) = line.rsplit_once(' ').unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
        let (name, labels) = series.strip_suffix('}').unwrap().split_once('{').unwrap();
        assert!(
            name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'),
            "{line}"
        );
        let labels = labels.split("\",").map(|label| {
            let (label, value) = label.trim_end_matches('"').split_once("=\"").unwrap();
            (label.to_owned(), value.to_owned())
        });
        samples.push((name.to_owned(), labels.collect()));
    }
    (help, kinds, samples)
}

/// The family that a sample of a histogram belongs to.
fn family(name: &str) -> &str {
    ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|suffix| {
            name.strip_suffix(suffix)
                .filter(|name| name.ends_with("_seconds"))
        })
        .unwrap_or(name)
}

/// Nothing as a test; in a process of its own, one event for each metric.
#[test]
fn traffic() {
    if !alone::is_alone() {
        return;
    }
    telemetry::init(&alone::common("production"), Surface::Api).unwrap();
    metrics::watch_pool(|| (3, 4));
    let route = [("route", "/meals/{id}"), ("method", "GET")];
    counter!("http_requests_total", "route" => "/meals/{id}", "method" => "GET", "status" => "200")
        .increment(1);
    histogram!("http_request_duration_seconds", &route).record(0.003);
    gauge!("http_requests_in_flight").increment(1.0);
    counter!("rate_limit_triggered_total", "route" => "/", "class" => "strict").increment(1);
    counter!("webhook_deliveries_total", "provider" => "payments", "result" => "accepted")
        .increment(1);
    histogram!("db_pool_acquire_seconds").record(0.00005);
    println!("\n{}", metrics::render());
    telemetry::flush();
}

#[test]
fn what_is_described_is_what_is_scraped() {
    let output = alone::run("metrics::traffic", &[]);
    let stdout = String::from_utf8(output.stdout).unwrap();
    let start = stdout.find("# ").unwrap();
    let end = stdout.rfind("} ").unwrap();
    let end = end + stdout[end..].find('\n').unwrap();
    let (help, kinds, samples) = parse(&stdout[start..end]);

    let description = metrics::describe(Surface::Api);
    let described: BTreeSet<_> = description
        .metrics
        .iter()
        .map(|metric| metric.name)
        .collect();
    let scraped: BTreeSet<_> = samples.iter().map(|(name, _)| family(name)).collect();
    assert_eq!(described, scraped);
    for metric in &description.metrics {
        assert_eq!(help[metric.name], metric.help);
        let kind = serde_json::to_value(metric.kind).unwrap();
        assert_eq!(Value::from(kinds[metric.name].clone()), kind["kind"]);
        for (name, labels) in &samples {
            if family(name) == metric.name {
                let labels = labels.keys().filter(|label| *label != "le");
                assert_eq!(labels.collect::<Vec<_>>(), metric.labels, "{name}");
            }
        }
        if let Kind::Histogram { buckets } = metric.kind {
            let bounds: BTreeSet<_> = samples
                .iter()
                .filter(|(name, _)| *name == format!("{}_bucket", metric.name))
                .map(|(_, labels)| labels["le"].clone())
                .collect();
            // And infinity.
            assert_eq!(bounds.len(), buckets.len() + 1, "{}", metric.name);
        }
    }
    for (_, labels) in &samples {
        assert_eq!(labels["service"], "api");
    }
    for expected in [
        "\ndb_pool_connections{service=\"api\",state=\"used\"} 4\n",
        "\nhttp_request_duration_seconds_bucket{service=\"api\",route=\"/meals/{id}\",method=\"GET\",le=\"0.005\"} 1\n",
        "\nlog_fields_dropped_total{service=\"api\"} 0\n",
    ] {
        assert!(
            stdout.contains(expected),
            "{expected} is missing in {stdout}"
        );
    }
    assert!(stdout.contains("sha=\"abc123\""), "{stdout}");
}

#[test]
fn only_the_surface_with_a_database_has_its_metrics() {
    let has = |surface, name| {
        let metrics = metrics::describe(surface).metrics;
        metrics.iter().any(|metric| metric.name == name)
    };
    assert!(has(Surface::Api, "db_pool_connections"));
    assert!(!has(Surface::Site, "db_pool_connections"));
    assert!(has(Surface::Site, "http_requests_total"));
}

/// Nothing as a test; in a process of its own, more values than memory should ever hold.
#[test]
fn many_values() {
    if !alone::is_alone() {
        return;
    }
    telemetry::init(&alone::common("production"), Surface::Site).unwrap();
    let duration = histogram!("http_request_duration_seconds", "route" => "/", "method" => "GET");
    let resident = || {
        let text = metrics::render();
        let line = text
            .lines()
            .find(|line| line.starts_with("process_resident_memory_bytes"));
        let bytes = line.unwrap().rsplit_once(' ').unwrap().1;
        bytes.parse::<f64>().unwrap()
    };
    let round = || {
        (0..10_000).for_each(|_| duration.record(0.003));
        metrics::upkeep();
    };
    round();
    let before = resident();
    (0..60).for_each(|_| round());
    let grown = resident() - before;
    // Kept one by one, they would take more than 9 MB.
    assert!(grown < 3e6, "{grown} bytes");
    assert!(
        metrics::render().contains("_count{service=\"site\",route=\"/\",method=\"GET\"} 610000\n")
    );
}

#[test]
#[cfg(target_os = "linux")]
fn upkeep_keeps_memory_bounded() {
    alone::run("metrics::many_values", &[]);
}
