//! `cargo xtask doctor`: what is wrong with this machine or checkout, each with its mend.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use serde::Serialize;
use xshell::cmd;

use crate::cli::{say, say_json};
use crate::cx::{Cx, Shared};
use crate::environment;
use crate::exit::Code;
use crate::repo;
use crate::testing::components::{COMPONENTS, Component};

#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Status {
    Ok,
    /// Works, but something is not run or slower than it could be.
    Advice,
    /// Gates cannot be trusted, or cannot run.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Check {
    what: &'static str,
    status: Status,
    found: String,
    fix: Option<String>,
    #[serde(skip)]
    code: Code,
}

fn ok(what: &'static str, found: impl Into<String>) -> Check {
    Check {
        what,
        status: Status::Ok,
        found: found.into(),
        fix: None,
        code: Code::Done,
    }
}

fn advice(what: &'static str, found: impl Into<String>, fix: impl Into<String>) -> Check {
    Check {
        what,
        status: Status::Advice,
        found: found.into(),
        fix: Some(fix.into()),
        code: Code::Done,
    }
}

fn problem(
    what: &'static str,
    code: Code,
    found: impl Into<String>,
    fix: impl Into<String>,
) -> Check {
    Check {
        what,
        status: Status::Problem,
        found: found.into(),
        fix: Some(fix.into()),
        code,
    }
}

pub(crate) fn run(shared: &Arc<Shared>, json: bool) -> Result<Code> {
    let cx = Cx::new(shared, Duration::from_mins(1));
    let mut checks = vec![
        tool(
            &cx,
            "rustc",
            "rustc",
            &["--version"],
            "install Rust with rustup",
        ),
        tool(
            &cx,
            "clippy",
            "cargo",
            &["clippy", "--version"],
            "rustup component add clippy",
        ),
        tool(
            &cx,
            "rustfmt",
            "rustfmt",
            &["--version"],
            "rustup component add rustfmt",
        ),
        tool(
            &cx,
            "C compiler",
            "cc",
            &["--version"],
            "apt-get install build-essential, or xcode-select --install",
        ),
        tool(&cx, "git", "git", &["--version"], "apt-get install git"),
        nextest(&cx),
    ];
    checks.extend(COMPONENTS.iter().map(component));
    checks.extend([
        repository(&cx),
        disk(&cx),
        rustflags(),
        cargo_config(&cx),
        secrets(&cx),
    ]);
    if json {
        say_json(&checks)?;
    } else {
        let width = checks
            .iter()
            .map(|check| check.what.len())
            .max()
            .unwrap_or(0);
        for check in &checks {
            let word = match check.status {
                Status::Ok => "ok",
                Status::Advice => "advice",
                Status::Problem => "problem",
            };
            say(format!("{word:<8} {:<width$}  {}", check.what, check.found))?;
            if let Some(fix) = &check.fix {
                say(format!("{:<8} {:<width$}  fix: {fix}", "", ""))?;
            }
        }
    }
    Ok(Code::worst(checks.iter().map(|check| check.code)))
}

fn version(cx: &Cx, program: &str, args: &[&str]) -> Option<String> {
    let sh = cx.shell().ok()?;
    let done = cx
        .run(cmd!(sh, "{program} {args...}"))
        .ok()
        .filter(crate::process::Finished::success)?;
    let text = String::from_utf8_lossy(&done.stdout)
        .lines()
        .next()?
        .to_owned();
    Some(crate::report::text::clean(&text, 120))
}

fn tool(cx: &Cx, what: &'static str, program: &str, args: &[&str], fix: &str) -> Check {
    match version(cx, program, args) {
        Some(version) => ok(what, version),
        None => problem(what, Code::ToolMissing, "not installed", fix),
    }
}

fn nextest(cx: &Cx) -> Check {
    match version(cx, "cargo", &["nextest", "--version"]) {
        Some(version) => ok("nextest", version),
        None => advice(
            "nextest",
            "not installed: tests run with `cargo test`",
            "cargo install --locked cargo-nextest",
        ),
    }
}

/// What is absent is told, and no problem: its tests are left out.
fn component(component: &Component) -> Check {
    match component.find() {
        Ok(found) => ok(component.name, found),
        Err(missing) => advice(
            component.name,
            format!("{missing}: what needs it is reported as not run"),
            component.install,
        ),
    }
}

fn repository(cx: &Cx) -> Check {
    match repo::open(&cx.root) {
        Ok(Some(repo)) if repo.is_shallow() => problem(
            "repository",
            Code::Precondition,
            "a shallow clone: the base of a change may be missing",
            "git fetch --unshallow",
        ),
        Ok(Some(repo)) if !repo::has_branch(&repo, &cx.policy.branch.trunk) => problem(
            "repository",
            Code::Precondition,
            format!("no branch `{}` here or on origin", cx.policy.branch.trunk),
            format!(
                "git fetch origin {0}:{0}, or set `branch.trunk` in xtask.toml",
                cx.policy.branch.trunk
            ),
        ),
        Ok(Some(_)) => ok(
            "repository",
            format!("complete, trunk is `{}`", cx.policy.branch.trunk),
        ),
        Ok(None) => problem(
            "repository",
            Code::Precondition,
            "not a git repository",
            "git init, or clone instead of unpacking",
        ),
        Err(error) => problem(
            "repository",
            Code::Precondition,
            format!("{error:#}"),
            "see above",
        ),
    }
}

fn disk(cx: &Cx) -> Check {
    const WANTED: u64 = 8 << 30;
    match rustix::fs::statvfs(&cx.target) {
        Ok(stat) => {
            let free = stat.f_bavail * stat.f_frsize;
            let found = format!("{} GiB free", free >> 30);
            if free < WANTED {
                problem(
                    "disk",
                    Code::Precondition,
                    found,
                    "cargo clean, or free some space: a full build takes about 6 GiB",
                )
            } else {
                ok("disk", found)
            }
        }
        Err(error) => advice(
            "disk",
            format!("unknown: {error}"),
            "see that the target folder exists",
        ),
    }
}

fn rustflags() -> Check {
    let set: Vec<&str> = ["RUSTFLAGS", "RUSTDOCFLAGS", "CARGO_ENCODED_RUSTFLAGS"]
        .into_iter()
        .filter(|name| environment::var_os(name).is_some())
        .collect();
    if set.is_empty() {
        ok("flags", "no RUSTFLAGS in the environment")
    } else {
        let fix =
            "unset it: with it everything is built again for every command that does not see it";
        advice("flags", format!("{} is set", set.join(", ")), fix)
    }
}

fn cargo_config(cx: &Cx) -> Check {
    let home = environment::var_os("CARGO_HOME").map(std::path::PathBuf::from);
    let home = home.or_else(|| Some(Path::new(&environment::var_os("HOME")?).join(".cargo")));
    let above = cx.root.ancestors().skip(1).map(|dir| dir.join(".cargo"));
    let flagged = above
        .chain(home)
        .flat_map(|dir| [dir.join("config.toml"), dir.join("config")])
        .find(|file| {
            std::fs::read_to_string(file).is_ok_and(|text| {
                text.lines()
                    .any(|line| line.trim_start().starts_with("rustflags"))
            })
        });
    match flagged {
        Some(file) => advice(
            "cargo config",
            format!("`{}` sets rustflags", file.display()),
            "move them into the workspace",
        ),
        None => ok("cargo config", "no rustflags outside the workspace"),
    }
}

fn secrets(cx: &Cx) -> Check {
    if cx.root.join(".env.local").is_file() {
        ok("secrets", "`.env.local` is there")
    } else {
        advice(
            "secrets",
            "no `.env.local`: the apps do not start",
            "cargo xtask setup",
        )
    }
}
