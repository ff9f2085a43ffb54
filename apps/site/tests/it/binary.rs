//! The real binary: its command line, and what it says when it cannot start.

use testkit::{Binary, binary};

const APP: Binary = binary!("site");

#[test]
fn describes_its_settings_without_any() {
    APP.assert_settings(&["SITE_ADDR", "SITE_METRICS_ADDR", "API_URL"]);
}

#[test]
fn describes_its_routes_without_any_settings() {
    APP.assert_routes(&[
        ["GET", "/", "public"],
        ["GET", "/menu", "public"],
        ["GET", "/style.css", "public"],
        ["GET", "/icon.svg", "public"],
    ]);
}

#[test]
fn anything_else_is_a_usage_error() {
    APP.assert_usage();
}

#[test]
fn settings_that_cannot_be_used_stop_it_all_at_once() {
    let settings = [
        ("SITE_ADDR", "nowhere"),
        ("DRAIN_DEADLINE_MS", "soon"),
        ("APP_ENV", "production"),
    ];
    let run = APP.run(&[], &settings);
    assert_eq!((run.code, run.stdout.as_str()), (Some(3), ""));
    for part in [
        "`SITE_ADDR` is `nowhere`",
        "`DRAIN_DEADLINE_MS` is `soon`",
        "\nhelp: set them in the environment",
    ] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}

#[test]
fn a_bad_log_filter_is_named() {
    for filter in ["a=b=c", "inof"] {
        let run = APP.run(&[], &[("LOG", filter)]);
        assert_eq!(run.code, Some(3));
        let start = format!("error: `LOG` is `{filter}`");
        assert!(run.stderr.starts_with(&start), "{}", run.stderr);
    }
}
