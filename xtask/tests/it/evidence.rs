//! Counts are true: equal to what independent tools count. And a drop below the floor is red.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::sandbox::{Sandbox, findings, gate, run};

fn lines(command: Command) -> Vec<String> {
    let ran = run(command);
    ran.expect(0);
    ran.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn the_fixture_is_counted_as_other_tools_count_it() {
    let sandbox = Sandbox::new();
    let json = sandbox.xtask(&["ci", "--format", "json"]).json();
    let count = |id: &str, name: &str| {
        usize::try_from(gate(&json, id)["evidence"][name].as_u64().unwrap()).unwrap()
    };

    let listed = |args: &[&str]| {
        let mut command = sandbox.command("cargo");
        command
            .arg("test")
            .arg("--workspace")
            .args(args)
            .args(["--quiet", "--", "--list"]);
        lines(command)
            .iter()
            .filter(|line| line.ends_with(": test"))
            .count()
    };
    assert_eq!(count("test", "doctests"), listed(&["--doc"]));
    assert_eq!(
        count("test", "tests"),
        listed(&["--lib", "--bins", "--tests"])
    );
    let files = |pattern: &str| {
        let mut command = sandbox.command("git");
        command.args(["ls-files", "-z", pattern]);
        run(command).stdout.split_terminator('\0').count()
    };
    assert_eq!(count("fmt", "files"), files("*.rs"));
    assert_eq!(count("docs", "pages"), files("*.md"));
    assert_eq!(count("migrations", "files"), files("migrations/*/*.sql"));
    let mut describe = sandbox.command(sandbox.dir.join("target/debug/web"));
    describe.args(["describe", "routes"]);
    let described: Value = serde_json::from_str(&run(describe).stdout).unwrap();
    assert_eq!(
        count("routes", "routes"),
        described["routes"].as_array().unwrap().len()
    );
}

/// The same on the workspace this test belongs to, for the gates that do not run tests.
#[test]
fn this_workspace_is_counted_as_other_tools_count_it() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut xtask = Command::new(env!("CARGO_BIN_EXE_xtask"));
    xtask.current_dir(root).args([
        "ci",
        "fmt",
        "docs",
        "routes",
        "migrations",
        "--format",
        "json",
    ]);
    let ran = run(xtask);
    let json = ran.json();
    let count = |id: &str, name: &str| {
        usize::try_from(
            gate(&json, id)["evidence"][name]
                .as_u64()
                .unwrap_or_else(|| panic!("{id}: {json:#}")),
        )
        .unwrap()
    };
    let files = |patterns: &[&str]| {
        let mut command = Command::new("git");
        command
            .current_dir(root)
            .args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ])
            .args(patterns);
        run(command)
            .stdout
            .split_terminator('\0')
            .filter(|file| root.join(file).is_file())
            .count()
    };
    assert_eq!(count("fmt", "files"), files(&["*.rs"]));
    assert_eq!(count("docs", "pages"), files(&["*.md"]));
    assert_eq!(count("migrations", "files"), files(&["migrations/*/*.sql"]));
    let mut registered = 0;
    for app in std::fs::read_dir(root.join("apps")).unwrap() {
        let name = app.unwrap().file_name();
        let target = Path::new(env!("CARGO_BIN_EXE_xtask")).parent().unwrap();
        let mut describe = Command::new(target.join(name));
        describe.args(["describe", "routes"]);
        let described: Value = serde_json::from_str(&run(describe).stdout).unwrap();
        registered += described["routes"].as_array().unwrap().len();
    }
    assert_eq!(count("routes", "routes"), registered);
}

#[test]
fn fewer_tests_than_accepted_are_red_although_none_failed() {
    let sandbox = Sandbox::new();
    sandbox
        .xtask(&["evidence", "accept"])
        .expect(3)
        .says("no run of this tree is on record");
    sandbox.xtask(&["ci", "test"]).expect(0);
    sandbox
        .xtask(&["evidence", "accept"])
        .expect(0)
        .says("+tests = 3");
    sandbox.xtask(&["evidence", "accept"]).expect(3);
    sandbox.commit("floors");
    sandbox.xtask(&["ci", "test"]).expect(0);

    let source = sandbox
        .read("apps/web/src/lib.rs")
        .replace("    #[test]\n", "    #[cfg(any())]\n");
    sandbox.write("apps/web/src/lib.rs", source);
    let json = sandbox.xtask(&["ci", "test", "--format", "json"]).json();
    assert_eq!(json["exit_code"], 1);
    let floor = sandbox
        .read("gates.lock")
        .lines()
        .position(|line| line.starts_with("tests ="))
        .unwrap()
        + 1;
    assert_eq!(
        findings(&json, "test"),
        [format!("evidence/floor gates.lock:{floor}")]
    );

    sandbox
        .xtask(&["evidence", "accept"])
        .expect(0)
        .says("-tests = 3")
        .says("+tests = 2");
    sandbox.xtask(&["ci", "test"]).expect(0);
}

#[test]
fn a_gate_that_counts_nothing_is_red() {
    let sandbox = Sandbox::new();
    sandbox.sh.remove_path("migrations").unwrap();
    sandbox.commit("no migrations");
    let sh = &sandbox.sh;
    xshell::cmd!(sh, "git commit --quiet --allow-empty --message later")
        .quiet()
        .run()
        .unwrap();
    let json = sandbox
        .xtask(&["ci", "migrations", "--format", "json"])
        .json();
    assert_eq!(findings(&json, "migrations"), ["evidence/zero -:null"]);
}

/// Without PostgreSQL its part is said not to have run; where it is required that is red.
#[test]
fn without_a_server_its_part_is_not_run_in_the_open() {
    let sandbox = Sandbox::new();
    sandbox.append(
        "apps/web/src/lib.rs",
        "\n#[cfg(test)]\nmod on_postgres {\n    #[test]\n    fn needs_a_server() {\n        panic!(\"it ran\");\n    }\n}\n",
    );
    let absent = [("PGSCRATCH_BIN", "/nonexistent")];
    let ran = sandbox.xtask_with(&["ci", "migrations", "test", "--format", "json"], &absent);
    ran.expect(0);
    let json = ran.json();
    crate::ci::validate(&json);
    assert_eq!(
        gate(&json, "migrations")["not_run"][0]["what"],
        "1 migration on PostgreSQL"
    );
    assert_eq!(
        gate(&json, "test")["not_run"][0]["what"],
        "1 test on PostgreSQL"
    );
    assert_eq!(gate(&json, "test")["evidence"]["tests"], 3);
    sandbox
        .xtask_with(&["ci", "migrations"], &absent)
        .expect(0)
        .says("not run: migrations: 1 migration on PostgreSQL (no PostgreSQL server was found; XTASK_REQUIRE_POSTGRES=1 makes this red)");

    let required = [
        ("PGSCRATCH_BIN", "/nonexistent"),
        ("XTASK_REQUIRE_POSTGRES", "1"),
    ];
    sandbox
        .xtask_with(&["ci", "migrations"], &required)
        .expect(4)
        .says("did not run, and XTASK_REQUIRE_POSTGRES=1 requires it")
        .says("apt-get install postgresql");
}
