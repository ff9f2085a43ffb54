//! `cargo xtask bench`: what the runner itself costs, the apps, the route scan, the migrations, or a
//! release.
//! Medians of repeated runs.

mod apps;
mod lint;
mod migrate;
mod release;
mod routes;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use clap::Args;
use serde::Serialize;
use xshell::cmd;

use crate::cli::{say, say_json};
use crate::cx::{Cx, Shared};
use crate::environment;
use crate::exit::Code;
use crate::gates::Tier;
use crate::runner;

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Options {
    /// Also build xtask from nothing, in a folder of its own (about two minutes)
    #[arg(long)]
    cold: bool,
    /// The release binaries of the apps instead: time to ready, memory at rest
    #[arg(long, conflicts_with_all = ["cold", "runs", "gates"])]
    apps: bool,
    /// The route scan of that workspace instead, beside `ast-grep` where it is installed
    #[arg(long, value_name = "PATH", conflicts_with_all = ["cold", "apps", "gates"])]
    routes: Option<PathBuf>,
    /// The lint of a thousand migrations instead
    #[arg(long, conflicts_with_all = ["cold", "apps", "routes", "gates"])]
    lint: bool,
    /// A thousand migrations applied instead, beside `sqlx migrate run` where it is installed
    #[arg(long, conflicts_with_all = ["cold", "apps", "routes", "lint", "gates"])]
    migrate: bool,
    /// The plan and verification of a release with a long history instead, beside `cargo release`
    /// where it is installed
    #[arg(long, conflicts_with_all = ["cold", "apps", "routes", "lint", "migrate", "gates"])]
    release: bool,
    /// Runs per figure; a gate runs once to warm up, then this often
    #[arg(long, default_value_t = 3)]
    runs: u32,
    /// Only these gates [default: all]
    gates: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// One measured thing. Times in milliseconds, medians of `runs`.
#[derive(Debug, Serialize)]
struct Figure {
    what: String,
    runs: u32,
    wall_ms: f64,
    /// User and system time of the processes started; `None` where the system does not tell.
    cpu_ms: Option<f64>,
}

pub(crate) fn run(shared: &Arc<Shared>, options: &Options) -> Result<Code> {
    if options.apps {
        return apps::run(shared, options.json);
    }
    if options.lint {
        return lint::run(options.runs, options.json);
    }
    if options.migrate {
        let cx = Cx::new(shared, Duration::from_hours(1));
        return migrate::run(&cx, options.runs, options.json);
    }
    if options.release {
        let cx = Cx::new(shared, Duration::from_hours(1));
        return release::run(&cx, options.runs, options.json);
    }
    if let Some(path) = &options.routes {
        return routes::run(shared, path, options.runs, options.json);
    }
    let mut figures = Vec::new();
    let mut add = |figure: Figure| -> Result<()> {
        if !options.json {
            let cpu = figure
                .cpu_ms
                .map(|cpu| format!("{cpu:>10.0} ms cpu"))
                .unwrap_or_default();
            say(format!(
                "{:<28} {:>10.1} ms {cpu}",
                figure.what, figure.wall_ms
            ))?;
        }
        figures.push(figure);
        Ok(())
    };
    let cx = Cx::new(shared, Duration::from_hours(1));
    let (sh, cargo) = (cx.shell()?, environment::cargo());
    let exe = std::env::current_exe().context("failed to find our own executable")?;
    let small = options.runs.max(1) * 5;
    add(measure("binary, --help", small, || {
        cx.run(cmd!(sh, "{exe} --help")).map(drop)
    })?)?;
    add(measure("cargo xtask --help, no-op", small, || {
        cx.run(cmd!(sh, "{cargo} xtask --help")).map(drop)
    })?)?;
    for gate in runner::select(Tier::Trunk, &options.gates)? {
        if !options.gates.is_empty() && !options.gates.iter().any(|id| id == gate.id) {
            continue;
        }
        runner::judge(&shared.again()?, gate, None);
        add(measure(
            &format!("gate {}", gate.id),
            options.runs.max(1),
            || {
                let outcome = runner::judge(&shared.again()?, gate, None);
                anyhow::ensure!(
                    outcome.code() == Code::Done,
                    "`{}` is not green: cargo xtask ci {}",
                    gate.id,
                    gate.id
                );
                Ok(())
            },
        )?)?;
    }
    if options.gates.is_empty() {
        let gates = runner::select(Tier::Pull, &[])?;
        add(measure("ci, warm", options.runs.max(1), || {
            runner::run(&shared.again()?, &gates, false, &mut Silent).map(drop)
        })?)?;
    }
    if options.cold {
        let target = shared.tmp().join("cold");
        add(measure("cargo xtask --help, cold", 1, || {
            let done = cx.run(cmd!(sh, "{cargo} xtask --help").env("CARGO_TARGET_DIR", &target))?;
            anyhow::ensure!(done.success(), "the cold build failed: {}", done.stderr());
            Ok(())
        })?)?;
    }
    if options.json {
        say_json(&figures)?;
    }
    Ok(Code::Done)
}

struct Silent;

impl crate::report::Sink for Silent {
    fn ended(&mut self, _: &crate::report::Run) -> std::io::Result<()> {
        Ok(())
    }
}

fn measure(what: &str, runs: u32, mut once: impl FnMut() -> Result<()>) -> Result<Figure> {
    let (mut wall, mut cpu) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let (before, since) = (children_ms(), Instant::now());
        once()?;
        wall.push(since.elapsed().as_secs_f64() * 1000.0);
        cpu.extend(
            children_ms()
                .zip(before)
                .map(|(after, before)| after - before),
        );
    }
    let cpu_ms = (!cpu.is_empty()).then(|| median(&mut cpu));
    Ok(Figure {
        what: what.to_owned(),
        runs,
        wall_ms: median(&mut wall),
        cpu_ms,
    })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// CPU time of all children waited for, in milliseconds (proc(5): fields 16 and 17, in 1/100 s).
fn children_ms() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = |n: usize| fields.get(n)?.parse::<f64>().ok();
    Some((ticks(13)? + ticks(14)?) * 10.0)
}
