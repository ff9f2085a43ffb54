//! The runners of tests: nextest, cargo's own where that is absent, and what is left out on a machine
//! that lacks an optional component.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use crate::sandbox::{Sandbox, findings, gate};

/// What a test run itself needs of a machine.
const TOOLS: [&str; 14] = [
    "cargo",
    "rustc",
    "rustdoc",
    "rustfmt",
    "rustup",
    "cc",
    "ld",
    "sh",
    "sleep",
    "as",
    "cat",
    "rm",
    "cargo-fmt",
    "cargo-clippy",
];

/// A `PATH` with these tools and no others.
fn path_with(sandbox: &Sandbox, tools: &[&str]) -> String {
    let path = sandbox.dir.with_extension("bin");
    std::fs::create_dir_all(&path).unwrap();
    for tool in tools {
        let which = crate::sandbox::run({
            let mut which = sandbox.command("sh");
            which.args(["-c", &format!("command -v {tool}")]);
            which
        });
        if !which.stdout.trim().is_empty() {
            std::os::unix::fs::symlink(which.stdout.trim(), path.join(tool)).unwrap();
        }
    }
    path.display().to_string()
}

/// The fallback for machines without nextest counts and finds the same.
#[test]
fn without_nextest_cargo_runs_the_tests() {
    let sandbox = Sandbox::new();
    let bin = path_with(&sandbox, &TOOLS);
    let env = [("PATH", bin.as_str()), ("PGSCRATCH_BIN", "/nonexistent")];
    let ran = sandbox.xtask_with(&["test"], &env);
    ran.expect(0)
        .says("cargo test: 3 passed, 0 failed (install cargo-nextest for a faster run)");
    assert!(
        ran.stdout.ends_with("\n4 passed, 0 failed\n"),
        "{}",
        ran.stdout
    );
    sandbox.append(
        "apps/web/src/lib.rs",
        "\n#[test]\nfn fails() {\n    panic!(\"no\");\n}\n",
    );
    let json = {
        sandbox
            .xtask_with(&["ci", "test", "--format", "json"], &env)
            .json()
    };
    let lines = sandbox.read("apps/web/src/lib.rs").lines().count();
    assert_eq!(
        findings(&json, "test"),
        [format!("test/failed apps/web/src/lib.rs:{}", lines - 1)]
    );
}

/// Each needs a component, says so in its path, and proves by its output that `PATH` reached it.
const DEMANDING: &str = r#"
#[cfg(test)]
mod demanding {
    fn start(program: &str) {
        let done = std::process::Command::new(program).output().unwrap();
        assert_eq!(done.stdout, b"here\n");
    }

    #[test]
    fn in_chromium() {
        start("chromium");
        start("chromedriver");
    }

    #[test]
    fn on_a_redis_server_in_chromium() {
        start("redis-server");
    }

    #[test]
    fn on_postgres() {
        panic!("it ran");
    }
}
"#;

/// On both runners: what is absent is left out and told, what is there takes part, and what is
/// required is red.
#[test]
fn a_test_never_passes_without_its_component() {
    let sandbox = Sandbox::new();
    sandbox.append("apps/web/src/lib.rs", DEMANDING);
    let bin = path_with(&sandbox, &TOOLS);
    let without = [("PATH", bin.as_str()), ("PGSCRATCH_BIN", "/nonexistent")];
    let ci = |env: &[(&str, &str)], code| {
        let ran = sandbox.xtask_with(&["ci", "test", "--format", "json"], env);
        ran.expect(code).json()
    };
    let all_absent = [
        "1 test on PostgreSQL",
        "2 tests in Chromium",
        "1 test on Redis",
    ];
    let json = ci(&without, 0);
    crate::ci::validate(&json);
    assert_eq!(not_run(&json), all_absent, "cargo test");
    assert_eq!(gate(&json, "test")["evidence"]["tests"], 3);

    let required = [&without[..], &[("XTASK_REQUIRE_REDIS", "1")]].concat();
    sandbox
        .xtask_with(&["ci", "test"], &required)
        .expect(4)
        .says("did not run, and XTASK_REQUIRE_REDIS=1 requires it")
        .says("apt-get install redis-server");

    for program in ["chromium", "chromedriver"] {
        let file = sandbox.dir.with_extension("bin").join(program);
        std::fs::write(&file, "#!/bin/sh\necho here\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    let json = ci(&without, 0);
    assert_eq!(not_run(&json), [all_absent[0], all_absent[2]], "cargo test");
    assert_eq!(gate(&json, "test")["evidence"]["tests"], 4);

    path_with(&sandbox, &["cargo-nextest"]);
    let json = ci(&without, 0);
    assert_eq!(not_run(&json), [all_absent[0], all_absent[2]], "nextest");
    assert_eq!(gate(&json, "test")["evidence"]["tests"], 4);
    sandbox.xtask_with(&["ci", "test"], &required).expect(4);
}

fn not_run(run: &Value) -> Vec<&str> {
    let told = gate(run, "test")["not_run"].as_array().unwrap();
    told.iter()
        .map(|told| told["what"].as_str().unwrap())
        .collect()
}
