//! What the apps cost: from the start of a release binary until it is ready, and the memory it holds
//! at rest. Each runs alone, on a migrated database of its own and with keys of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde::Serialize;
use xshell::cmd;

use super::median;
use crate::cargo;
use crate::cli::{say, say_json};
use crate::cx::{Cx, Shared};
use crate::database::{AppEnv, Target};
use crate::exit::{Code, Problem};
use crate::gates::env::{self, Setting};
use crate::process;
use crate::project::service::{Service, readyz};
use crate::project::{database, setup};
use crate::report::text;

const STARTS: u32 = 5;
const REST: Duration = Duration::from_secs(2);
/// After this an app counts as one that never gets ready.
const GIVE_UP: Duration = Duration::from_secs(20);
/// The limits of the workspace, printed beside.
const READY_MS: f64 = 200.0;
const RESIDENT_MB: f64 = 40.0;

#[derive(Debug, Serialize)]
struct Figure {
    app: String,
    starts: u32,
    /// From the start of the process until `/readyz` answers 200; the median.
    ready_ms: f64,
    ready_ms_limit: f64,
    /// Resident memory after two idle seconds; `None` where the system does not tell.
    resident_mb: Option<f64>,
    resident_mb_limit: f64,
}

pub(super) fn run(shared: &Arc<Shared>, json: bool) -> Result<Code> {
    let cx = Cx::new(shared, Duration::from_hours(1));
    if !json {
        say("building …")?;
    }
    let apps = cargo::apps(&cx)?;
    cargo::keep(&cx, cargo::build_release(&cx, &apps)?)?;
    let settings = env::settings(&cx)?;
    // The apps find no `.env.local` here.
    let folder = cx.tmp().join("bench");
    std::fs::create_dir_all(&folder).context("failed to create a folder for the apps")?;
    let url = format!("sqlite://{}", folder.join("bench.db").display());
    let target = Target::of_url(&cx, AppEnv::Local, &url)?;
    cx.block_on(database::prepare(&cx, &target))?;
    let mut figures = Vec::new();
    for app in apps {
        let bin = cargo::binary(&cx, &app)?;
        let figure = measure(&app.name, &settings, &|| {
            let sh = cx.shell()?;
            let (mut command, _) = cx.prepare(cmd!(sh, "{bin}"));
            command
                .current_dir(&folder)
                .env("APP_ENV", "local")
                .env(setup::DATABASE_URL, &url);
            Ok(command)
        })?;
        if !json {
            say(row(&figure))?;
        }
        figures.push(figure);
    }
    if json {
        say_json(&figures)?;
    }
    Ok(Code::Done)
}

fn row(figure: &Figure) -> String {
    let over = |value: f64, limit: f64| if value > limit { ", OVER" } else { "" };
    let memory = figure.resident_mb.map_or_else(String::new, |mb| {
        format!(
            "{mb:>8.1} MB at rest (limit {RESIDENT_MB}{})",
            over(mb, RESIDENT_MB)
        )
    });
    let ready = figure.ready_ms;
    format!(
        "{:<10} {ready:>8.1} ms to ready (limit {READY_MS}{})  {memory}",
        figure.app,
        over(ready, READY_MS)
    )
}

fn measure(
    app: &str,
    settings: &[(Setting, Vec<String>)],
    command: &dyn Fn() -> Result<Command>,
) -> Result<Figure> {
    let mut times = Vec::new();
    let mut resident_mb = None;
    for n in 1..=STARTS {
        let mut command = command()?;
        let mut addresses = Vec::new();
        let own = settings
            .iter()
            .filter(|(_, apps)| apps.iter().any(|name| name == app));
        for (setting, _) in own {
            if setting.kind == "socket-address" {
                let addr = free_address()?;
                command.env(&setting.name, addr.to_string());
                addresses.push((setting.name.contains("METRICS"), addr));
            } else if setting.secret && setting.default.is_none() {
                command.env(&setting.name, setup::random()?);
            }
        }
        let addr = addresses.iter().find(|(is_metrics, _)| !is_metrics);
        let (_, addr) = addr.with_context(|| format!("the app `{app}` listens nowhere"))?;

        let said = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&said);
        let since = Instant::now();
        let mut service = Service::start(command, move |line| {
            let mut said = to.lock().unwrap_or_else(PoisonError::into_inner);
            said.extend_from_slice(line);
            said.push(b'\n');
        })?;
        while !matches!(readyz(*addr), Ok(200)) {
            let ended = service.ended()?.is_some();
            if ended || process::interrupted() || since.elapsed() > GIVE_UP {
                Service::end(vec![service]);
                let said = said.lock().unwrap_or_else(PoisonError::into_inner);
                let said = text::clean_bytes(&said, text::MESSAGE);
                let message = format!("`{app}` did not get ready; it said:\n{}", said.trim());
                return Err(Problem::new(Code::Red, message)
                    .help("mend what it says, then measure again")
                    .into());
            }
            std::thread::sleep(Duration::from_micros(500));
        }
        times.push(since.elapsed().as_secs_f64() * 1000.0);
        if n == STARTS {
            std::thread::sleep(REST);
            resident_mb = resident(service.id());
        }
        Service::end(vec![service]);
    }
    Ok(Figure {
        app: app.to_owned(),
        starts: STARTS,
        ready_ms: median(&mut times),
        ready_ms_limit: READY_MS,
        resident_mb,
        resident_mb_limit: RESIDENT_MB,
    })
}

fn free_address() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").context("failed to find a free port")?;
    listener.local_addr().context("failed to read a port")
}

/// `VmRSS` of proc(5), which is in units of 1024 bytes, in megabytes of 1024 of those.
fn resident(pid: u32) -> Option<f64> {
    let status = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("status"));
    let status = status.ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024.0)
}
