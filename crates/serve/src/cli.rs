//! The command line that all services share.

use std::io::{self, Write as _};
use std::process::ExitCode;

use guard::RouteRecord;
use serde::Serialize;
use settings::Surface;
use tokio::runtime::Runtime;

use crate::{Outcome, StartupError};

const USAGE: u8 = 2;
const PRECONDITION: u8 = 3;

#[derive(Serialize)]
struct Routes {
    app: Surface,
    routes: Vec<RouteRecord>,
}

/// The whole of an app's `main`: without arguments it serves, `describe settings` and `describe
/// routes` print JSON and need nothing of the environment.
pub fn cli<F>(
    surface: Surface,
    routes: impl FnOnce() -> Vec<RouteRecord>,
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
        [] => start(service),
        ["describe", "settings"] => print(&settings::describe(surface)),
        ["describe", "routes"] => print(&Routes {
            app: surface,
            routes: routes(),
        }),
        _ => complain(
            USAGE,
            &format!("usage: {surface} [describe settings|routes]"),
        ),
    }
}

fn start<F>(service: impl FnOnce() -> F) -> ExitCode
where
    F: Future<Output = Result<Outcome, StartupError>>,
{
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            let help = "the system is short of threads or files: see `ulimit -a`";
            return complain(
                PRECONDITION,
                &StartupError::new(error).help(help).to_string(),
            );
        }
    };
    let outcome = runtime.block_on(service());
    // Nothing that still hangs in a blocking call may delay the exit.
    runtime.shutdown_background();
    match outcome {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) => complain(PRECONDITION, &error.to_string()),
    }
}

/// A reader that went away is its own business.
fn print(value: &impl Serialize) -> ExitCode {
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    let _ = writeln!(io::stdout(), "{json}");
    ExitCode::SUCCESS
}

fn complain(code: u8, text: &str) -> ExitCode {
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(code)
}
