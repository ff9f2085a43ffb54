//! The real binary: its command line, and what it says when it cannot start.

use testkit::{Binary, binary};

const APP: Binary = binary!("admin");

#[test]
fn describes_its_settings_without_any() {
    APP.assert_settings(&[
        "ADMIN_ADDR",
        "ADMIN_METRICS_ADDR",
        "API_URL",
        "ADMIN_SESSION_KEY",
        "ADMIN_SESSION_KEYS_ACCEPTED",
    ]);
}

#[test]
fn describes_its_routes_without_any_settings() {
    APP.assert_routes(&[
        ["GET", "/", "role:staff"],
        ["POST", "/orders/{id}", "role:staff"],
        ["GET", "/menu", "role:staff"],
        ["POST", "/menu", "role:staff"],
        ["POST", "/menu/{id}", "role:staff"],
        ["GET", "/audit", "role:staff"],
        ["GET", "/sign-in", "public"],
        ["POST", "/sign-in", "public"],
        ["POST", "/sign-out", "public"],
        ["GET", "/style.css", "public"],
        ["GET", "/icon.svg", "public"],
    ]);
}

#[test]
fn anything_else_is_a_usage_error() {
    APP.assert_usage();
}

#[test]
fn a_missing_secret_stops_it_with_help() {
    APP.assert_needs("ADMIN_SESSION_KEY");
}
