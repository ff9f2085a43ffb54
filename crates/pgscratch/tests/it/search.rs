//! Finding a server, and what is said when there is none.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;

use crate::helper;
use crate::tools::own_tmp;

/// Standard output and error of a helper, and whether it succeeded.
fn run(command: &mut Command) -> (String, bool) {
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        String::from_utf8_lossy(&text).into_owned(),
        output.status.success(),
    )
}

#[test]
fn a_missing_server_is_explained() {
    let (text, _) = run(helper::command("find").env("PGSCRATCH_BIN", "/nonexistent"));
    for part in [
        "no postgresql server found (`initdb` and `postgres` in one folder)",
        "looked in `$PGSCRATCH_BIN` only",
        "`/nonexistent`: no `initdb`",
        "help: `apt-get install postgresql` or `brew install postgresql@17`",
    ] {
        assert!(text.contains(part), "{part} is not in:\n{text}");
    }
}

#[test]
fn tests_say_that_they_did_not_run_and_fail_where_that_is_required() {
    let (text, passed) = run(helper::command("for_tests").env("PGSCRATCH_BIN", "/nonexistent"));
    assert!(passed && text.contains("not run: postgresql"), "{text}");

    let mut required = helper::command("for_tests");
    required
        .env("PGSCRATCH_BIN", "/nonexistent")
        .env(pgscratch::REQUIRED_ENV, "1");
    let (text, passed) = run(&mut required);
    assert!(
        !passed && text.contains("no postgresql server found"),
        "{text}"
    );
    assert!(!text.contains("not run"), "{text}");
}

/// Server programs that answer every question with `script`.
fn programs(dir: &Path, script: &str) {
    for program in ["initdb", "postgres"] {
        let path = dir.join(program);
        fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
}

#[test]
fn a_server_that_does_not_run_is_not_taken() {
    let tmp = own_tmp();
    programs(tmp.path(), "echo no such library >&2; exit 127");
    let (text, _) = run(helper::command("find").env("PGSCRATCH_BIN", tmp.path()));
    assert!(text.contains("`postgres --version` said"), "{text}");
    fs::remove_file(tmp.path().join("postgres")).unwrap();
    let (text, _) = run(helper::command("find").env("PGSCRATCH_BIN", tmp.path()));
    assert!(
        text.contains("`initdb` without `postgres` beside it"),
        "{text}"
    );
}

#[test]
fn a_link_to_the_server_is_followed() {
    let (installed, linked) = (own_tmp(), own_tmp());
    programs(installed.path(), "echo 'postgres (PostgreSQL) 15.18'");
    symlink(
        installed.path().join("initdb"),
        linked.path().join("initdb"),
    )
    .unwrap();
    let (text, _) = run(helper::command("find").env("PGSCRATCH_BIN", linked.path()));
    assert!(text.contains("found=15.18"), "{text}");
}
