//! The command tree. Doc comments are the help; each arm calls one function.

use std::io::Write as _;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cx::{self, Shared};
use crate::environment;
use crate::exit::{self, Code, Problem};
use crate::gates::{self, Gate, Tier};
use crate::report::github::{GitHub, Quiet};
use crate::report::json::Json;
use crate::report::terminal::{Terminal, seconds};
use crate::report::{Sink, Verdict};
use crate::runner::prove::Proof;
use crate::runner::{self, fix, floors, record};
use crate::{process, project, repo, routes};

/// Gates and chores of this workspace
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", after_help = exit::TABLE, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the gates and print a verdict with counted evidence
    Ci(Ci),
    /// Mend what a machine can mend: formatting, lockfile, generated files
    Fix {
        /// Gates to fix [default: all that can be]
        gates: Vec<String>,
    },
    /// Plant one violation per rule in a copy of the tree and demand that its gate turns red
    Prove {
        /// Gates to prove [default: all]
        gates: Vec<String>,
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// The counts below which a gate is red (`gates.lock`)
    Evidence {
        #[command(subcommand)]
        command: Evidence,
    },
    /// Prepare this checkout for work: secrets, database, tools. Safe to repeat
    Setup,
    /// Run all apps, and start them again when their sources change. Ctrl-C stops all
    Dev(project::dev::Options),
    /// Say what is wrong with this machine or checkout, and how to mend it
    Doctor {
        #[arg(long, value_enum, default_value_t = Format::Human)]
        format: Format,
    },
    /// Run the tests on SQLite, and on PostgreSQL where it is installed
    Test {
        /// Only the tests of these packages
        #[arg(short, long)]
        package: Vec<String>,
    },
    /// Make migrations, and apply them to the database of APP_ENV
    Migrate(project::migrate::Options),
    /// Say whose a database is; back it up, restore it, measure a recovery; look for drift and roles
    Db(project::db::Options),
    /// Look whether the database may be deployed to. Writes nothing
    Predeploy(project::deploy::Predeploy),
    /// Deploy: the database, in three steps
    Deploy(project::deploy::Options),
    /// Make a release, or say what is next, what was said of one, and whether all are as they should be
    Release(project::release::Options),
    /// List every route with what stands before it, in this workspace or any other that uses axum
    Routes(routes::command::Options),
    /// Measure the runner (cold build, no-op, each gate), the apps, the route scan, or the migrations
    Bench(project::bench::Options),
}

#[derive(Debug, Args)]
struct Ci {
    /// Gates to run, with what they need [default: all of the tier]
    gates: Vec<String>,
    /// hook: on commit, pull: on every pull request, trunk: on main and before a release
    #[arg(long, value_enum, default_value_t = Tier::Pull)]
    tier: Tier,
    /// Start nothing new after the first red gate
    #[arg(long)]
    fail_fast: bool,
    /// Print what would run, and run nothing
    #[arg(long)]
    dry_run: bool,
    /// Only what is wrong, and the last line
    #[arg(short, long)]
    quiet: bool,
    /// human, json, or github [default: github under GitHub Actions, else human]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

#[derive(Debug, Subcommand)]
enum Evidence {
    /// Make the counts of the last run the floors; a lowered one is a change to review
    Accept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Human,
    Json,
    Github,
}

impl Format {
    /// GitHub's own where its runner reads us.
    pub(crate) fn of_environment() -> Self {
        let in_actions = environment::var("GITHUB_ACTIONS").is_some_and(|value| value == "true");
        if in_actions {
            Self::Github
        } else {
            Self::Human
        }
    }
}

pub(crate) fn sink(format: Format, quiet: bool) -> Box<dyn Sink> {
    match format {
        Format::Human => Box::new(Terminal::stdout(quiet)),
        Format::Json => Box::new(Json(std::io::stdout())),
        Format::Github => Box::new(GitHub::new(Terminal::stdout(quiet))),
    }
}

pub(crate) fn run() -> Result<Code> {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            error.print().context("failed to print the help")?;
            return Ok(if error.use_stderr() {
                Code::Usage
            } else {
                Code::Done
            });
        }
    };
    process::handle_interrupts()?;
    // A scan needs no workspace of ours around it.
    if let Command::Routes(options) = &cli.command {
        return routes::command::run(options);
    }
    let root =
        cx::find_root(&std::env::current_dir().context("failed to find the current folder")?)?;
    let shared = Shared::new(&root)?;
    match cli.command {
        Command::Ci(options) => ci(&shared, &options),
        Command::Fix { gates } => fix_all(&shared, &gates),
        Command::Prove { gates, format } => prove(&shared, &gates, format),
        Command::Evidence {
            command: Evidence::Accept,
        } => accept(&shared),
        Command::Setup => project::setup::run(&shared),
        Command::Dev(options) => project::dev::run(&shared, &options),
        Command::Doctor { format } => project::doctor::run(&shared, format == Format::Json),
        Command::Test { package } => project::test::run(&shared, package),
        Command::Migrate(options) => project::migrate::run(&shared, &options),
        Command::Db(options) => project::db::run(&shared, &options),
        Command::Predeploy(options) => project::deploy::predeploy(&shared, &options),
        Command::Deploy(options) => project::deploy::run(&shared, &options),
        Command::Release(options) => project::release::run(&shared, &options),
        Command::Routes(options) => routes::command::run(&options),
        Command::Bench(options) => project::bench::run(&shared, &options),
    }
}

/// Writes a line to stdout.
pub(crate) fn say(line: impl AsRef<str>) -> Result<()> {
    printed(writeln!(std::io::stdout(), "{}", line.as_ref()))
}

/// A reader that went away (`cargo xtask ci | head`) has what it wanted: the command goes on to its
/// own exit code. Any other failed write is an error.
pub(crate) fn printed(result: std::io::Result<()>) -> Result<()> {
    match result {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.context("failed to print the report"),
    }
}

pub(crate) fn say_json(value: &impl serde::Serialize) -> Result<()> {
    say(serde_json::to_string_pretty(value).context("failed to render JSON")?)
}

fn ci(shared: &Arc<Shared>, options: &Ci) -> Result<Code> {
    let gates = runner::select(options.tier, &options.gates)?;
    let format = options.format.unwrap_or_else(Format::of_environment);
    if options.dry_run {
        return plan(&gates, format);
    }
    let mut sink = sink(format, options.quiet);
    let before = repo::head(&shared.root)?;
    let started = jiff::Timestamp::now();
    let outcomes = runner::run(shared, &gates, options.fail_fast, sink.as_mut())?;
    let run = record::assemble(&before, &repo::head(&shared.root)?, started, outcomes);
    let shown = sink.ended(&run);
    record::save(shared, &run)?;
    printed(shown)?;
    Ok(run.code())
}

/// What a run would do, without doing it.
fn plan(gates: &[&Gate], format: Format) -> Result<Code> {
    let names = |lists: &[&str]| lists.join(", ");
    if format == Format::Json {
        let plan: Vec<_> = gates
            .iter()
            .map(|gate| {
                serde_json::json!({
                    "id": gate.id,
                    "tier": format!("{:?}", gate.tier).to_lowercase(),
                    "needs": gate.needs,
                    "locks": gate.locks.iter().map(|lock| format!("{lock:?}")).collect::<Vec<_>>(),
                    "timeout_s": gate.timeout.as_secs(),
                    "rules": gate.rules.iter().map(|rule| rule.id).collect::<Vec<_>>(),
                })
            })
            .collect();
        say_json(&plan)?;
        return Ok(Code::Done);
    }
    for gate in gates {
        let needs = if gate.needs.is_empty() {
            String::new()
        } else {
            format!(" (after {})", names(gate.needs))
        };
        say(format!("{:<10}  {}{needs}", gate.id, gate.about))?;
    }
    Ok(Code::Done)
}

fn fix_all(shared: &Arc<Shared>, names: &[String]) -> Result<Code> {
    let mut codes = Vec::new();
    for gate in fix::select(shared, names)? {
        let id = gate.id;
        let fixed = match fix::fix(shared, gate) {
            Ok(fixed) => fixed,
            // The others may still be mended.
            Err(error) => {
                say(format!("left  {id}: {error:#}"))?;
                codes.push(exit::code_of(&error));
                continue;
            }
        };
        for action in &fixed.actions {
            say(format!("fixed {id}: {action}"))?;
        }
        if fixed.after.code() != Code::Done {
            say(format!("left  {id}: see `cargo xtask ci {id}`"))?;
        } else if fixed.actions.is_empty() {
            say(format!("ok    {id}: nothing to fix"))?;
        }
        codes.push(fixed.after.code());
    }
    Ok(Code::worst(codes))
}

fn prove(shared: &Arc<Shared>, names: &[String], format: Format) -> Result<Code> {
    let all = gates::ids()
        .into_iter()
        .map(str::to_owned)
        .collect::<Vec<_>>();
    let gates = runner::select(Tier::Trunk, if names.is_empty() { &all } else { names })?;
    let gates: Vec<&Gate> = gates
        .into_iter()
        .filter(|gate| names.is_empty() || names.iter().any(|name| name == gate.id))
        .collect();
    // What a gate says of a planted violation is not for the runner of a workflow to obey.
    let quiet =
        (Format::of_environment() == Format::Github).then(|| Quiet::start(std::io::stdout()));
    let mut shown = Ok(());
    let proofs = runner::prove::prove(shared, &gates, &mut |proof: &Proof| {
        let took = seconds(std::time::Duration::from_millis(proof.duration_ms));
        let line = match (&proof.failure, &proof.not_run, &proof.red_at) {
            (Some(why), ..) => format!("FAILED   {:<28} {took:>6}  {why}", proof.rule),
            (_, Some(why), _) => format!("not run  {:<28} {took:>6}  {why}", proof.rule),
            (.., at) => format!(
                "proven   {:<28} {took:>6}  {}",
                proof.rule,
                at.as_deref().unwrap_or("")
            ),
        };
        if format != Format::Json && shown.is_ok() {
            shown = say(line);
        }
    })?;
    shown?;
    if let Some(quiet) = quiet {
        printed(quiet.end(&mut std::io::stdout()))?;
    }
    if format == Format::Json {
        say_json(&proofs)?;
    }
    let failed = proofs
        .iter()
        .filter(|proof| proof.failure.is_some())
        .count();
    let not_run = proofs
        .iter()
        .filter(|proof| proof.not_run.is_some())
        .count();
    if format != Format::Json {
        let proven = proofs.len() - failed - not_run;
        say(format!(
            "\n{proven} of {} rules proven, {failed} failed, {not_run} not run",
            proofs.len()
        ))?;
    }
    Ok(if failed > 0 { Code::Red } else { Code::Done })
}

fn accept(shared: &Shared) -> Result<Code> {
    let head = repo::head(&shared.root)?;
    let path = record::path(
        shared,
        head.commit.as_deref(),
        head.dirty().next().is_some(),
    );
    let run = record::read(&path).ok_or_else(|| {
        Problem::precondition("no run of this tree is on record")
            .help("cargo xtask ci, then accept what it counted")
    })?;
    let file = shared.root.join(floors::FILE);
    floors::Floors::load(&shared.root)?;
    let old = if file.is_file() {
        shared.read(floors::FILE)?
    } else {
        String::new()
    };
    let new = floors::accept(&old, &run.gates)?;
    if old == new {
        say(format!("`{}` is current", floors::FILE))?;
        return Ok(Code::Done);
    }
    say(crate::report::text::diff(floors::FILE, &old, &new).trim_end())?;
    cx::write_atomic(&file, new)?;
    let skipped: Vec<&str> = run
        .gates
        .iter()
        .filter(|gate| gate.verdict != Verdict::Passed)
        .map(|gate| gate.id.as_str())
        .collect();
    if !skipped.is_empty() {
        say(format!(
            "kept the floors of what did not pass: {}",
            skipped.join(", ")
        ))?;
    }
    Ok(Code::Done)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_tree_is_sound() {
        super::Cli::command().debug_assert();
    }

    /// Names of the arguments below a command, hidden ones and aliases included.
    fn arguments(command: &clap::Command) -> Vec<String> {
        let own = command.get_arguments().flat_map(|argument| {
            let long = argument.get_long_and_visible_aliases().unwrap_or_default();
            let hidden = argument.get_all_aliases().unwrap_or_default();
            let names = [long, hidden, vec![argument.get_id().as_str()]].concat();
            names.into_iter().map(str::to_owned).collect::<Vec<_>>()
        });
        own.chain(command.get_subcommands().flat_map(arguments))
            .collect()
    }

    #[test]
    fn no_argument_gets_round_a_guard() {
        let cli = super::Cli::command();
        for name in ["migrate", "predeploy", "deploy", "db"] {
            let arguments = arguments(cli.find_subcommand(name).unwrap());
            assert!(
                arguments
                    .iter()
                    .any(|argument| argument == "format" || argument == "plan-hash")
            );
            for word in [
                "force", "skip", "yes", "verify", "bypass", "ignore", "allow", "unsafe",
            ] {
                let found = arguments.iter().find(|argument| argument.contains(word));
                assert_eq!(found, None, "cargo xtask {name}");
            }
        }
    }
}
