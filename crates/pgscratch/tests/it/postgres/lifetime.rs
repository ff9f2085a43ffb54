//! The cluster lives as long as its owner, and not longer.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use pgscratch::{Cluster, server_for_tests};
use rustix::process::{Signal, kill_process};

use crate::helper::{self, Holder};
use crate::tools::{assert_gone, own_tmp, processes};

#[test]
fn start_is_quick_and_drop_leaves_nothing() {
    let Some(server) = server_for_tests() else {
        return;
    };
    let began = Instant::now();
    let cluster = Cluster::start(&server).unwrap();
    let took = began.elapsed();
    let dir = cluster.dir().to_str().unwrap().to_owned();
    assert!(Path::new(&dir).join(".s.PGSQL.5432").exists());
    assert!(!processes(&dir).is_empty());
    eprintln!("started in {took:?}");
    // About one second on an idle machine; the bound is for a machine that runs other tests.
    assert!(took < Duration::from_secs(10), "{took:?}");

    drop(cluster);
    // Not `assert_gone`: it must be gone already.
    assert!(!Path::new(&dir).exists());
    assert!(processes(&dir).is_empty());
}

#[test]
fn a_killed_owner_leaves_nothing() {
    if server_for_tests().is_none() {
        return;
    }
    let tmp = own_tmp();
    let mut owner = Holder::start(tmp.path());
    assert!(!processes(&owner.dir).is_empty());
    owner.kill();
    assert_gone(&owner.dir);
}

#[test]
fn an_owner_killed_while_starting_leaves_nothing() {
    if server_for_tests().is_none() {
        return;
    }
    let tmp = own_tmp();
    for millis in [50, 200, 500] {
        let mut owner = helper::command("hold")
            .env("TMPDIR", tmp.path())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(30);
        while fs::read_dir(tmp.path()).unwrap().next().is_none() {
            assert!(Instant::now() < deadline, "no folder appears");
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(millis));
        owner.kill().unwrap();
        owner.wait().unwrap();
        let deadline = Instant::now() + Duration::from_secs(15);
        while fs::read_dir(tmp.path()).unwrap().next().is_some() {
            assert!(Instant::now() < deadline, "after {millis} ms");
            std::thread::sleep(Duration::from_millis(20));
        }
        assert_gone(&format!("{}/pgscratch", tmp.path().display()));
    }
}

#[test]
fn signals_of_the_terminal_do_not_reach_the_supervisor() {
    let Some(server) = server_for_tests() else {
        return;
    };
    let cluster = Cluster::start(&server).unwrap();
    let dir = cluster.dir().to_str().unwrap().to_owned();
    for pid in supervisors(&dir) {
        for signal in [Signal::INT, Signal::HUP, Signal::TERM] {
            kill_process(pid, signal).unwrap();
        }
    }
    std::thread::sleep(Duration::from_millis(100));
    assert!(!supervisors(&dir).is_empty());
    drop(cluster);
    assert_gone(&dir);
}

#[test]
fn drop_cleans_up_without_its_supervisor() {
    let Some(server) = server_for_tests() else {
        return;
    };
    let cluster = Cluster::start(&server).unwrap();
    let dir = cluster.dir().to_str().unwrap().to_owned();
    kill_supervisors(&dir);
    drop(cluster);
    assert!(!Path::new(&dir).exists());
    assert_gone(&dir);
}

#[test]
fn the_next_start_collects_what_outlived_owner_and_supervisor() {
    let Some(server) = server_for_tests() else {
        return;
    };
    // In `/tmp` itself, where the next start looks, whoever that is.
    let mut owner = Holder::start(Path::new("/tmp"));
    kill_supervisors(&owner.dir);
    owner.kill();
    // A folder whose owner died before it wrote anything, one of an owner that cannot be seen from
    // here, and one that is nobody's record. No process has such a number; each run has its own.
    let pid = 4_194_305 + std::process::id();
    let namespace = owner.dir.split('-').nth(1).unwrap();
    let half = format!("/tmp/pgscratch-{namespace}-{pid}-1-0");
    let (elsewhere, other) = (format!("/tmp/pgscratch-1-{pid}-1-0"), own_tmp());
    let other = other.path().join("pgscratch-mine");
    for dir in [half.as_ref(), elsewhere.as_ref(), other.as_path()] {
        fs::create_dir(dir).unwrap();
    }

    let _cluster = Cluster::start(&server).unwrap();
    assert_gone(&owner.dir);
    assert_gone(&half);
    assert!(other.exists());
    fs::remove_dir(elsewhere).unwrap();
}

#[test]
fn two_owners_do_not_disturb_each_other() {
    let Some(server) = server_for_tests() else {
        return;
    };
    let (mut first, second) = (
        Holder::start(Path::new("/tmp")),
        Cluster::start(&server).unwrap(),
    );
    assert_ne!(Path::new(&first.dir), second.dir());
    pgscratch::collect_leftovers();
    assert!(!processes(&first.dir).is_empty());
    first.kill();
    assert_gone(&first.dir);
    helper::block_on(async {
        let database = second.handle().empty_database().await.unwrap();
        assert_eq!(helper::one(&database).await, -1);
    });
}

#[test]
fn the_environment_of_the_owner_does_not_leak() {
    if server_for_tests().is_none() {
        return;
    }
    let tmp = own_tmp();
    let hostile = [
        ("PGHOST", "192.0.2.1"),
        ("PGPORT", "6543"),
        ("PGUSER", "stranger"),
        ("PGDATABASE", "stranger"),
        ("PGDATA", "/nonexistent"),
        ("PGSSLMODE", "require"),
        ("LC_ALL", "xx_XX.UTF-8"),
    ];
    let mut select = helper::command("select");
    let output = select
        .env("TMPDIR", tmp.path())
        .envs(hostile)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(text.contains("selected=-1"), "{text}");

    let owner = Holder::start_with(tmp.path(), &hostile);
    let processes = processes(&owner.dir);
    assert!(
        processes.len() >= 2,
        "a supervisor and a server: {processes:?}"
    );
    for pid in processes {
        let environ = fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap();
        let environ = String::from_utf8_lossy(&environ).replace('\0', " ");
        assert!(
            !environ.contains(" PG") && !environ.contains("TMPDIR"),
            "{environ}"
        );
    }
}

#[test]
fn a_long_or_closed_temporary_folder_is_not_used() {
    if server_for_tests().is_none() {
        return;
    }
    let tmp = own_tmp();
    let long = tmp.path().join("x".repeat(120));
    fs::create_dir(&long).unwrap();
    let owner = Holder::start(&long);
    assert!(owner.dir.starts_with("/tmp/pgscratch-"), "{}", owner.dir);
    // `tempdir` is open to its owner only, which matters when the server runs as another.
    let closed = tempfile::tempdir_in("/tmp").unwrap();
    let owner = Holder::start(closed.path());
    let root = rustix::process::geteuid().is_root();
    assert_eq!(
        owner.dir.starts_with("/tmp/pgscratch-"),
        root,
        "{}",
        owner.dir
    );
}

fn supervisors(dir: &str) -> Vec<rustix::process::Pid> {
    let is_shell = |pid: &rustix::process::Pid| {
        fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero()))
            .is_ok_and(|arguments| arguments.starts_with(b"/bin/sh\0"))
    };
    processes(dir).into_iter().filter(is_shell).collect()
}

fn kill_supervisors(dir: &str) {
    let supervisors = supervisors(dir);
    assert!(!supervisors.is_empty());
    for pid in supervisors {
        kill_process(pid, Signal::KILL).unwrap();
    }
}
