//! `kill -9` at moments that nobody chose.

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::bench::{Bench, Case, DIRECT, PUSHED, Scene, Way};

const KILLS: u64 = 200;
const THREADS: usize = 3;

/// What one kill is like.
#[derive(Clone, Copy, Debug)]
struct Kill {
    n: u64,
    /// The share of the time from the beginning to the end.
    part: f64,
    /// Git is killed along.
    is_group: bool,
    is_pushed: bool,
    is_resumed: bool,
    /// What ends it is killed too, at this share, and started again.
    again: Option<f64>,
}

impl Kill {
    /// The n-th of a seed (`splitmix64`).
    fn new(seed: u64, n: u64) -> Self {
        let mut state = seed.wrapping_add(n.wrapping_mul(0xd134_2543_de82_ef95));
        let mut next = || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            f64::from(u32::try_from((z ^ (z >> 31)) >> 32).unwrap()) / f64::from(u32::MAX)
        };
        Self {
            n,
            part: next(),
            is_group: n.is_multiple_of(2),
            is_pushed: n.is_multiple_of(5),
            is_resumed: n % 4 < 2,
            again: n.is_multiple_of(3).then(next),
        }
    }

    fn way(self) -> &'static Way {
        if self.is_pushed { &PUSHED } else { &DIRECT }
    }
}

/// How long a release takes to begin, and all in all.
struct Pace {
    begun: Duration,
    all: Duration,
}

/// A run and what is to come of it.
struct Ends {
    before: Scene,
    after: Scene,
    pace: Pace,
}

fn ends(bench: &Bench, way: &Way, name: &str) -> Ends {
    let case = bench.case(way, &format!("{name}-begun"));
    let since = Instant::now();
    case.die(way, "begun");
    let begun = since.elapsed();
    let case = bench.case(way, &format!("{name}-all"));
    let before = case.scene();
    let since = Instant::now();
    case.xtask(way.args).expect(0);
    let all = since.elapsed();
    Ends {
        before,
        after: case.scene(),
        pace: Pace { begun, all },
    }
}

/// Starts it, and kills it `after` its journal was seen in a state or a later one, or after its start.
fn kill(case: &Case, args: &[&str], after: Duration, from: Option<&str>, is_group: bool) {
    let mut command = case.xtask_command(args);
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0);
    let mut child = command.spawn().unwrap();
    let place = |state: &str| PUSHED.states.iter().position(|other| *other == state);
    let is_before = |from: &str| {
        let state = case.state();
        state.is_none_or(|state| place(&state) < place(from))
    };
    while from.is_some_and(is_before) && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(1));
    }
    if child.try_wait().unwrap().is_some() {
        return;
    }
    std::thread::sleep(after);
    let pid = Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    // It is not waited for before: the number is still its own, and it may have ended.
    let _ = if is_group {
        kill_process_group(pid, Signal::KILL)
    } else {
        kill_process(pid, Signal::KILL)
    };
    child.wait().unwrap();
}

/// Where it was killed, after it is ended and all is as it should be.
fn one(bench: &Bench, ends: &Ends, kill_of: Kill) -> String {
    let way = kill_of.way();
    let case = bench.case(way, &format!("kill-{}", kill_of.n));
    // The remote is another machine: it does not die along.
    case.git(&[
        "config",
        "remote.origin.receivepack",
        "setsid git-receive-pack",
    ]);
    let Pace { begun, all } = ends.pace;
    // One in ten dies at any moment of the whole run: before it begins, mostly. The others die on the
    // way from one state to the next but one, each state in turn, however busy the machine is.
    let from = (!kill_of.n.is_multiple_of(10)).then(|| {
        let turn = usize::try_from(kill_of.n).unwrap();
        way.states[turn % way.states.len()]
    });
    let range = match from {
        Some(_) => all.saturating_sub(begun) / 3,
        None => all,
    };
    let after = range.mul_f64(kill_of.part);
    kill(&case, way.args, after, from, kill_of.is_group);
    let state = case.state();
    let end = if kill_of.is_resumed {
        "--resume"
    } else {
        "--abort"
    };
    if let Some(part) = kill_of.again {
        kill(
            &case,
            &["release", end],
            all.mul_f64(part),
            None,
            kill_of.is_group,
        );
    }
    let was_open = case.state().is_some();
    let ran = case.xtask(&["release", end]);
    let told = format!("{kill_of:?}, at {state:?}\n{}{}", ran.stdout, ran.stderr);
    let scene = match ran.code {
        Some(0) => case.scene(),
        Some(3) if !kill_of.is_resumed && kill_of.is_pushed => {
            ran.says("--resume");
            case.resume().expect(0);
            let scene = case.scene();
            assert_eq!(scene, ends.after, "{told}");
            scene
        }
        _ => panic!("{told}"),
    };
    if ran.code == Some(0) && was_open {
        let expected = if kill_of.is_resumed {
            &ends.after
        } else {
            &ends.before
        };
        assert_eq!(&scene, expected, "{told}");
    }
    // Without a journal it had not begun, or was at its end.
    assert!(
        scene == ends.before || scene == ends.after,
        "{told}\n{scene:#?}"
    );
    case.resume().expect(0).says("there is nothing to do");
    std::fs::remove_dir_all(&case.folder).unwrap();
    state.unwrap_or_else(|| "none".to_owned())
}

#[test]
fn killed_at_any_moment_it_is_finished_or_undone() {
    let seed = u64::try_from(
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_millis(),
    )
    .unwrap();
    println!("seed {seed}");
    let bench = Bench::new();
    let direct = ends(&bench, &DIRECT, "direct");
    let pushed = ends(&bench, &PUSHED, "pushed");
    let next = AtomicU64::new(0);
    let hit = Mutex::new(BTreeMap::<String, u32>::new());
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= KILLS {
                        break;
                    }
                    let kill = Kill::new(seed, n);
                    let state = one(&bench, if kill.is_pushed { &pushed } else { &direct }, kill);
                    *hit.lock().unwrap().entry(state).or_default() += 1;
                }
            });
        }
    });
    let hit = hit.into_inner().unwrap();
    println!("{hit:?}");
    let often = hit
        .iter()
        .filter(|(state, times)| *state != "none" && **times > 4)
        .count();
    assert!(often > 3, "the delays are useless: {hit:?}");
}
