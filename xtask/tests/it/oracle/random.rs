//! Thousands of random programs, scanned in one run and compared one by one.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::build::build;
use super::compare::{Reach, Subject, refused};
use super::emit::{Emitted, emit};
use super::program::{Program, Version};
use super::scan::scan;
use super::strategy::program;
use crate::scan::Table;

const PROGRAMS: usize = 2_000;

/// How often a failing program is scanned again to make it smaller.
const SHRINKS: usize = 300;

#[test]
fn scan_agrees_with_axum_0_7() {
    agrees(Version::V07);
}

#[test]
fn scan_agrees_with_axum_0_8() {
    agrees(Version::V08);
}

#[test]
fn most_programs_start_and_answer_behind_layers() {
    for version in [Version::V07, Version::V08] {
        let mut starts = 0;
        let mut covered = 0;
        let mut runner = runner(seed());
        for _ in 0..200 {
            let program = program(version).new_tree(&mut runner).unwrap().current();
            let Ok(ask) = build(&program, version) else {
                continue;
            };
            starts += 1;
            let reach = Reach::of(&program, version);
            covered += usize::from(reach.paths.iter().any(|path| {
                let answer = ask("GET", &version.example(path));
                answer.handler.is_some() && !answer.layers.is_empty()
            }));
        }
        assert!((100..200).contains(&starts), "{starts} of 200 start");
        assert!(
            covered > 50,
            "{covered} of {starts} have a layer around a handler"
        );
    }
}

/// Deterministic, so that a red run is red again; `ORACLE_SEED` looks elsewhere.
pub(crate) fn seed() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "a knob of this test alone")]
    let seed = std::env::var("ORACLE_SEED");
    seed.map_or(20, |text| text.parse().unwrap())
}

pub(crate) fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    TestRunner::new_with_rng(Config::default(), rng)
}

fn agrees(version: Version) {
    let seed = seed();
    #[expect(clippy::print_stdout, reason = "what a red run is repeated with")]
    {
        println!("ORACLE_SEED={seed}");
    }
    let mut runner = runner(seed);
    let strategy = program(version);
    let mut trees: Vec<_> = (0..PROGRAMS)
        .map(|_| strategy.new_tree(&mut runner).unwrap())
        .collect();
    let programs: Vec<Program> = trees.iter().map(ValueTree::current).collect();
    let verdicts = verdicts(&programs, version);
    let wrong = verdicts.iter().filter(|verdict| verdict.is_err()).count();
    let Some(first) = verdicts.iter().position(Result::is_err) else {
        return;
    };
    let (program, why) = shrink(&mut trees[first], version);
    panic!(
        "{wrong} of {PROGRAMS} programs differ (ORACLE_SEED={seed}); the first, made smaller:\n\
         {why}\n\n{}",
        numbered(&emit(&program, version).text)
    );
}

/// The smallest program below this one that still differs, and how.
fn shrink(tree: &mut impl ValueTree<Value = Program>, version: Version) -> (Program, String) {
    let differs = |program: &Program| {
        let verdict = verdicts(std::slice::from_ref(program), version).remove(0);
        verdict.err()
    };
    let program = tree.current();
    let why = differs(&program).unwrap_or_else(|| "only among the others".to_owned());
    let mut best = (program, why);
    let mut more = tree.simplify();
    for _ in 0..SHRINKS {
        if !more {
            break;
        }
        let program = tree.current();
        if let Some(why) = differs(&program) {
            best = (program, why);
            more = tree.simplify();
        } else {
            more = tree.complicate();
        }
    }
    best
}

/// One scan of all programs, and how each of them differs.
fn verdicts(programs: &[Program], version: Version) -> Vec<Result<(), String>> {
    let emitted: Vec<Emitted> = programs
        .iter()
        .map(|program| emit(program, version))
        .collect();
    let modules: Vec<(String, &str)> = emitted
        .iter()
        .enumerate()
        .map(|(n, emitted)| (format!("p{n:04}"), emitted.text.as_str()))
        .collect();
    let mut tables = scan(version, &modules).by_file();
    programs
        .iter()
        .zip(&emitted)
        .zip(&modules)
        .map(|((program, emitted), (name, _))| {
            let file = format!("src/{name}.rs");
            let table = tables.remove(&file).unwrap_or_default();
            verdict(program, emitted, version, file, &table)
        })
        .collect()
}

/// Whether the table says what axum does.
pub(crate) fn verdict(
    program: &Program,
    emitted: &Emitted,
    version: Version,
    file: String,
    table: &Table,
) -> Result<(), String> {
    let ask = match build(program, version) {
        Ok(ask) => ask,
        Err(panic) => return refused(table, &panic),
    };
    let subject = Subject {
        file,
        version,
        sites: &emitted.sites,
        handlers: &emitted.handlers,
        reach: Reach::of(program, version),
    };
    subject.compare(table, &ask)
}

fn numbered(text: &str) -> String {
    let lines = text.lines().enumerate();
    let lines = lines.map(|(n, line)| format!("{:>4} {line}", n + 1));
    lines.collect::<Vec<_>>().join("\n")
}
