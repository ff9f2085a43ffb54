//! The real binary: its command line, and what it says when it cannot start.

use testkit::{Binary, binary};

const APP: Binary = binary!("api");

#[test]
fn describes_its_settings_without_any() {
    APP.assert_settings(&[
        "API_ADDR",
        "API_METRICS_ADDR",
        "DATABASE_URL",
        "DATABASE_SERVER_ID",
        "API_TOKEN_KEY",
        "API_TOKEN_KEYS_ACCEPTED",
        "API_PAYMENTS_KEY",
    ]);
}

#[test]
fn describes_its_routes_without_any_settings() {
    APP.assert_routes(&[
        ["POST", "/v1/accounts", "public"],
        ["GET", "/v1/accounts/me", "signed-in"],
        ["POST", "/v1/sessions", "public"],
        ["POST", "/v1/sessions/refresh", "public"],
        ["DELETE", "/v1/sessions/current", "signed-in"],
        ["GET", "/v1/menu", "public"],
        ["GET", "/v1/menu/all", "role:staff"],
        ["POST", "/v1/menu", "role:staff"],
        ["PATCH", "/v1/menu/{id}", "role:staff"],
        ["GET", "/v1/orders", "signed-in"],
        ["POST", "/v1/orders", "signed-in"],
        ["GET", "/v1/orders/{id}", "signed-in"],
        ["POST", "/v1/orders/{id}/cancel", "signed-in"],
        ["GET", "/v1/kitchen/orders", "role:staff"],
        ["PATCH", "/v1/kitchen/orders/{id}", "role:staff"],
        ["POST", "/v1/webhooks/payments", "webhook:payments"],
        ["GET", "/v1/audit", "role:staff"],
        ["GET", "/v1/openapi.json", "public"],
    ]);
}

#[test]
fn describes_its_openapi_document_without_any_settings() {
    let run = APP.run(&["describe", "openapi"], &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout.trim_end(), api::openapi_json());
}

#[test]
fn describes_its_queries_without_any_settings() {
    let run = APP.run(&["describe", "queries"], &[]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    assert_eq!(run.stdout.trim_end(), api::queries_json());
    assert!(run.stdout.contains("crates/store/src/sql/sqlite.rs"));
}

#[test]
fn anything_else_is_a_usage_error() {
    APP.assert_usage();
}

#[test]
fn a_missing_secret_stops_it_with_help() {
    APP.assert_needs("API_TOKEN_KEY");
    APP.assert_needs("API_PAYMENTS_KEY");
}

#[test]
fn a_database_that_is_not_there_stops_it_with_help() {
    let settings = [
        ("API_TOKEN_KEY", "a-key-that-nothing-but-tests-knows"),
        ("API_PAYMENTS_KEY", "a-provider-that-only-tests-hear-of"),
        ("DATABASE_URL", "sqlite://nowhere/at-all.db"),
    ];
    let run = APP.run(&[], &settings);
    assert_eq!(run.code, Some(3));
    for part in [
        "error: failed to connect to the database",
        "\nhelp: check `DATABASE_URL`",
    ] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
}
