//! The real binary: its command line, and what it says when it cannot start.

use std::process::{Command, Output};

use serde_json::Value;

/// In an empty environment, and where there is no `.env.local`.
fn run(args: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_admin"))
        .args(args)
        .env_clear()
        .envs(settings.iter().copied())
        .current_dir(env!("CARGO_TARGET_TMPDIR"))
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

#[test]
fn describes_its_settings_without_any() {
    let (code, stdout, stderr) = run(&["describe", "settings"], &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let described: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(described["surface"], "admin");
    let settings = described["settings"].as_array().unwrap();
    let names: Vec<_> = settings
        .iter()
        .map(|setting| setting["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names[names.len() - 2..],
        ["ADMIN_ADDR", "ADMIN_SESSION_KEY"]
    );
}

#[test]
fn describes_its_routes_without_any_settings() {
    let (code, stdout, stderr) = run(&["describe", "routes"], &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let described: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(described["app"], "admin");
    let rows: Vec<_> = described["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| ["method", "path", "access"].map(|key| route[key].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ["GET", "/", "role:staff"],
            ["GET", "/sign-in", "public"],
            ["GET", "/style.css", "public"],
            ["GET", "/livez", "public"],
            ["GET", "/readyz", "public"],
            ["GET", "/health", "public"],
        ]
    );
    let first = &described["routes"][0];
    assert_eq!(first["file"], "apps/admin/src/router.rs");
    assert!(first["line"].as_u64().unwrap() > 1);
}

#[test]
fn anything_else_is_a_usage_error() {
    for args in [&["describe"][..], &["describe", "secrets"], &["--force"]] {
        let (code, stdout, stderr) = run(args, &[]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert_eq!(stderr, "usage: admin [describe settings|routes]\n");
    }
}

#[test]
fn a_missing_secret_stops_it_with_help() {
    let (code, stdout, stderr) = run(&[], &[]);
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    assert!(
        stderr.starts_with("error: the settings of `admin` cannot be used\n"),
        "{stderr}"
    );
    assert!(
        stderr.contains("`ADMIN_SESSION_KEY` is not set"),
        "{stderr}"
    );
    assert!(
        stderr.contains("\nhelp: run `cargo xtask setup`"),
        "{stderr}"
    );
}
