//! The real binary: its command line, and what it says when it cannot start.

use testkit::{Binary, binary};

const APP: Binary = binary!("api");

#[test]
fn describes_its_settings_without_any() {
    APP.assert_settings(&["API_ADDR", "DATABASE_URL", "API_TOKEN_KEY"]);
}

#[test]
fn describes_its_routes_without_any_settings() {
    APP.assert_routes(&[
        ["GET", "/v1/menu", "public"],
        ["POST", "/v1/menu", "role:staff"],
        ["GET", "/v1/orders", "signed-in"],
        ["POST", "/v1/orders", "signed-in"],
    ]);
}

#[test]
fn anything_else_is_a_usage_error() {
    APP.assert_usage();
}

#[test]
fn a_missing_secret_stops_it_with_help() {
    APP.assert_needs("API_TOKEN_KEY");
}

#[test]
fn a_database_that_is_not_there_stops_it_with_help() {
    let settings = [
        ("API_TOKEN_KEY", "a-key-that-nothing-but-tests-knows"),
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
