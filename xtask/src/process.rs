//! Child processes: a clean environment, one process group each, killed as a group on Ctrl-C or at
//! the deadline, and found again at the next start when this process was killed itself.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal};

use crate::environment;
use crate::exit::{Code, Problem};

/// Tells a leftover of a killed run from a stranger: `<root>-<pid>-<start>`, nested runs joined by `/`.
pub(crate) const RUN_TAG: &str = "XTASK_RUN";

/// Times Ctrl-C (or SIGTERM) was received.
static INTERRUPTS: AtomicU8 = AtomicU8::new(0);
/// A child was ended before its time: what it started may be left, in groups of its own.
static FORCED: AtomicBool = AtomicBool::new(false);
/// Process groups alive, so that a second Ctrl-C can end them at once.
static GROUPS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// How long a child may take to end after SIGTERM before it is killed.
pub(crate) const GRACE: Duration = Duration::from_secs(5);
/// What helps whoever met the deadline: a gate has one to set, a chore has not.
pub(crate) const TOO_LATE: &str =
    "see what it waits for; a gate that needs longer: raise its `timeout-s` in `xtask.toml`";
/// How long output may still come after a child has ended.
const DRAIN: Duration = Duration::from_secs(2);
/// Longest stderr kept of a child, in bytes, from its end.
const TAIL: usize = 256 * 1024;
/// Longest line handed on, in bytes; the rest of the line is dropped.
const LONGEST_LINE: usize = 16 * 1024 * 1024;

/// Ends every child on Ctrl-C or SIGTERM; a second one does not wait.
pub(crate) fn handle_interrupts() -> Result<()> {
    ctrlc::set_handler(|| {
        if INTERRUPTS.fetch_add(1, Ordering::SeqCst) > 0 {
            for &group in groups().iter() {
                kill_group(group, Signal::KILL);
            }
            #[expect(clippy::exit, reason = "the second Ctrl-C must not wait for anything")]
            std::process::exit(i32::from(Code::Interrupted as u8));
        }
    })
    .context("failed to install the Ctrl-C handler")
}

pub(crate) fn interrupted() -> bool {
    INTERRUPTS.load(Ordering::SeqCst) > 0
}

/// Says that a child was killed, so that the end of the run looks for what that may have left.
pub(crate) fn force() {
    FORCED.store(true, Ordering::SeqCst);
}

pub(crate) fn forced() -> bool {
    FORCED.load(Ordering::SeqCst)
}

pub(crate) fn groups() -> std::sync::MutexGuard<'static, BTreeSet<i32>> {
    GROUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn kill_group(group: i32, signal: Signal) {
    if let Some(pid) = Pid::from_raw(group) {
        // It may be gone already, which is what we want.
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

/// What `cargo run`, rustup and nextest put into our environment. A child that saw it would be built
/// differently from the same command typed in a shell, and everything would be rebuilt each time.
/// libpq's variables go too: a verdict must not depend on which server a shell points at.
pub(crate) fn leaks(name: &str) -> bool {
    const EXACT: &[&str] = &[
        "CARGO_BIN_NAME",
        "CARGO_CRATE_NAME",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_RUSTC_CURRENT_DIR",
        "CARGO_TARGET_TMPDIR",
        "OUT_DIR",
        "RUSTUP_TOOLCHAIN_SOURCE",
        "RUST_RECURSION_COUNT",
    ];
    const PREFIX: &[&str] = &[
        "CARGO_BIN_EXE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "NEXTEST",
        "__CARGO",
        "__NEXTEST",
    ];
    let libpq = name.starts_with("PG") && !name.starts_with("PGSCRATCH_");
    libpq || EXACT.contains(&name) || PREFIX.iter().any(|prefix| name.starts_with(prefix))
}

/// Folders that `cargo run` adds to the library search path, taken out again.
fn library_path(value: &std::ffi::OsStr, target: &std::path::Path) -> Option<OsString> {
    let kept: Vec<_> = std::env::split_paths(value)
        .filter(|dir| {
            let toolchain = dir
                .components()
                .any(|part| part.as_os_str() == "toolchains");
            !dir.as_os_str().is_empty() && !dir.starts_with(target) && !toolchain
        })
        .collect();
    if kept.is_empty() {
        None
    } else {
        std::env::join_paths(kept).ok()
    }
}

/// Gives `command` our environment less what leaks, plus the tag of this run.
pub(crate) fn clean_environment(command: &mut Command, target: &std::path::Path, run: &str) {
    let chosen: BTreeSet<OsString> = command
        .get_envs()
        .map(|(name, _)| name.to_owned())
        .collect();
    for (name, value) in environment::all() {
        let text = name.to_string_lossy();
        if chosen.contains(&name) {
            continue;
        }
        if leaks(&text) {
            command.env_remove(&name);
        } else if matches!(&*text, "LD_LIBRARY_PATH" | "DYLD_FALLBACK_LIBRARY_PATH") {
            match library_path(&value, target) {
                Some(kept) => command.env(&name, kept),
                None => command.env_remove(&name),
            };
        }
    }
    let outer = environment::var(RUN_TAG);
    let tag = outer.map_or_else(|| run.to_owned(), |outer| format!("{outer}/{run}"));
    command.env(RUN_TAG, tag);
}

/// A child that ended. `stderr` is its end, at most 256 KiB.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
}

impl Finished {
    pub(crate) fn success(&self) -> bool {
        self.status.success()
    }

    pub(crate) fn stderr(&self) -> String {
        crate::report::text::clean_bytes(&self.stderr, TAIL)
    }
}

/// Takes each line of stdout, without its newline.
pub(crate) type OnLine<'a> = &'a mut dyn FnMut(&[u8]);

/// Runs `command` to its end. Every line of its stdout goes to `on_line` as it comes, or is
/// collected where `on_line` is `None`. `line` is the command as a person would type it.
pub(crate) fn run(
    mut command: Command,
    line: &str,
    deadline: Instant,
    mut on_line: Option<OnLine<'_>>,
) -> Result<Finished> {
    let stopped = |why: &str| Problem::new(Code::Interrupted, format!("{why} `{line}`"));
    if interrupted() {
        return Err(stopped("not started:").into());
    }
    let program = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => anyhow::Error::new(
            Problem::new(
                Code::ToolMissing,
                format!("failed to start `{program}`: it is not installed"),
            )
            .help("`cargo xtask doctor` says what is missing and how to install it"),
        ),
        _ => anyhow::Error::new(error).context(format!("failed to start `{line}`")),
    })?;
    let group = i32::try_from(child.id()).context("process id out of range")?;
    groups().insert(group);

    let (send, receive) = mpsc::channel();
    let stderr = Arc::new(Mutex::new(Vec::new()));
    // Held until stderr is at its end, so that the channel closes when both pipes have.
    let both = send.clone();
    if let Some(pipe) = child.stdout.take() {
        std::thread::spawn(move || each_line(pipe, |line| send.send(line).is_ok()));
    }
    if let Some(pipe) = child.stderr.take() {
        let kept = Arc::clone(&stderr);
        std::thread::spawn(move || {
            keep_tail(pipe, &kept);
            drop(both);
        });
    }

    let mut stdout = Vec::new();
    let mut take = |line: Vec<u8>| {
        if let Some(on_line) = &mut on_line {
            on_line(&line);
        } else {
            stdout.extend_from_slice(&line);
            stdout.push(b'\n');
        }
    };
    let status = loop {
        match receive.recv_timeout(Duration::from_millis(20)) {
            Ok(line) => take(line),
            Err(mpsc::RecvTimeoutError::Timeout) => {}
            // Both pipes are closed; the child is about to end.
            Err(mpsc::RecvTimeoutError::Disconnected) => {
                std::thread::sleep(Duration::from_millis(2));
            }
        }
        if let Some(status) = child
            .try_wait()
            .with_context(|| format!("failed to wait for `{line}`"))?
        {
            break status;
        }
        let late = Instant::now() > deadline;
        if interrupted() || late {
            end(&mut child, group);
            force();
            groups().remove(&group);
            return Err(if interrupted() {
                stopped("interrupted").into()
            } else {
                Problem::new(
                    Code::Red,
                    format!("`{line}` did not end within the time limit and was stopped"),
                )
                .help(TOO_LATE)
                .into()
            });
        }
    };
    // What is left of its group would outlive the run, and hold its pipes open.
    kill_group(group, Signal::KILL);
    groups().remove(&group);
    // The readers may be behind: all that the child said counts, so wait for the end of both pipes.
    // A descendant that left the group may hold them open; it is given up after a while, and only
    // what it says later is lost.
    let since = Instant::now();
    while let Ok(line) = receive.recv_timeout(DRAIN.saturating_sub(since.elapsed())) {
        take(line);
        if since.elapsed() > DRAIN {
            receive.try_iter().for_each(&mut take);
            break;
        }
    }
    let stderr = stderr
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    Ok(Finished {
        status,
        stdout,
        stderr,
    })
}

fn end(child: &mut Child, group: i32) {
    kill_group(group, Signal::TERM);
    let since = Instant::now();
    while since.elapsed() < GRACE {
        if matches!(child.try_wait(), Ok(Some(_))) {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    kill_group(group, Signal::KILL);
    let _ = child.wait();
}

pub(crate) fn each_line(from: impl Read, mut on_line: impl FnMut(Vec<u8>) -> bool) {
    let mut reader = BufReader::with_capacity(64 * 1024, from);
    loop {
        let mut line = Vec::new();
        let mut limited = reader.by_ref().take(LONGEST_LINE as u64);
        match limited.read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => return,
            Ok(n) if n == LONGEST_LINE && line.last() != Some(&b'\n') => {
                let _ = reader.skip_until(b'\n');
            }
            Ok(_) => {}
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if !on_line(line) {
            return;
        }
    }
}

fn keep_tail(mut from: impl Read, kept: &Mutex<Vec<u8>>) {
    let mut chunk = [0; 16 * 1024];
    while let Ok(n @ 1..) = from.read(&mut chunk) {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&chunk[..n]);
        if kept.len() > 2 * TAIL {
            let cut = kept.len() - TAIL;
            kept.drain(..cut);
        }
    }
}

/// Who a process is, across reuse of its number: `<pid>-<start time in clock ticks>`.
pub(crate) fn identity(pid: u32) -> Option<String> {
    if !cfg!(target_os = "linux") {
        let pid = Pid::from_raw(i32::try_from(pid).ok()?)?;
        return rustix::process::test_kill_process(pid)
            .is_ok()
            .then(|| format!("{}-0", pid.as_raw_nonzero()));
    }
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // proc(5): the name stands in parentheses and may hold any character; field 22 is the start time.
    let mut after = stat.rsplit_once(')')?.1.split_whitespace();
    if after.next()? == "Z" {
        return None;
    }
    Some(format!("{pid}-{}", after.nth(18)?))
}

/// Whether the process that [`identity`] named is still there.
pub(crate) fn is_alive(identity_of: &str) -> bool {
    let pid = identity_of
        .split('-')
        .next()
        .and_then(|pid| pid.parse().ok());
    pid.and_then(identity).is_some_and(|now| now == identity_of)
}

/// Kills what the run `run` left behind: every process that carries its tag. Linux only, where
/// `/proc` tells; elsewhere what a killed run left goes on to its own end.
pub(crate) fn kill_leftovers(run: &str) -> usize {
    let mut killed = 0;
    let own = std::process::id().to_string();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name
            .to_str()
            .filter(|pid| **pid != *own && pid.bytes().all(|b| b.is_ascii_digit()))
        else {
            continue;
        };
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else {
            continue;
        };
        let tagged = environment.split(|byte| *byte == 0).any(|variable| {
            let text = String::from_utf8_lossy(variable);
            text.strip_prefix(RUN_TAG)
                .and_then(|rest| rest.strip_prefix('='))
                .is_some_and(|tags| tags.split('/').any(|tag| tag == run))
        });
        if tagged && let Some(pid) = pid.parse().ok().and_then(Pid::from_raw) {
            killed += usize::from(rustix::process::kill_process(pid, Signal::KILL).is_ok());
        }
    }
    killed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, deadline: Duration) -> Result<Finished> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, script, Instant::now() + deadline, None)
    }

    #[test]
    fn output_and_status_come_back() {
        let done = shell("echo out; echo err >&2; exit 3", Duration::from_secs(10)).unwrap();
        assert_eq!(
            (&done.stdout[..], &done.stderr[..]),
            (&b"out\n"[..], &b"err\n"[..])
        );
        assert_eq!(done.status.code(), Some(3));
    }

    /// The two pipes are read side by side: neither may be given up because the other has ended.
    #[test]
    fn what_is_said_last_on_stderr_is_not_lost() {
        for _ in 0..200 {
            let done = shell("echo out; exec >&-; echo last >&2", Duration::from_secs(10)).unwrap();
            assert_eq!(&done.stderr[..], b"last\n");
        }
    }

    /// A reader slower than the child must not lose what is queued when the child has ended.
    #[test]
    fn a_slow_reader_gets_every_line() {
        let mut command = Command::new("sh");
        command.args(["-c", "seq 1 3000"]);
        let mut seen = 0;
        let mut slowly = |_: &[u8]| {
            seen += 1;
            std::thread::sleep(Duration::from_millis(1));
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        run(command, "seq", deadline, Some(&mut slowly)).unwrap();
        assert_eq!(seen, 3000);
    }

    #[test]
    fn a_late_child_is_ended_with_its_group() {
        let since = Instant::now();
        let error = shell("sleep 61.77 & sleep 61.77", Duration::from_millis(100)).unwrap_err();
        assert!(format!("{error:#}").contains("time limit"), "{error:#}");
        assert_eq!(crate::exit::help_of(&error), Some(TOO_LATE));
        assert!(since.elapsed() < Duration::from_secs(20));
        let listing = Command::new("ps").args(["-eo", "args"]).output().unwrap();
        assert!(
            !String::from_utf8_lossy(&listing.stdout)
                .lines()
                .any(|line| line == "sleep 61.77")
        );
    }

    #[test]
    fn a_grandchild_that_keeps_the_pipe_does_not_hang_us() {
        let since = Instant::now();
        shell("(setsid sleep 20.5 &) ; echo done", Duration::from_secs(15)).unwrap();
        assert!(since.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn what_cargo_run_adds_is_a_leak_and_the_rest_is_kept() {
        for name in [
            "CARGO_PKG_NAME",
            "CARGO_MANIFEST_DIR",
            "OUT_DIR",
            "RUST_RECURSION_COUNT",
            "NEXTEST_RUN_ID",
            "PGHOST",
        ] {
            assert!(leaks(name), "{name}");
        }
        for name in [
            "CARGO",
            "CARGO_HOME",
            "CARGO_TARGET_DIR",
            "PATH",
            "RUSTFLAGS",
            "RUSTUP_TOOLCHAIN",
            "PGSCRATCH_BIN",
        ] {
            assert!(!leaks(name), "{name}");
        }
    }

    #[test]
    fn a_missing_tool_has_its_own_code() {
        let error = run(Command::new("no-such-tool-here"), "x", Instant::now(), None).unwrap_err();
        assert_eq!(crate::exit::code_of(&error), Code::ToolMissing);
    }

    #[test]
    fn identity_tells_a_process_from_its_successor() {
        let own = identity(std::process::id()).unwrap();
        assert!(is_alive(&own));
        assert!(!is_alive(&own.replace('-', "-9")) || cfg!(not(target_os = "linux")));
    }
}
