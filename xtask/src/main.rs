//! `cargo xtask`: the gates, and the chores of the workspace, in one binary.

mod cargo;
mod cli;
mod cx;
mod database;
mod deploy;
mod environment;
mod exit;
mod failpoint;
mod gates;
mod guards;
mod migrations;
mod pages;
mod policy;
mod process;
mod project;
mod release;
mod repo;
mod report;
mod routes;
mod runner;
mod testing;

use std::io::Write as _;
use std::process::ExitCode;

use exit::Code;

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| {
        let place = panic
            .location()
            .map(|at| format!(" at {}:{}", at.file(), at.line()))
            .unwrap_or_default();
        let what = panic.payload_as_str().unwrap_or("no message");
        complain(
            &format!("a bug in xtask{place}: {what}"),
            Some("report it with what you ran"),
        );
    }));
    let code = std::panic::catch_unwind(cli::run).unwrap_or(Ok(Code::Bug));
    match code {
        Ok(code) => code.into(),
        Err(error) => {
            complain(&format!("{error:#}"), exit::help_of(&error));
            exit::code_of(&error).into()
        }
    }
}

fn complain(message: &str, help: Option<&str>) {
    let mut err = std::io::stderr().lock();
    // Nobody is left to tell when stderr is closed.
    let _ = writeln!(
        err,
        "error: {}",
        report::text::clean(message, report::text::MESSAGE)
    );
    if let Some(help) = help {
        let _ = writeln!(
            err,
            "help: {}",
            report::text::clean(help, report::text::MESSAGE)
        );
    }
}
