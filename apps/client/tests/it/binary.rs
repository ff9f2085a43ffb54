//! The real binary: its command line, and what it says when it cannot start.

use testkit::{Binary, binary};

const APP: Binary = binary!("client");

#[test]
fn describes_its_settings_without_any() {
    APP.assert_settings(&[
        "CLIENT_ADDR",
        "CLIENT_METRICS_ADDR",
        "API_URL",
        "CLIENT_SESSION_KEY",
        "CLIENT_SESSION_KEYS_ACCEPTED",
    ]);
}

#[test]
fn describes_its_routes_without_any_settings() {
    APP.assert_routes(&[
        ["GET", "/", "signed-in"],
        ["GET", "/orders", "signed-in"],
        ["POST", "/orders", "signed-in"],
        ["GET", "/orders/{id}", "signed-in"],
        ["POST", "/orders/{id}/cancel", "signed-in"],
        ["GET", "/sign-in", "public"],
        ["POST", "/sign-in", "public"],
        ["GET", "/sign-up", "public"],
        ["POST", "/sign-up", "public"],
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
    APP.assert_needs("CLIENT_SESSION_KEY");
}
