//! Bad input: one clear error or an open "not run", the exit code of the table, nothing half written.

use xshell::cmd;

use crate::sandbox::{Sandbox, findings, gate};

#[test]
fn a_broken_policy_is_shown_with_a_caret() {
    let sandbox = Sandbox::bare();
    sandbox.write("xtask.toml", "[branch]\ntrunk = \"main\nprefixes = []\n");
    sandbox
        .xtask(&["ci"])
        .expect(3)
        .says("error: failed to parse `xtask.toml`")
        .says("2 | trunk = \"main\n")
        .says("^")
        .says("help: mend the marked spot");
    sandbox.write("xtask.toml", "[gates.lnt]\noff = \"x\"\n");
    sandbox
        .xtask(&["ci"])
        .expect(3)
        .says("unknown gate `lnt`")
        .says("help: the gates are");
    sandbox.write("xtask.toml", [0xff, 0xfe]);
    sandbox
        .xtask(&["ci"])
        .expect(3)
        .says("failed to read `xtask.toml`");
    sandbox.write("xtask.toml", "");
    sandbox.write("gates.lock", "[fmt]\nfiles = \"many\"\n");
    sandbox
        .xtask(&["ci", "fmt"])
        .expect(3)
        .says("`fmt.files` is not a count");
}

#[test]
fn a_broken_manifest_is_one_error_per_gate_that_needs_it() {
    let sandbox = Sandbox::new();
    sandbox.write("apps/web/Cargo.toml", "[package\nname = 1\n");
    let ran = sandbox.xtask(&["ci", "typecheck", "--format", "json"]);
    ran.expect(3);
    let json = ran.json();
    crate::ci::validate(&json);
    let message = gate(&json, "typecheck")["error"]["message"]
        .as_str()
        .unwrap();
    sandbox.xtask(&["ci"]).expect(3);
    assert!(
        message.contains("apps/web/Cargo.toml") && message.contains("unclosed table"),
        "{message}"
    );
}

#[test]
fn a_stale_or_missing_lockfile_is_named_and_mended() {
    let sandbox = Sandbox::new();
    let lock = sandbox.read("Cargo.lock");
    sandbox.write(
        "Cargo.toml",
        sandbox.read("Cargo.toml").replace("0.1.0", "0.2.0"),
    );
    let json = sandbox
        .xtask(&["ci", "lockfile", "--format", "json"])
        .json();
    assert_eq!(
        findings(&json, "lockfile"),
        ["lockfile/stale Cargo.lock:null"]
    );
    sandbox
        .xtask(&["ci", "typecheck"])
        .expect(1)
        .says("help: cargo update --workspace");
    assert_eq!(sandbox.read("Cargo.lock"), lock, "a gate never writes");
    let sh = &sandbox.sh;
    cmd!(sh, "cargo update --workspace --offline --quiet")
        .quiet()
        .run()
        .unwrap();
    sandbox.xtask(&["ci", "typecheck", "lockfile"]).expect(0);
}

#[test]
fn source_that_does_not_parse_is_found_by_place() {
    let sandbox = Sandbox::new();
    sandbox.append("crates/util/src/lib.rs", "\nfn broken() -> {}\n");
    let json = sandbox.xtask(&["ci", "fmt", "--format", "json"]).json();
    let line = sandbox.read("crates/util/src/lib.rs").lines().count();
    assert_eq!(
        findings(&json, "fmt"),
        [format!("fmt/syntax crates/util/src/lib.rs:{line}")]
    );
    sandbox.write("crates/util/src/lib.rs", b"//! \xff\n");
    sandbox
        .xtask(&["ci", "routes"])
        .expect(1)
        .says("crates/util/src/lib.rs");
    sandbox.write("CHANGELOG.md", b"# \xff\n");
    sandbox
        .xtask(&["ci", "changelog"])
        .expect(3)
        .says("failed to read `CHANGELOG.md`: not UTF-8 at byte 2");
}

#[test]
fn an_unreadable_file_is_named() {
    let sandbox = Sandbox::new();
    // A link to nowhere is unreadable for root, too.
    sandbox.sh.remove_path("CHANGELOG.md").unwrap();
    std::os::unix::fs::symlink("/nonexistent/x", sandbox.dir.join("docs/a.md")).unwrap();
    sandbox
        .xtask(&["ci", "docs"])
        .expect(3)
        .says("failed to read `docs/a.md`")
        .says("help: make the file readable");
}

#[test]
fn without_git_what_needs_it_is_not_run_in_the_open() {
    let sandbox = Sandbox::bare();
    sandbox.xtask(&["fix"]).expect(0);
    let ran = sandbox.xtask(&["ci", "branch", "fmt", "migrations", "--format", "json"]);
    ran.expect(0);
    let json = ran.json();
    assert_eq!(json["commit"], serde_json::Value::Null);
    assert_eq!(
        gate(&json, "branch")["not_run"][0]["reason"],
        "this is not a git repository"
    );
    assert_eq!(
        gate(&json, "migrations")["not_run"][0]["what"],
        "comparison with trunk"
    );
    assert_eq!(gate(&json, "fmt")["evidence"]["files"], 8);
    sandbox
        .xtask_with(&["ci", "branch"], &[("XTASK_REQUIRE_GIT", "1")])
        .expect(4);
}

#[test]
fn branches_heads_and_shallow_clones() {
    let sandbox = Sandbox::new();
    sandbox.commit("second");
    let sh = &sandbox.sh;
    cmd!(sh, "git switch --quiet --create nonsense")
        .quiet()
        .run()
        .unwrap();
    sandbox
        .xtask(&["ci", "branch"])
        .expect(1)
        .says("`nonsense` is not one of feat/<topic>");
    cmd!(sh, "git branch --move fix/something")
        .quiet()
        .run()
        .unwrap();
    sandbox.xtask(&["ci", "branch"]).expect(0);
    sandbox
        .xtask_with(&["ci", "branch"], &[("GITHUB_HEAD_REF", "nonsense")])
        .expect(1);

    cmd!(sh, "git switch --quiet --detach")
        .quiet()
        .run()
        .unwrap();
    sandbox
        .xtask(&["ci", "branch"])
        .expect(0)
        .says("not run: branch: branch rules (HEAD is detached");
    sandbox
        .xtask_with(&["ci", "branch"], &[("GITHUB_HEAD_REF", "feat/x")])
        .expect(0);

    cmd!(sh, "git switch --quiet main").quiet().run().unwrap();
    cmd!(
        sh,
        "git merge --quiet --no-ff --message merge fix/something"
    )
    .quiet()
    .run()
    .unwrap();
    sandbox.commit("on the branch");
    cmd!(sh, "git checkout --quiet -B side HEAD~1")
        .quiet()
        .run()
        .unwrap();
    sandbox.commit("side");
    cmd!(sh, "git switch --quiet main").quiet().run().unwrap();
    cmd!(sh, "git merge --quiet --no-ff --message merged side")
        .quiet()
        .run()
        .unwrap();
    sandbox
        .xtask(&["ci", "branch"])
        .expect(1)
        .says("on trunk is a merge commit: merged");

    let shallow = Sandbox::bare();
    let (from, to) = (
        format!("file://{}", sandbox.dir.display()),
        shallow.dir.join("clone"),
    );
    cmd!(sh, "git clone --quiet --depth 1 {from} {to}")
        .quiet()
        .run()
        .unwrap();
    let mut command = shallow.xtask_command(&["ci", "migrations"]);
    command.current_dir(&to);
    crate::sandbox::run(command)
        .expect(3)
        .says("this is a shallow clone")
        .says("help: git fetch --unshallow origin");
}

#[test]
fn merged_migrations_are_history() {
    let sandbox = Sandbox::new();
    sandbox.commit("trunk goes on");
    let red = |expected: &[&str]| {
        let json = sandbox
            .xtask(&["ci", "migrations", "--format", "json"])
            .json();
        assert_eq!(findings(&json, "migrations"), expected);
        let sh = &sandbox.sh;
        cmd!(sh, "git reset --quiet --hard").quiet().run().unwrap();
        cmd!(sh, "git clean --quiet -fd migrations")
            .quiet()
            .run()
            .unwrap();
    };
    let marker = "20260101000000_env_marker.sql";
    // Line endings are no edit.
    let text = sandbox.read(&format!("migrations/postgres/{marker}"));
    sandbox.write(
        &format!("migrations/postgres/{marker}"),
        text.replace('\n', "\r\n"),
    );
    sandbox.xtask(&["ci", "migrations"]).expect(0);
    red(&[]);

    for engine in ["postgres", "sqlite"] {
        sandbox
            .sh
            .remove_path(format!("migrations/{engine}/{marker}"))
            .unwrap();
        sandbox.write(
            &format!("migrations/{engine}/20260101000000_renamed.sql"),
            &text,
        );
    }
    red(&[
        "migrations/removed migrations/postgres/20260101000000_env_marker.sql:null",
        "migrations/removed migrations/sqlite/20260101000000_env_marker.sql:null",
        "migrations/late migrations/postgres/20260101000000_renamed.sql:null",
        "migrations/late migrations/sqlite/20260101000000_renamed.sql:null",
    ]);

    sandbox.write(
        "migrations/postgres/20270101000000_bad.sql",
        "create table a (id int);\ncreate table b (id nonsense);\n",
    );
    sandbox.write(
        "migrations/sqlite/20270101000000_bad.sql",
        "create table a (id int);\n",
    );
    red(&[
        "migrations/apply migrations/postgres/20270101000000_bad.sql:2",
        "migrations/snapshot migrations/schema.sqlite.sql:3",
    ]);
}

#[test]
fn a_target_folder_that_cannot_be_written_is_one_error() {
    let sandbox = Sandbox::new();
    sandbox.sh.remove_path("target").unwrap();
    sandbox.write("target", "a file");
    sandbox
        .xtask(&["ci"])
        .expect(3)
        .says("failed to create")
        .says("help: make the target folder writable, or point CARGO_TARGET_DIR elsewhere");
    let mut outside = sandbox.xtask_command(&["ci"]);
    outside.current_dir("/");
    crate::sandbox::run(outside)
        .expect(3)
        .says("no workspace at or above `/`");
}

/// `cargo` itself is not there: a tool is missing.
#[test]
fn a_missing_tool_has_its_own_exit_code() {
    let sandbox = Sandbox::new();
    let ran = sandbox.xtask_with(
        &["ci", "fmt", "typecheck"],
        &[("CARGO", "/nonexistent/cargo")],
    );
    ran.expect(4)
        .says("it is not installed")
        .says("help: `cargo xtask doctor`");
}

#[test]
fn a_base_that_is_not_here_is_never_guessed() {
    let sandbox = Sandbox::new();
    sandbox.commit("second");
    let sh = &sandbox.sh;
    cmd!(sh, "git switch --quiet --create feat/x")
        .quiet()
        .run()
        .unwrap();
    sandbox.append(
        "migrations/sqlite/20260101000000_env_marker.sql",
        "-- edited\n",
    );
    sandbox.commit("edits a merged migration");
    sandbox.commit("and goes on");
    let single = Sandbox::bare();
    let (from, to) = (
        format!("file://{}", sandbox.dir.display()),
        single.dir.join("clone"),
    );
    cmd!(
        sh,
        "git clone --quiet --single-branch --branch feat/x {from} {to}"
    )
    .quiet()
    .run()
    .unwrap();
    let mut command = single.xtask_command(&["ci", "migrations"]);
    command.current_dir(&to);
    crate::sandbox::run(command)
        .expect(3)
        .says("there is no `main` here to compare with")
        .says("help: git fetch origin main:refs/remotes/origin/main");
}

#[test]
fn late_is_measured_against_trunk_as_it_is_now() {
    let sandbox = Sandbox::new();
    let sh = &sandbox.sh;
    let add = |stamp: &str| {
        for engine in ["postgres", "sqlite"] {
            let table = format!("create table t{stamp} (id integer);\n");
            sandbox.write(&format!("migrations/{engine}/{stamp}_t.sql"), table);
        }
        sandbox.xtask(&["fix", "migrations"]).expect(0);
        sandbox.commit(stamp);
    };
    cmd!(sh, "git switch --quiet --create feat/x")
        .quiet()
        .run()
        .unwrap();
    add("20260115000000");
    sandbox.xtask(&["ci", "migrations"]).expect(0);
    cmd!(sh, "git switch --quiet main").quiet().run().unwrap();
    add("20260201000000");
    cmd!(sh, "git switch --quiet feat/x").quiet().run().unwrap();
    sandbox
        .xtask(&["ci", "migrations"])
        .expect(1)
        .says("is not newer than 20260201000000, the newest on trunk");
}

#[test]
fn a_commit_on_trunk_is_not_late_for_itself() {
    let sandbox = Sandbox::new();
    let write = |stamp: &str| {
        for engine in ["postgres", "sqlite"] {
            let table = format!("create table t{stamp} (id integer);\n");
            sandbox.write(&format!("migrations/{engine}/{stamp}_t.sql"), table);
        }
    };
    write("20260201000000");
    write("20260202000000");
    sandbox.xtask(&["fix", "migrations"]).expect(0);
    sandbox.commit("two at once");
    sandbox.xtask(&["ci", "migrations"]).expect(0);
    // What is not committed yet comes after both.
    write("20260201120000");
    sandbox
        .xtask(&["ci", "migrations"])
        .expect(1)
        .says("20260201120000 is not newer than 20260202000000, the newest on trunk");
}

#[test]
fn an_allowance_covers_its_finding_and_nothing_else() {
    let sandbox = Sandbox::new();
    sandbox.write("migrations/sqlite/notes.txt", "why\n");
    let allow = "\n[[allow]]\nrule = \"migrations/name\"\npath = \"migrations/sqlite/notes.txt\"\nreason = \"prose\"\n";
    sandbox.append("xtask.toml", allow);
    let json = sandbox
        .xtask(&["ci", "migrations", "--format", "json"])
        .json();
    assert_eq!(gate(&json, "migrations")["verdict"], "passed", "{json:#}");
    assert_eq!(gate(&json, "migrations")["evidence"]["applied-sqlite"], 1);
    sandbox.append("migrations/schema.sqlite.sql", "-- stale\n");
    sandbox
        .xtask(&["ci", "migrations"])
        .expect(1)
        .says("migrations/snapshot");
    sandbox.append(
        "xtask.toml",
        &allow.replace("migrations/name", "migrations/nmae"),
    );
    sandbox
        .xtask(&["ci", "migrations"])
        .expect(3)
        .says("unknown rule `migrations/nmae`");
}

/// `cargo xtask ci | head` must not turn red into green.
#[test]
fn a_closed_pipe_keeps_the_exit_code() {
    let sandbox = Sandbox::new();
    sandbox.append("CHANGELOG.md", "\n## [Unreleased]\n");
    for format in ["human", "json", "github"] {
        let mut command = sandbox.xtask_command(&["ci", "changelog", "--format", format]);
        command.stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(1), "{format}");
    }
    sandbox
        .xtask(&["ci", "changelog"])
        .expect(1)
        .says("a second `Unreleased` heading");
}
