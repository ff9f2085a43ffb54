//! A whole run: green on a sound workspace, red with the right findings on a broken one.

use crate::sandbox::{Sandbox, findings, gate, run};

#[test]
fn a_sound_workspace_is_green_and_the_json_keeps_its_schema() {
    let sandbox = Sandbox::new();
    let ran = sandbox.xtask(&["ci", "--format", "json"]);
    ran.expect(0);
    let json = ran.json();
    validate(&json);
    for gate in json["gates"].as_array().unwrap() {
        assert_eq!(gate["verdict"], "passed", "{gate:#}");
        assert!(
            gate["evidence"]
                .as_object()
                .unwrap()
                .values()
                .any(|n| n.as_u64() > Some(0)),
            "{gate:#}"
        );
    }
    let metrics = sandbox.read("docs/metrics.md");
    assert!(
        metrics.contains("| `requests_total` | web | counter | `route` | requests |")
            && metrics.contains("The buckets of `seconds` end at 0.1, 1."),
        "{metrics}"
    );
    let commit = sandbox.sh.read_file(".git/refs/heads/main").unwrap();
    let record = sandbox.read(&format!("target/xtask/runs/{}.json", commit.trim()));
    validate(&serde_json::from_str(&record).unwrap());
}

#[test]
fn a_broken_workspace_is_red_everywhere_at_once() {
    let sandbox = Sandbox::new();
    sandbox.append("CHANGELOG.md", "\n## 0.2.0 - 2026-02-31\n");
    sandbox.append("README.md", "\n[dead](nowhere.md)\n");
    sandbox.append("apps/web/src/lib.rs", "\n/// Odd.\npub fn  odd() {}\n");
    sandbox.append(
        "migrations/sqlite/20260101000000_env_marker.sql",
        "-- edited\n",
    );
    sandbox.write("apps/web/secrets.env", "A=1\n");
    sandbox.append("docs/openapi.json", "{}\n");
    sandbox.commit("broken");
    let ran = sandbox.xtask(&["ci", "--format", "json"]);
    ran.expect(1);
    let json = ran.json();
    validate(&json);
    assert_eq!(
        findings(&json, "changelog"),
        [
            "changelog/order CHANGELOG.md:15",
            "changelog/date CHANGELOG.md:15"
        ]
    );
    assert_eq!(
        findings(&json, "docs"),
        [
            "docs/stale docs/openapi.json:2",
            "docs/dead-link README.md:5"
        ]
    );
    assert_eq!(findings(&json, "fmt"), ["fmt/style apps/web/src/lib.rs:23"]);
    assert_eq!(
        findings(&json, "migrations"),
        ["migrations/edited migrations/sqlite/20260101000000_env_marker.sql:2"]
    );
    assert_eq!(
        findings(&json, "env"),
        ["env/committed apps/web/secrets.env:null"]
    );
    sandbox
        .xtask(&["ci", "fmt", "changelog"])
        .expect(1)
        .says("error[fmt/style]: not formatted\n    --> apps/web/src/lib.rs:23")
        .says("fix: cargo xtask fix fmt")
        .says("rerun: cargo xtask ci changelog fmt");
}

#[test]
fn what_does_not_compile_blocks_what_needs_it() {
    let sandbox = Sandbox::new();
    sandbox.append("apps/web/src/lib.rs", "\nconst _: u8 = \"no\";\n");
    let json = sandbox.xtask(&["ci", "--format", "json"]).json();
    assert_eq!(
        findings(&json, "typecheck"),
        ["typecheck/error apps/web/src/lib.rs:22"]
    );
    for id in ["lint", "env", "docs", "routes", "test", "build"] {
        assert_eq!(gate(&json, id)["verdict"], "blocked", "{id}");
    }
    let ran = sandbox.xtask(&["ci"]);
    ran.expect(1)
        .says("needs `typecheck`, which did not pass")
        .says("rerun: cargo xtask ci typecheck");
    validate(&json);
}

#[test]
fn fail_fast_starts_nothing_after_the_first_red() {
    let sandbox = Sandbox::new();
    sandbox.append("CHANGELOG.md", "\n## later\n");
    sandbox.append("apps/web/src/lib.rs", "\nconst _: u8 = \"no\";\n");
    let json = sandbox
        .xtask(&["ci", "--fail-fast", "--format", "json"])
        .json();
    let blocked = json["gates"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|gate| gate["verdict"] == "blocked")
        .count();
    assert!(blocked >= 9, "{blocked} blocked");
}

#[test]
fn a_dry_run_and_usage() {
    let sandbox = Sandbox::new();
    let ran = sandbox.xtask(&["ci", "--dry-run"]);
    ran.expect(0).says("after typecheck");
    assert!(
        !sandbox.dir.join("target/debug").exists(),
        "a dry run built something"
    );
    let plan = sandbox
        .xtask(&["ci", "--dry-run", "--format", "json", "--tier", "hook"])
        .json();
    assert_eq!(
        plan.as_array()
            .unwrap()
            .iter()
            .map(|gate| &gate["id"])
            .collect::<Vec<_>>(),
        ["changelog", "fmt"]
    );
    sandbox
        .xtask(&["ci", "nope"])
        .expect(2)
        .says("no gate is called `nope`")
        .says("help: the gates are");
    sandbox.xtask(&["cii"]).expect(2);
    sandbox.xtask(&["ci", "--tier", "x"]).expect(2);
    sandbox.xtask(&["--help"]).expect(0).says("75  busy");
    let quiet = sandbox.xtask(&["ci", "changelog", "--quiet"]);
    quiet.expect(0);
    assert_eq!(
        quiet.stdout.lines().filter(|line| !line.is_empty()).count(),
        1,
        "{}",
        quiet.stdout
    );
}

/// The promise of a quiet child environment: whatever order one works in, nothing is built twice.
#[test]
fn nothing_is_rebuilt_between_cargo_and_xtask() {
    let sandbox = Sandbox::new();
    sandbox.xtask(&["ci"]).expect(0);
    let stale = |args: &[&str]| {
        let mut command = sandbox.command("cargo");
        command.args(args).args(["--message-format", "json"]);
        let out = run(command);
        out.expect(0);
        let lines = out
            .stdout
            .lines()
            .filter(|line| line.contains("\"compiler-artifact\""));
        let stale: Vec<String> = lines
            .filter(|line| line.contains("\"fresh\":false"))
            .map(str::to_owned)
            .collect();
        assert!(out.stdout.contains("\"compiler-artifact\""));
        stale
    };
    for args in [
        &["check", "--workspace", "--all-targets"][..],
        &["clippy", "--workspace", "--all-targets"],
        &["build", "--workspace", "--all-targets"],
        &["test", "--workspace", "--no-run"],
        &["build", "--release", "--package", "web", "--bins"],
    ] {
        assert_eq!(stale(args), [""; 0], "{args:?}");
    }
    // As `cargo run` starts it: with everything that leaks.
    let leaks = [
        ("CARGO_PKG_NAME", "xtask"),
        ("CARGO_MANIFEST_DIR", "/elsewhere"),
        ("CARGO_MANIFEST_PATH", "/elsewhere/Cargo.toml"),
        ("OUT_DIR", "/elsewhere/out"),
        ("RUST_RECURSION_COUNT", "1"),
    ];
    let again = sandbox.xtask_with(&["ci", "--format", "json"], &leaks);
    again.expect(0);
    for id in ["typecheck", "lint", "test", "build"] {
        let notes = gate(&again.json(), id)["notes"].to_string();
        let (fresh, all) = notes
            .split(" artifacts were fresh")
            .next()
            .unwrap()
            .rsplit_once(" of ")
            .unwrap();
        assert!(fresh.ends_with(all), "{id}: {notes}");
    }
    assert_eq!(stale(&["check", "--workspace", "--all-targets"]), [""; 0]);
}

#[test]
fn prove_turns_the_gates_red_and_green_again() {
    let sandbox = Sandbox::new();
    let ran = sandbox.xtask(&[
        "prove",
        "changelog",
        "fmt",
        "branch",
        "migrations",
        "--format",
        "json",
    ]);
    ran.expect(0);
    let proofs = ran.json();
    let proofs = proofs.as_array().unwrap();
    assert!(proofs.len() > 15, "{}", proofs.len());
    let not_run = proofs
        .iter()
        .filter(|proof| !proof["not_run"].is_null())
        .count();
    assert_eq!(not_run, 0, "{proofs:#?}");
    assert!(
        proofs
            .iter()
            .any(|proof| proof["rule"] == "evidence/floor" && proof["red_at"] == "gates.lock:2")
    );
    assert_eq!(
        sandbox.read("CHANGELOG.md"),
        include_str!("../fixture/CHANGELOG.md"),
        "the real tree is untouched"
    );
}

#[track_caller]
pub(crate) fn validate(run: &serde_json::Value) {
    let mut schemas = boon::Schemas::new();
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../schema/run.schema.json")).unwrap();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("run.schema.json", schema).unwrap();
    let index = compiler.compile("run.schema.json", &mut schemas).unwrap();
    if let Err(error) = schemas.validate(run, index) {
        panic!("{error:#}");
    }
}

/// The copy that `prove` breaks shares the target directory. Its artifacts must never be taken for
/// the real tree's: a violation planted there, or an edit missed here, would be a false verdict.
#[test]
fn prove_leaves_the_builds_of_the_tree_alone() {
    let sandbox = Sandbox::new();
    sandbox.xtask(&["ci", "typecheck", "build"]).expect(0);
    sandbox
        .xtask(&["prove", "typecheck", "build", "env"])
        .expect(0);
    let fresh = sandbox.xtask(&["ci", "typecheck", "build", "--format", "json"]);
    for id in ["typecheck", "build"] {
        let notes = gate(&fresh.json(), id)["notes"].to_string();
        assert!(
            notes.contains("7 of 7") || notes.contains("4 of 4"),
            "{id}: {notes}"
        );
    }
    let describe = || {
        let mut cargo = sandbox.command("cargo");
        cargo.args(["build", "--workspace", "--all-targets", "--quiet"]);
        run(cargo).expect(0);
        let mut app = sandbox.command(sandbox.dir.join("target/debug/web"));
        app.args(["describe", "routes"]);
        run(app).stdout
    };
    assert!(describe().contains("\"/orders\""));
    sandbox.write(
        "apps/web/src/router.rs",
        sandbox
            .read("apps/web/src/router.rs")
            .replace("/orders", "/edited"),
    );
    assert!(
        describe().contains("\"/edited\""),
        "an edit of the real tree was not built"
    );
}
