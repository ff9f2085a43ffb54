//! The command line that all services share.

use std::io::{self, Write as _};
use std::process::ExitCode;

use guard::RouteRecord;
use serde::Serialize;
use settings::Surface;
use tokio::runtime::Runtime;

use crate::signals::Stops;
use crate::{Error, Outcome, StartupError};

const USAGE: u8 = 2;
const PRECONDITION: u8 = 3;

#[derive(Serialize)]
struct Routes {
    app: Surface,
    routes: Vec<RouteRecord>,
}

/// Something more that an app can describe: its name, and what writes it.
pub type Described<'a> = (&'a str, fn() -> String);

/// The whole of an app's `main`: without arguments it serves, `describe settings`, `describe routes`,
/// `describe metrics`, and what the app has `more` to describe, print JSON and need nothing of the
/// environment.
pub fn cli<F>(
    surface: Surface,
    routes: impl FnOnce() -> Vec<RouteRecord>,
    more: &[Described<'_>],
    service: impl FnOnce() -> F,
) -> ExitCode
where
    F: Future<Output = Result<Outcome, StartupError>>,
{
    let args: Vec<_> = std::env::args_os()
        .skip(1)
        .map(|arg| arg.to_string_lossy().into_owned())
        .collect();
    let args: Vec<_> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        [] => match start(service) {
            Ok(outcome) => ExitCode::from(outcome.code()),
            Err(error) => complain(PRECONDITION, &error.to_string()),
        },
        ["describe", "settings"] => print(&json(&settings::describe(surface))),
        ["describe", "routes"] => print(&json(&Routes {
            app: surface,
            routes: routes(),
        })),
        ["describe", "metrics"] => print(&json(&telemetry::metrics::describe(surface))),
        ["describe", name]
            if let Some((_, write)) = more.iter().find(|(known, _)| known == name) =>
        {
            print(&write())
        }
        _ => {
            let known = ["settings", "routes", "metrics"].into_iter();
            let known: Vec<_> = known.chain(more.iter().map(|(name, _)| *name)).collect();
            let usage = format!("usage: {surface} [describe {}]", known.join("|"));
            complain(USAGE, &usage)
        }
    }
}

/// Runs a service in a runtime of its own, and waits for what it has logged to be written. Asked to
/// stop before it serves, it does so at once.
pub fn start<F>(service: impl FnOnce() -> F) -> Result<Outcome, StartupError>
where
    F: Future<Output = Result<Outcome, StartupError>>,
{
    let runtime = Runtime::new().map_err(|error| {
        let help = "the system is short of threads or files: see `ulimit -a`";
        StartupError::new(error).help(help)
    })?;
    let outcome = runtime.block_on(async {
        let stops = Stops::install().map_err(Error::Signals)?;
        let stopped = stops.watch_over(service()).await;
        stopped.unwrap_or(Ok(Outcome::Drained))
    });
    // Nothing that still hangs in a blocking call may delay the exit.
    runtime.shutdown_background();
    telemetry::flush();
    outcome
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// A reader that went away is its own business.
fn print(text: &str) -> ExitCode {
    let _ = writeln!(io::stdout(), "{text}");
    ExitCode::SUCCESS
}

fn complain(code: u8, text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}
