//! Backups that cannot be made: each says why, and leaves nothing but what was there.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::{Backup, KITCHEN, Staging, block_on, files, noise};

/// Waits until `done`, for a minute.
#[track_caller]
fn until(mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(
            since.elapsed() < Duration::from_mins(1),
            "it did not come to that"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a dump is being written in the folder.
fn is_dumping(folder: &Path) -> bool {
    let is_partial = |name: &String| name.ends_with(".dump.partial");
    let partial = files(folder).into_iter().find(is_partial);
    partial
        .is_some_and(|name| std::fs::metadata(folder.join(name)).is_ok_and(|file| file.len() > 0))
}

#[test]
#[cfg(target_os = "linux")]
fn postgres_a_dump_that_is_killed_leaves_nothing() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    staging.backup();
    let before = staging.files();
    staging.execute(&noise(40_000));

    let env = [
        ("APP_ENV", "staging"),
        ("DATABASE_URL", &*staging.database.url),
    ];
    let started = || {
        let mut command = staging.sandbox.xtask_command(&["db", "backup"]);
        let command = command.envs(env).stderr(std::process::Stdio::piped());
        let child = command.stdout(std::process::Stdio::null()).spawn().unwrap();
        until(|| is_dumping(&staging.folder()));
        child
    };
    let child = started();
    let of_ours = format!("{}=", crate::sandbox::MARK);
    assert!(kill_each("pg_dump", &of_ours, &staging.sandbox.dir) > 0);
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(1), "{said}");
    assert!(said.contains("`pg_dump` failed (signal: 9"), "{said}");
    assert_eq!(staging.files(), before);

    // Killed itself, it cannot clean up: the next run does.
    let mut child = started();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(staging.files().len(), before.len() + 1);
    staging.backup();
    assert_eq!(
        staging.files().len(),
        before.len() + 2,
        "{:?}",
        staging.files()
    );
}

/// Kills the programs of this name that the sandbox started; says how many.
#[cfg(target_os = "linux")]
fn kill_each(program: &str, mark: &str, dir: &Path) -> usize {
    let mark = format!("{mark}{}", dir.display());
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let is_ours = read("environ")
            .split(|byte| *byte == 0)
            .any(|part| part == mark.as_bytes());
        if is_ours && read("comm").starts_with(program.as_bytes()) {
            let pid = entry.file_name().into_string().unwrap();
            killed += usize::from(
                std::process::Command::new("kill")
                    .args(["-9", &pid])
                    .status()
                    .unwrap()
                    .success(),
            );
        }
    }
    killed
}

#[test]
fn postgres_two_at_once_are_one_and_a_refusal() {
    let Some(staging) = Staging::new(&noise(20_000)) else {
        return;
    };
    let env = [
        ("APP_ENV", "staging"),
        ("DATABASE_URL", &*staging.database.url),
    ];
    let mut first = staging.sandbox.xtask_command(&["db", "backup"]);
    let mut first = first
        .envs(env)
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until(|| is_dumping(&staging.folder()));
    (staging.xtask(&["db", "backup"]).expect(75)).says("another backup is being made");
    assert!(first.wait().unwrap().success());
    assert_eq!(staging.files().len(), 2);
}

#[test]
fn postgres_a_full_disk_is_no_backup() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let first = staging.backup();
    // As much again as the last one, and half of it besides: more than any disk has.
    let bytes = first.manifest["dump"]["bytes"].to_string();
    let said = first.text();
    first.reseal(
        &format!("\"bytes\": {bytes}"),
        "\"bytes\": 4000000000000000000",
    );
    let before = staging.files();
    (staging.xtask(&["db", "backup"]).expect(3)).says("KiB free, a backup needs");
    assert_eq!(staging.files(), before);
    std::fs::write(&first.path, said).unwrap();

    // Files of 1 MiB at most: what is written beyond it fails, as on a disk that is full.
    staging.execute(&noise(5_000));
    let mut limited = staging.sandbox.command("sh");
    limited
        .args(["-c", "trap '' XFSZ; ulimit -f 2048; exec \"$@\"", "sh"])
        .arg(env!("CARGO_BIN_EXE_xtask"))
        .args(["db", "backup"])
        .envs([
            ("APP_ENV", "staging"),
            ("DATABASE_URL", &*staging.database.url),
        ]);
    (crate::sandbox::run(limited).expect(1))
        .says("failed to dump")
        .says("File too large")
        .says("nothing is left of this backup");
    assert_eq!(staging.files(), before);
    staging.backup();
}

/// The manifest's name is what makes a backup: a run that was killed before it leaves a dump that is
/// none, and the next one takes it away. What is of another database, or of nobody, stays.
#[test]
fn postgres_what_a_killed_run_leaves_goes_with_the_next() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let folder = staging.folder();
    let first = staging.backup();
    let partial = |backup: &Backup| format!("{}.partial", backup.path());
    std::fs::rename(&first.path, partial(&first)).unwrap();
    let other = block_on(staging.server.empty_database()).unwrap();
    let at = [("DATABASE_URL", &*other.url)];
    (staging.xtask_with(&["db", "mark", "staging"], &at)).expect(0);
    let json = ["db", "backup", "--format", "json"];
    let theirs = Backup::made(&staging.xtask_with(&json, &at));
    assert!(
        first.dump().exists(),
        "what is of another database was removed"
    );
    std::fs::rename(&theirs.path, partial(&theirs)).unwrap();
    let strange = folder.join("mine.dump");
    std::fs::write(&strange, "nobody's").unwrap();

    (staging.xtask(&["db", "drill"]).expect(3)).says("no backup of");
    let second = staging.backup();
    let mut left: Vec<String> = [&strange, &theirs.dump(), &second.dump(), &second.path]
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .into();
    left.push(format!(
        "{}.partial",
        theirs.path.file_name().unwrap().to_str().unwrap()
    ));
    left.sort();
    assert_eq!(staging.files(), left);
}

/// A second database of the environment is backed up meanwhile, into the same folder.
#[test]
fn postgres_a_backup_that_is_being_made_is_left_alone() {
    let Some(staging) = Staging::new(&noise(20_000)) else {
        return;
    };
    let other = block_on(staging.server.empty_database()).unwrap();
    let at = [("DATABASE_URL", &*other.url)];
    (staging.xtask_with(&["db", "mark", "staging"], &at)).expect(0);
    let mut first = staging.sandbox.xtask_command(&["db", "backup"]);
    let mut first = first
        .envs([
            ("APP_ENV", "staging"),
            ("DATABASE_URL", &*staging.database.url),
        ])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    until(|| is_dumping(&staging.folder()));
    staging.xtask_with(&["db", "backup"], &at).expect(0);
    assert!(first.wait().unwrap().success());
    assert_eq!(staging.files().len(), 4, "{:?}", staging.files());
}

#[test]
fn postgres_programs_that_are_missing_or_old_are_named() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let nothing = staging.sandbox.dir.join("nothing");
    std::fs::create_dir_all(&nothing).unwrap();
    let folder = nothing.to_str().unwrap();
    (staging
        .xtask_with(&["db", "backup"], &[("BACKUP_PG_BIN", folder)])
        .expect(4))
    .says("no `pg_dump`");
    (staging
        .xtask_with(&["db", "backup"], &[("PGSCRATCH_BIN", folder)])
        .expect(4))
    .says("no PostgreSQL server on this machine to restore into");
    assert_eq!(staging.files(), [""; 0]);

    programs(&nothing, "echo 'pg_dump (PostgreSQL) 9.6.24'");
    (staging
        .xtask_with(&["db", "backup"], &[("BACKUP_PG_BIN", folder)])
        .expect(3))
    .says("`pg_dump` is 9.6.24, the server");
    assert_eq!(staging.files(), [""; 0]);

    programs(&nothing, "echo 'pg_dump (PostgreSQL) 99.1'");
    (staging
        .xtask_with(&["db", "backup"], &[("BACKUP_PG_BIN", folder)])
        .expect(4))
    .says("`pg_restore` is 99.1, and the newest server on this machine");
    assert_eq!(staging.files(), [""; 0]);
}

/// Puts programs into `folder` that do `first` and go on as the real ones.
pub(super) fn programs(folder: &Path, first: &str) {
    let real = pgscratch::server_for_tests().unwrap().folder().to_owned();
    for name in ["pg_dump", "pg_restore"] {
        let text = format!(
            "#!/bin/sh\n{first}\nexec {}/{name} \"$@\"\n",
            real.display()
        );
        std::fs::write(folder.join(name), text).unwrap();
        std::fs::set_permissions(folder.join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
}

/// A dump much smaller than usual, of as many rows, has lost what is in them.
#[test]
fn postgres_a_dump_that_shrinks_alone_is_red() {
    let Some(staging) = Staging::new(&noise(300)) else {
        return;
    };
    for _ in 0..3 {
        staging.backup();
    }
    let before = staging.files();
    staging.execute("update noise set bytes = ''");
    (staging.xtask(&["db", "backup"]).expect(1)).says("that are usual");
    assert_eq!(staging.files(), before);
    staging.execute("delete from noise where id > 100");
    staging.backup();
}

#[test]
fn postgres_what_is_not_the_marked_database_is_not_backed_up() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    staging.execute("update _env_marker set database_name = 'another'");
    (staging.xtask(&["db", "backup"]).expect(3)).says("was edited by hand");
    staging.execute("drop table _env_marker");
    (staging.xtask(&["db", "backup"]).expect(3)).says("has no environment marker");
    assert_eq!(staging.files(), [""; 0]);
}

#[test]
fn postgres_a_copy_elsewhere_is_read_back() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let elsewhere = staging.sandbox.dir.join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    let policy = staging.sandbox.read("xtask.toml");
    let with = |download: &str| {
        let hook = format!(
            "{policy}\n[backup]\nupload = [\"cp\", \"{{file}}\", \"elsewhere/{{name}}\"]\ndownload = {download}\n"
        );
        staging.sandbox.write("xtask.toml", hook);
    };
    with(r#"["sh", "-c", "head -c 100 \"elsewhere/$0\" >\"$1\"", "{name}", "{file}"]"#);
    (staging.xtask(&["db", "backup"]).expect(1))
        .says("the uploaded copy of")
        .says("is another");
    assert_eq!(staging.files(), [""; 0]);
    with(r#"["false"]"#);
    (staging.xtask(&["db", "backup"]).expect(1)).says("`[backup] download` failed");
    assert_eq!(staging.files(), [""; 0]);

    std::fs::remove_dir_all(&elsewhere).unwrap();
    std::fs::create_dir_all(&elsewhere).unwrap();
    with(r#"["cp", "elsewhere/{name}", "{file}"]"#);
    let made = Backup::made(&staging.xtask(&["db", "backup", "--format", "json"]));
    assert_eq!(files(&elsewhere), staging.files());
    // What is elsewhere is a backup like any other.
    let copy = elsewhere.join(made.path.file_name().unwrap());
    staging
        .xtask(&["db", "verify", copy.to_str().unwrap()])
        .expect(0);
}
