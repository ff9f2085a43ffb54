//! A release that is killed at each state of its journal, is interrupted, or finds somebody else's
//! work: in the end it is made, or everything is as it was.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::bench::{self, Bench, Case, DIRECT, PUSHED, WAYS};
use crate::sandbox::Ran;

#[test]
fn killed_at_any_state_it_is_finished_or_undone() {
    let bench = Bench::new();
    let case = bench.case(&DIRECT, "names");
    let mut command = case.xtask_command(DIRECT.args);
    command.env("XTASK_FAILPOINT", "nowhere");
    let refused = Ran::from(command.output().unwrap());
    refused.expect(2).says(&format!(
        "`nowhere` is no failpoint: {}",
        PUSHED.states.join(", ")
    ));

    std::thread::scope(|scope| {
        for (n, way) in WAYS.iter().enumerate() {
            let bench = &bench;
            scope.spawn(move || {
                let (before, after) = bench.ends(way, &format!("{n}"));
                for state in PUSHED.states {
                    let at = format!("{:?} at {state}", way.args);
                    let [undone, made] = ["undone", "made"]
                        .map(|end| bench.case(way, &format!("{n}-{state}-{end}")));
                    if !way.states.contains(state) {
                        let mut command = made.xtask_command(way.args);
                        command.env("XTASK_FAILPOINT", state);
                        Ran::from(command.output().unwrap()).expect(0);
                        assert_eq!(made.scene(), after, "{at}");
                        continue;
                    }
                    undone.die(way, state);
                    assert_eq!(undone.state().as_deref(), Some(*state));
                    // Another one is not begun on top of it.
                    undone
                        .xtask(way.args)
                        .expect(3)
                        .says("is begun, as far as")
                        .says("--abort");
                    if *state == "pushed" {
                        let begun = undone.scene();
                        undone
                            .abort()
                            .expect(3)
                            .says("go on: cargo xtask release --resume");
                        assert_eq!(undone.scene(), begun, "{at}");
                        undone.resume().expect(0);
                        assert_eq!(undone.scene(), after, "{at}");
                    } else {
                        undone.abort().expect(0).says("undone: `v0.2.0`");
                        assert_eq!(undone.scene(), before, "{at}");
                    }
                    undone.abort().expect(0).says("there is nothing to do");

                    made.die(way, state);
                    made.resume().expect(0);
                    assert_eq!(made.scene(), after, "{at}");
                    made.resume().expect(0).says("there is nothing to do");
                    assert_eq!(made.scene(), after, "{at}");
                }
            });
        }
    });
}

/// What ends it can be killed as well.
#[test]
fn killed_again_while_it_is_resumed_it_is_finished_or_undone() {
    let bench = Bench::new();
    let (before, after) = bench.ends(&DIRECT, "ends");
    for (first, second) in [
        ("begun", "written"),
        ("written", "staged"),
        ("staged", "tagged"),
        ("committed", "moved"),
    ] {
        let case = bench.case(&DIRECT, first);
        for _ in 0..2 {
            case.die(&DIRECT, first);
            let mut command = case.xtask_command(&["release", "--resume"]);
            command.env("XTASK_FAILPOINT", second);
            assert_eq!(Ran::from(command.output().unwrap()).code, None);
            assert_eq!(case.state().as_deref(), Some(second));
            case.abort().expect(0);
            assert_eq!(case.scene(), before, "{first}, {second}");
        }
        case.die(&DIRECT, first);
        case.resume().expect(0);
        assert_eq!(case.scene(), after, "{first}, {second}");
    }
}

/// Neither end may be had at the price of what somebody did in between.
#[test]
fn what_somebody_did_in_between_is_not_lost() {
    type Change = fn(&Case);
    let bench = Bench::new();
    let edit: Change = |case| case.append("Cargo.toml");
    let commit: Change =
        |case| _ = case.git(&["commit", "--quiet", "--allow-empty", "--message", "mine"]);
    let stage: Change = |case| {
        case.append("README.md");
        case.git(&["add", "README.md"]);
    };
    let switch: Change = |case| _ = case.git(&["switch", "--quiet", "--create", "other"]);
    let tag: Change = |case| _ = case.git(&["tag", "v0.2.0"]);
    let changes = [
        ("edited", edit, "`Cargo.toml` was changed by somebody"),
        ("committed", commit, "`refs/heads/main` has moved"),
        ("staged", stage, "something was staged"),
        ("switched", switch, "HEAD is not at `main` any more"),
        ("tagged", tag, "`refs/tags/v0.2.0` has moved"),
    ];
    for (name, change, says) in changes {
        for state in ["begun", "written", "staged", "committed", "tagged"] {
            let case = bench.case(&DIRECT, &format!("{name}-{state}"));
            case.die(&DIRECT, state);
            change(&case);
            let scene = case.scene();
            case.resume().expect(3).says(says);
            assert_eq!(case.scene(), scene, "{name} at {state}, resumed");
            case.abort().expect(3).says(says);
            assert_eq!(case.scene(), scene, "{name} at {state}, undone");
        }
    }
}

/// Once refs are moved the release is made here, and work goes on.
#[test]
fn work_on_top_of_it_does_not_keep_it_from_being_finished() {
    let bench = Bench::new();
    for state in ["moved", "pushed"] {
        let case = bench.case(&PUSHED, state);
        case.die(&PUSHED, state);
        case.git(&["commit", "--quiet", "--allow-empty", "--message", "mine"]);
        let mine = case.git(&["rev-parse", "main", "v0.2.0"]);
        case.abort().expect(3);
        assert_eq!(case.git(&["rev-parse", "main", "v0.2.0"]), mine);
        case.resume().expect(0);
        assert_eq!(case.git(&["rev-parse", "main", "v0.2.0"]), mine);
        assert!(case.scene().remote.contains("refs/tags/v0.2.0"));
    }
}

/// The push landed, nobody wrote that down, and others built on it.
#[test]
fn what_the_remote_has_is_not_taken_back() {
    let bench = Bench::new();
    let case = bench.case(&PUSHED, "landed");
    case.die(&PUSHED, "moved");
    case.git(&["push", "--quiet", "--atomic", "origin", "main", "v0.2.0"]);
    case.abort()
        .expect(3)
        .says("others may have it too")
        .says("--resume");
    case.git(&["clone", "--quiet", "../remote.git", "../other"]);
    case.git(&[
        "-C",
        "../other",
        "commit",
        "--quiet",
        "--allow-empty",
        "--message",
        "theirs",
    ]);
    case.git(&["-C", "../other", "push", "--quiet", "origin", "main"]);
    case.abort()
        .expect(3)
        .says("others may have it too")
        .says("--resume");
    let remote = case.scene().remote;
    case.resume().expect(0);
    assert_eq!(case.scene().remote, remote);
    case.resume().expect(0).says("there is nothing to do");
}

#[test]
fn a_remote_that_is_gone_leaves_the_release_as_far_as_it_is() {
    let bench = Bench::new();
    let (before, after) = bench.ends(&PUSHED, "ends");
    let case = bench.case(&PUSHED, "gone");
    case.die(&PUSHED, "moved");
    let away = case.folder.join("away.git");
    fs::rename(case.remote(), &away).unwrap();
    case.resume()
        .expect(3)
        .says("once the remote answers again");
    case.abort().expect(3).says("once it answers again");
    fs::rename(&away, case.remote()).unwrap();
    case.abort().expect(0);
    assert_eq!(case.scene(), before);
    case.xtask(PUSHED.args).expect(0);
    assert_eq!(case.scene(), after);
}

#[test]
fn a_torn_journal_is_nobodys_to_guess() {
    let bench = Bench::new();
    let case = bench.case(&DIRECT, "torn");
    let before = case.scene();
    case.die(&DIRECT, "staged");
    let whole = fs::read(case.journal()).unwrap();
    for torn in [0, 1, whole.len() / 2, whole.len() - 2] {
        fs::write(case.journal(), &whole[..torn]).unwrap();
        let scene = case.scene();
        for ran in [case.resume(), case.abort(), case.xtask(DIRECT.args)] {
            ran.expect(3)
                .says("journal.json`")
                .says("look at `git status`");
        }
        assert_eq!(case.scene(), scene);
    }
    fs::write(case.journal(), &whole).unwrap();
    case.abort().expect(0);
    assert_eq!(case.scene(), before);
}

#[test]
fn locks_that_a_killed_git_left_are_removed() {
    let bench = Bench::new();
    let (_, after) = bench.ends(&DIRECT, "ends");
    let case = bench.case(&DIRECT, "left");
    case.die(&DIRECT, "tagged");
    let git = case.repo().join(".git");
    for name in [
        "HEAD.lock",
        "refs/heads/main.lock",
        "refs/tags/v0.2.0.lock",
        "packed-refs.lock",
        "packed-refs.new",
    ] {
        fs::write(git.join(name), "").unwrap();
    }
    fs::hard_link(git.join("xtask-release/index"), git.join("index.lock")).unwrap();
    case.resume().expect(0);
    assert_eq!(case.scene(), after);
}

#[test]
fn locks_of_somebody_else_stay() {
    let bench = Bench::new();
    let theirs = "0123456789012345678901234567890123456789\n";
    for (n, (name, text)) in [
        ("index.lock", ""),
        ("refs/heads/main.lock", theirs),
        ("refs/tags/v0.2.0.lock", theirs),
        ("HEAD.lock", "ref: refs/heads/other\n"),
    ]
    .into_iter()
    .enumerate()
    {
        let case = bench.case(&DIRECT, &format!("{n}"));
        let before = case.scene();
        let lock = case.repo().join(".git").join(name);
        // There when it is to begin.
        fs::write(&lock, text).unwrap();
        case.xtask(DIRECT.args)
            .expect(3)
            .says(name)
            .says("remove that file");
        fs::remove_file(&lock).unwrap();
        assert_eq!(case.scene(), before);
        // Come in between.
        case.die(&DIRECT, "written");
        fs::write(&lock, text).unwrap();
        case.resume().expect(3).says(name);
        assert_eq!(fs::read_to_string(&lock).unwrap(), text);
        fs::remove_file(&lock).unwrap();
        case.abort().expect(0);
        assert_eq!(case.scene(), before, "{name}");
    }

    // One that could be of the release, while a git is at work.
    let case = bench.case(&DIRECT, "working");
    case.die(&DIRECT, "tagged");
    let lock = case.repo().join(".git/refs/heads/main.lock");
    fs::write(&lock, "").unwrap();
    let mut git = Command::new("git");
    git.args(["hash-object", "--stdin"])
        .current_dir(case.repo());
    let mut git = git
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    case.resume().expect(3).says("main.lock");
    assert!(lock.exists());
    drop(git.stdin.take());
    git.wait().unwrap();
}

/// As root too, where permissions do not bind.
#[test]
fn files_that_cannot_be_written_end_it_at_once() {
    let bench = Bench::new();
    let case = bench.case(&DIRECT, "file");
    // In place of the file that would be renamed; the second that is written.
    fs::create_dir(case.repo().join(".Cargo.toml.xtask-release")).unwrap();
    let before = case.scene();
    case.xtask(DIRECT.args)
        .expect(3)
        .says("failed to write `Cargo.toml`")
        .says("everything is as it was");
    assert_eq!(case.scene(), before);

    let case = bench.case(&DIRECT, "journal");
    let folder = case.repo().join(".git/xtask-release");
    fs::write(&folder, "").unwrap();
    let before = case.scene();
    case.xtask(DIRECT.args)
        .expect(3)
        .says(&folder.display().to_string());
    assert_eq!(case.scene(), before);
}

/// A hook that says when it runs, and waits for a word.
struct Waiting {
    child: Child,
    go: fs::File,
}

impl Waiting {
    /// Starts a release and comes back when it is in that hook of `git`.
    fn start(case: &Case, args: &[&str], git: &Path, hook: &str) -> Self {
        // The undoing comes through some of these hooks as well.
        let [once, go] = ["once", "go"].map(|name| case.folder.join(name));
        assert!(Command::new("mkfifo").arg(&go).status().unwrap().success());
        let script = format!(
            "mkdir '{}' || exit 0\nexec cat '{}'",
            once.display(),
            go.display()
        );
        bench::hook(git, hook, &script);
        let mut command = case.xtask_command(args);
        command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let child = command.spawn().unwrap();
        // Once the hook has the other end open.
        let go = fs::File::options().write(true).open(go).unwrap();
        Self { child, go }
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.id().try_into().unwrap()).unwrap()
    }

    /// Lets it go on, where it is not dead.
    fn end(self) -> Ran {
        drop(self.go);
        Ran::from(self.child.wait_with_output().unwrap())
    }
}

#[test]
fn two_at_once_are_one_and_a_refusal() {
    let bench = Bench::new();
    let (_, after) = bench.ends(&DIRECT, "ends");
    let case = bench.case(&DIRECT, "two");
    let git = case.repo().join(".git");
    let first = Waiting::start(&case, DIRECT.args, &git, "pre-commit");
    case.xtask(DIRECT.args)
        .expect(75)
        .says("another release is being made here");
    first.end().expect(0);
    assert_eq!(case.scene(), after);
}

#[test]
fn ctrl_c_undoes_it() {
    let bench = Bench::new();
    let cases = [
        ("hook", "repo/.git", "pre-commit"),
        ("message", "repo/.git", "commit-msg"),
        ("refs", "repo/.git", "reference-transaction"),
        ("push", "remote.git", "pre-receive"),
    ];
    for (name, git, hook) in cases {
        let case = bench.case(&PUSHED, name);
        let before = case.scene();
        let waiting = Waiting::start(&case, PUSHED.args, &case.folder.join(git), hook);
        kill_process_group(waiting.pid(), Signal::INT).unwrap();
        waiting.end().expect(130).says("everything is as it was");
        assert_eq!(case.scene(), before, "{name}");
    }
}

/// `kill -INT` of xtask alone: git is not told, and comes to its end first.
#[test]
fn an_interrupt_that_git_does_not_see_undoes_it_before_the_push() {
    let bench = Bench::new();
    let (before, after) = bench.ends(&PUSHED, "ends");
    let cases = [
        ("hook", "repo/.git", "pre-commit", 130),
        ("push", "remote.git", "pre-receive", 0),
    ];
    for (name, git, hook, code) in cases {
        let case = bench.case(&PUSHED, name);
        let waiting = Waiting::start(&case, PUSHED.args, &case.folder.join(git), hook);
        kill_process(waiting.pid(), Signal::INT).unwrap();
        waiting.end().expect(code);
        assert_eq!(
            &case.scene(),
            if code == 0 { &after } else { &before },
            "{name}"
        );
    }
}
