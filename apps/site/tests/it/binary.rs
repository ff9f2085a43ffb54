//! The real binary: its command line, and what it says when it cannot start.

use std::process::{Command, Output};

use serde_json::Value;

/// In an empty environment, and where there is no `.env.local`.
fn run(args: &[&str], settings: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(env!("CARGO_BIN_EXE_site"))
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
    assert_eq!(described["surface"], "site");
    let settings = described["settings"].as_array().unwrap();
    let names: Vec<_> = settings
        .iter()
        .map(|setting| setting["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[names.len() - 1..], ["SITE_ADDR"]);
}

#[test]
fn describes_its_routes_without_any_settings() {
    let (code, stdout, stderr) = run(&["describe", "routes"], &[]);
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    let described: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(described["app"], "site");
    let rows: Vec<_> = described["routes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|route| ["method", "path", "access"].map(|key| route[key].as_str().unwrap()))
        .collect();
    assert_eq!(
        rows,
        [
            ["GET", "/", "public"],
            ["GET", "/menu", "public"],
            ["GET", "/style.css", "public"],
            ["GET", "/livez", "public"],
            ["GET", "/readyz", "public"],
            ["GET", "/health", "public"],
        ]
    );
    let first = &described["routes"][0];
    assert_eq!(first["file"], "apps/site/src/router.rs");
    assert!(first["line"].as_u64().unwrap() > 1);
}

#[test]
fn anything_else_is_a_usage_error() {
    for args in [&["describe"][..], &["describe", "secrets"], &["--force"]] {
        let (code, stdout, stderr) = run(args, &[]);
        assert_eq!((code, stdout.as_str()), (Some(2), ""));
        assert_eq!(stderr, "usage: site [describe settings|routes]\n");
    }
}

#[test]
fn settings_that_cannot_be_used_stop_it_all_at_once() {
    let settings = [
        ("SITE_ADDR", "nowhere"),
        ("DRAIN_DEADLINE_MS", "soon"),
        ("APP_ENV", "production"),
    ];
    let (code, stdout, stderr) = run(&[], &settings);
    assert_eq!((code, stdout.as_str()), (Some(3), ""));
    assert!(stderr.contains("`SITE_ADDR` is `nowhere`"), "{stderr}");
    assert!(stderr.contains("`DRAIN_DEADLINE_MS` is `soon`"), "{stderr}");
    assert!(
        stderr.contains("\nhelp: set them in the environment"),
        "{stderr}"
    );
}

#[test]
fn a_bad_log_filter_is_named() {
    let (code, _, stderr) = run(&[], &[("LOG", "a=b=c")]);
    assert_eq!(code, Some(3));
    assert!(stderr.starts_with("error: `LOG` is `a=b=c`"), "{stderr}");
}
