//! Ctrl-C and `kill -9` in the middle of a run: nothing is left, at once or after the next start.

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::sandbox::Sandbox;

/// A test that runs for a minute, in a process group of its own when nextest runs it.
const SLOW: &str = "
#[cfg(test)]
mod slow {
    #[test]
    fn sleeps() {
        let mut child = std::process::Command::new(\"sleep\").arg(\"61\").spawn().unwrap();
        child.wait().unwrap();
    }
}
";

fn slow() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.append("crates/util/src/lib.rs", SLOW);
    sandbox
}

/// Starts `ci` and waits until the slow test sleeps (or just for `after`).
fn start(sandbox: &Sandbox, after: Option<Duration>) -> std::process::Child {
    let mut command = sandbox.xtask_command(&["ci", "test", "migrations", "build"]);
    command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let child = command.spawn().unwrap();
    let since = Instant::now();
    match after {
        Some(after) => std::thread::sleep(after),
        None => {
            while !sandbox
                .processes()
                .iter()
                .any(|line| line.starts_with("sleep 61"))
            {
                assert!(
                    since.elapsed() < Duration::from_mins(2),
                    "{:#?}",
                    sandbox.processes()
                );
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }
    child
}

fn kill(child: &std::process::Child, signal: Signal) {
    kill_process(
        Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap(),
        signal,
    )
    .unwrap();
}

#[test]
fn ctrl_c_ends_everything_and_says_so() {
    let sandbox = slow();
    let child = start(&sandbox, None);
    let since = Instant::now();
    kill(&child, Signal::INT);
    let out = child.wait_with_output().unwrap();
    assert_eq!(
        out.status.code(),
        Some(130),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    assert!(since.elapsed() < Duration::from_secs(15));
    let text = String::from_utf8_lossy(&out.stdout);
    assert!(
        text.contains("cancelled") && text.contains("rerun: cargo xtask ci"),
        "{text}"
    );
    sandbox.assert_quiet(Duration::from_secs(10));
    assert_eq!(
        std::fs::read_dir(sandbox.dir.join("target/xtask/tmp"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn the_next_start_clears_away_what_a_killed_run_left() {
    let sandbox = slow();
    let mut child = start(&sandbox, None);
    kill(&child, Signal::KILL);
    child.wait().unwrap();
    assert!(
        sandbox
            .processes()
            .iter()
            .any(|line| line.starts_with("sleep 61")),
        "the kill left nothing to clear"
    );
    sandbox.xtask(&["ci", "changelog"]).expect(0);
    sandbox.assert_quiet(Duration::from_secs(10));
    assert_eq!(
        std::fs::read_dir(sandbox.dir.join("target/xtask/tmp"))
            .unwrap()
            .count(),
        0
    );
}

#[test]
fn killed_at_any_moment_nothing_is_left_after_the_next_start() {
    let sandbox = slow();
    for moment in 0..4 {
        let mut child = start(&sandbox, Some(Duration::from_millis(30 + moment * 330)));
        kill(
            &child,
            if moment % 2 == 0 {
                Signal::KILL
            } else {
                Signal::TERM
            },
        );
        child.wait().unwrap();
    }
    sandbox.xtask(&["ci", "changelog", "migrations"]).expect(0);
    sandbox.assert_quiet(Duration::from_secs(10));
    let left: Vec<_> = std::fs::read_dir(sandbox.dir.join("target/xtask/tmp"))
        .unwrap()
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A run that lives is not a leftover, whoever starts beside it.
#[test]
fn two_runs_leave_each_other_alone() {
    let sandbox = slow();
    let child = start(&sandbox, None);
    sandbox.xtask(&["ci", "changelog"]).expect(0);
    assert!(
        sandbox
            .processes()
            .iter()
            .any(|line| line.starts_with("sleep 61")),
        "the other run was ended"
    );
    kill(&child, Signal::TERM);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}
