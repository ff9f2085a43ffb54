//! `cargo xtask dev`: all apps at once, started again when what they are made of changes.

mod fleet;
mod output;
mod watch;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;

use self::fleet::{Fleet, Plan};
use self::output::Output;
use self::watch::Watch;
use super::database::SEED;
use super::setup;
use crate::cargo::{self, Member};
use crate::cx::{Cx, Shared};
use crate::exit::{self, Code, Problem};
use crate::gates::env;
use crate::process;
use crate::report::text;

const POLL: Duration = Duration::from_millis(300);
/// Several files are saved at once: this long it must be quiet.
const QUIET: Duration = Duration::from_millis(150);

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Only these apps [default: all]
    #[arg(long, num_args = 1.., value_name = "NAME")]
    only: Vec<String>,
    /// Start nothing again when sources change
    #[arg(long)]
    no_watch: bool,
}

struct Dev<'a> {
    shared: &'a Arc<Shared>,
    only: &'a [String],
    output: Arc<Output>,
    fleet: Fleet,
    watch: Watch,
    /// What every app reads has changed since they were started.
    outdated: bool,
}

pub(crate) fn run(shared: &Arc<Shared>, options: &Options) -> Result<Code> {
    setup::refuse_elsewhere("dev")?;
    let lock = std::fs::File::create(shared.state().join("dev.lock"))
        .context("failed to create the lock of `dev`")?;
    lock.try_lock().map_err(|_| {
        Problem::new(
            Code::Busy,
            "another `cargo xtask dev` runs here: it holds `target/xtask/dev.lock`",
        )
        .help("end it with Ctrl-C, or go on with it: it restarts what you change")
    })?;
    let cx = Cx::new(shared, Duration::from_mins(30));
    let names = wanted(&cx, &options.only)?.into_iter().map(|app| app.name);
    let output = Arc::new(Output::new(names.collect()));
    let mut dev = Dev {
        shared,
        only: &options.only,
        outdated: false,
        fleet: Fleet::new(Arc::clone(&output)),
        output,
        // Before the first build: what changes while it runs is built after it.
        watch: Watch::start(&cx)?,
    };
    let done = dev.run(!options.no_watch);
    dev.fleet.end();
    match done {
        _ if process::interrupted() => {
            dev.output.say("stopped");
            Ok(Code::Interrupted)
        }
        done => done.map(|()| Code::Red),
    }
}

/// The apps to run; a name that none has is a mistake of the caller.
fn wanted(cx: &Cx, only: &[String]) -> Result<Vec<Member>> {
    let mut apps = cargo::apps(cx)?;
    let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
    if let Some(stranger) = only.iter().find(|name| !names.contains(&name.as_str())) {
        let help = format!("the apps are: {}", names.join(", "));
        return Err(
            Problem::new(Code::Usage, format!("there is no app `{stranger}`"))
                .help(help)
                .into(),
        );
    }
    if apps.is_empty() {
        let dir = &cx.policy.apps.dir;
        return Err(
            Problem::precondition(format!("there is no app below `{dir}`"))
                .help("see CONTRIBUTING.md, or set `apps.dir` in `xtask.toml`")
                .into(),
        );
    }
    apps.retain(|app| only.is_empty() || only.contains(&app.name));
    Ok(apps)
}

impl Dev<'_> {
    /// Runs until Ctrl-C, or until nothing is left to run.
    fn run(&mut self, watch: bool) -> Result<()> {
        self.output.say("building …");
        self.round()?;
        self.greet();
        while !process::interrupted() {
            self.fleet.bury()?;
            if self.fleet.has_ended() && !watch {
                self.output.say("every app has ended");
                return Ok(());
            }
            std::thread::sleep(POLL);
            let changed = if watch {
                self.changes()
            } else {
                BTreeSet::new()
            };
            if changed.is_empty() {
                continue;
            }
            self.output
                .say(format!("changed: {}; building …", some_of(&changed)));
            self.outdated |= changed.contains(setup::ENV_FILE);
            match self.round() {
                Ok(started) if started.is_empty() => self.output.say("nothing to restart"),
                Ok(_) => {}
                Err(error) if exit::code_of(&error) == Code::Interrupted => return Err(error),
                Err(error) => {
                    self.output
                        .say(text::clean(&format!("error: {error:#}"), text::MESSAGE));
                    if let Some(help) = exit::help_of(&error) {
                        self.output.say(format!("help: {help}"));
                    }
                    if !self.fleet.has_ended() {
                        self.output.say("what still runs goes on as it was");
                    }
                }
            }
        }
        Ok(())
    }

    /// What changed, once it has been quiet for a moment.
    fn changes(&mut self) -> BTreeSet<String> {
        let root = &self.shared.root;
        let mut changed = self.watch.changes(root);
        let mut latest = changed.len();
        while latest > 0 && !process::interrupted() {
            std::thread::sleep(QUIET);
            let more = self.watch.changes(root);
            latest = more.len();
            changed.extend(more);
        }
        changed
    }

    /// Builds, prepares what is pending (secrets, migrations), and starts what is new; everything
    /// where something was pending. Answers the names of what was started.
    fn round(&mut self) -> Result<Vec<String>> {
        let cx = Cx::new(self.shared, Duration::from_mins(30));
        self.build(&cx)?;
        let settings = env::settings(&cx)?;
        for line in setup::prepare(&cx, &settings)? {
            if line.starts_with("done") {
                self.outdated = true;
                self.output.say(line);
            }
        }
        self.watch.look_away(&self.shared.root, setup::ENV_FILE);
        let file = setup::read_env(&self.shared.root)?;
        let mut plans = Vec::new();
        for app in wanted(&cx, self.only)? {
            let bin = cargo::binary(&cx, &app)?;
            plans.push(Plan::new(&app.name, bin, &settings, &file)?);
        }
        let started = self.fleet.bring(&cx, plans, self.outdated)?;
        self.outdated = false;
        self.fleet.await_ready(&started)?;
        Ok(started)
    }

    fn build(&self, cx: &Cx) -> Result<()> {
        let built = cargo::build_binaries(cx)?;
        let errors: Vec<_> = built.diagnostics.iter().filter(|d| d.error).collect();
        if errors.is_empty() {
            return cargo::keep(cx, built).map(drop);
        }
        for error in &errors {
            let shown = error.rendered.as_ref().unwrap_or(&error.message);
            self.output.say(text::clean(shown, text::MESSAGE));
        }
        let errors = text::plural(errors.len(), "error");
        let what = format!("the build failed: {errors}, shown above");
        Err(Problem::new(Code::Red, what)
            .help("cargo xtask ci typecheck")
            .into())
    }

    fn greet(&self) {
        for row in self.fleet.table() {
            self.output.say(row);
        }
        let seed = std::fs::read_to_string(self.shared.root.join(SEED)).unwrap_or_default();
        for sign_in in seed
            .lines()
            .filter_map(|line| line.strip_prefix("-- sign-in: "))
        {
            self.output
                .say(format!("sign in as {}", text::clean(sign_in, text::LINE)));
        }
        self.output.say("Ctrl-C stops all");
    }
}

fn some_of(changed: &BTreeSet<String>) -> String {
    let shown: Vec<String> = changed
        .iter()
        .take(3)
        .map(|file| format!("`{}`", text::clean(file, text::LINE)))
        .collect();
    let more = changed.len() - shown.len();
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{}{more}", shown.join(", "))
}
