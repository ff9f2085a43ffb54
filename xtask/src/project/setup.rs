//! `cargo xtask setup`: local secrets, the local database. Every step looks first, so it can be
//! repeated at any time and never replaces what is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::database;
use crate::cargo;
use crate::cli::say;
use crate::cx::{Cx, Shared};
use crate::database::{AppEnv, Target};
use crate::environment;
use crate::exit::{Code, Problem};
use crate::gates::env;

pub(crate) const ENV_FILE: &str = ".env.local";
pub(crate) const DATABASE_URL: &str = "DATABASE_URL";

pub(crate) fn run(shared: &Arc<Shared>) -> Result<Code> {
    refuse_elsewhere("setup")?;
    let cx = Cx::new(shared, Duration::from_mins(30));
    say("building the apps to ask them for their settings …")?;
    cargo::keep(&cx, cargo::build_binaries(&cx)?)?;
    let settings = env::settings(&cx)?;
    for line in prepare(&cx, &settings)? {
        say(line)?;
    }
    say("\nnext: cargo xtask dev")?;
    Ok(Code::Done)
}

/// A chore that writes local secrets and databases runs on a developer's machine only.
pub(crate) fn refuse_elsewhere(chore: &str) -> Result<()> {
    let app_env = environment::var("APP_ENV").unwrap_or_else(|| "local".to_owned());
    if app_env == "local" {
        return Ok(());
    }
    Err(Problem::precondition(format!(
        "{chore} is for `local`, and APP_ENV is `{app_env}`"
    ))
    .help("unset APP_ENV, or prepare that environment as its runbook says")
    .into())
}

/// Every step; a line for each, which begins with `done` where something was written.
pub(crate) fn prepare(cx: &Cx, settings: &[(env::Setting, Vec<String>)]) -> Result<Vec<String>> {
    let lock = std::fs::File::create(cx.state().join("setup.lock"))
        .context("failed to create the lock of `setup`")?;
    lock.try_lock().map_err(|_| {
        Problem::new(Code::Busy, "another `cargo xtask setup` is running here").help("wait for it")
    })?;
    let written = secrets(&cx.root, settings)?;
    let mut lines = vec![match written.as_slice() {
        [] => format!("ok    `{ENV_FILE}` has every secret"),
        names => format!("done  `{ENV_FILE}`: wrote {}", names.join(", ")),
    }];
    let url = settings
        .iter()
        .find(|(setting, _)| setting.name == DATABASE_URL);
    let file = read_env(&cx.root)?;
    match url.and_then(|(setting, _)| value_of(setting, &file)) {
        Some(url) => {
            let target = Target::of_url(cx, AppEnv::Local, &url)?;
            lines.extend(cx.block_on(database::prepare(cx, &target))?);
        }
        None => lines.push("ok    no app has a database".to_owned()),
    }
    Ok(lines)
}

/// What an app that is started here reads: the environment, `.env.local`, its own default.
pub(crate) fn value_of(setting: &env::Setting, file: &BTreeMap<String, String>) -> Option<String> {
    environment::var(&setting.name)
        .or_else(|| file.get(&setting.name).cloned())
        .or_else(|| setting.default.clone())
}

/// Adds a random value for each secret that `.env.local` lacks; what is there stays.
fn secrets(root: &Path, settings: &[(env::Setting, Vec<String>)]) -> Result<Vec<String>> {
    let have = read_env(root)?;
    let missing: Vec<&env::Setting> = settings
        .iter()
        .map(|(setting, _)| setting)
        .filter(|setting| {
            setting.secret && setting.default.is_none() && !have.contains_key(&setting.name)
        })
        .collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let path = root.join(ENV_FILE);
    let old = std::fs::read_to_string(&path).unwrap_or_default();
    let mut text = if old.is_empty() {
        "# Secrets of this checkout, made by `cargo xtask setup`. Git ignores this file.\n"
            .to_owned()
    } else {
        old
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    for setting in &missing {
        let _ = writeln!(text, "{}={}", setting.name, random()?);
    }
    // Private from its first byte; renamed into place, so that a crash leaves the old file.
    let temp = root.join(format!("{ENV_FILE}.{}", std::process::id()));
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::OpenOptions::new()
            .create_new(true)
            .write(true)
            .mode(0o600)
            .open(&temp)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temp, &path)
    };
    write()
        .inspect_err(|_| drop(std::fs::remove_file(&temp)))
        .with_context(|| {
            Problem::precondition(format!("failed to write `{ENV_FILE}`"))
                .help("check free space and permissions")
        })?;
    Ok(missing.iter().map(|setting| setting.name.clone()).collect())
}

/// 32 random bytes of the operating system, in hexadecimal.
pub(crate) fn random() -> Result<String> {
    let mut bytes = [0_u8; 32];
    let mut source =
        std::fs::File::open("/dev/urandom").context("failed to open `/dev/urandom`")?;
    std::io::Read::read_exact(&mut source, &mut bytes).context("failed to read `/dev/urandom`")?;
    Ok(marker::hex(&bytes))
}

/// The variables of `.env.local` that are set.
pub(crate) fn read_env(root: &Path) -> Result<BTreeMap<String, String>> {
    let text = match std::fs::read_to_string(root.join(ENV_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("failed to read `{ENV_FILE}`")),
    };
    Ok(text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .filter_map(|line| {
            line.trim_start()
                .trim_start_matches("export ")
                .split_once('=')
        })
        .map(|(name, value)| {
            let value = value.trim();
            let quoted = ['"', '\'']
                .iter()
                .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
            (name.trim().to_owned(), quoted.unwrap_or(value).to_owned())
        })
        .filter(|(_, value)| !value.is_empty())
        .collect())
}
