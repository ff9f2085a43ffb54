//! The apps that run: which, where, since which build.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use xshell::cmd;

use super::output::Output;
use super::watch::{Stamp, stamp_of};
use crate::cx::Cx;
use crate::exit::{Code, Problem};
use crate::gates::env::Setting;
use crate::process;
use crate::project::service::{Service, is_free, reachable, readyz};
use crate::project::setup;

/// How long an app may take until it says that it is ready.
const READY: Duration = Duration::from_secs(30);

/// An app as it is to run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) name: String,
    bin: PathBuf,
    /// Where it listens, then where it shows its metrics.
    addresses: Vec<Address>,
}

#[derive(Clone, Debug)]
struct Address {
    setting: String,
    addr: SocketAddr,
}

impl Plan {
    /// Its addresses are the settings of that kind that no other app reads; metrics say so by name.
    pub(super) fn new(
        name: &str,
        bin: PathBuf,
        settings: &[(Setting, Vec<String>)],
        file: &BTreeMap<String, String>,
    ) -> Result<Self> {
        let own = settings
            .iter()
            .filter(|(setting, apps)| setting.kind == "socket-address" && apps == &[name]);
        let mut addresses = Vec::new();
        for (setting, _) in own {
            let value = setup::value_of(setting, file).unwrap_or_default();
            let setting = setting.name.clone();
            match value.parse::<SocketAddr>() {
                Ok(addr) if addr.port() != 0 => addresses.push(Address { setting, addr }),
                _ => {
                    let what = "not an address with a port, which `dev` needs to ask the app";
                    return Err(
                        Problem::precondition(format!("`{setting}` is `{value}`, {what}"))
                            .help(format!("set `{setting}` to one such as 127.0.0.1:4000"))
                            .into(),
                    );
                }
            }
        }
        addresses.sort_by_key(|address| address.setting.contains("METRICS"));
        if addresses.is_empty() {
            let what = format!("the app `{name}` has no setting of the kind `socket-address`");
            return Err(Problem::new(Code::Red, what)
                .help("without it nobody knows where the app listens: see CONTRIBUTING.md")
                .into());
        }
        let name = name.to_owned();
        Ok(Self {
            name,
            bin,
            addresses,
        })
    }

    /// Waits a moment for a predecessor that is about to be gone.
    fn claim(&self) -> Result<()> {
        let since = Instant::now();
        for Address { setting, addr } in &self.addresses {
            while !is_free(*addr) {
                if since.elapsed() > Duration::from_secs(1) || process::interrupted() {
                    return Err(Problem::precondition(format!(
                        "`{setting}` is `{addr}`, which another process has taken"
                    ))
                    .help(format!(
                        "end that process, or set `{setting}` in `{}`",
                        setup::ENV_FILE
                    ))
                    .into());
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct Running {
    plan: Plan,
    built: Option<Stamp>,
    started: Instant,
    /// `None` once it has ended by itself.
    service: Option<Service>,
}

/// Every app of a `dev`, by name.
#[derive(Debug)]
pub(super) struct Fleet {
    output: Arc<Output>,
    apps: BTreeMap<String, Running>,
}

impl Fleet {
    pub(super) fn new(output: Arc<Output>) -> Self {
        Self {
            output,
            apps: BTreeMap::new(),
        }
    }

    /// Brings what runs in line with the plans: what was built anew (or `all`) and what has ended is
    /// started again, what is planned no more is ended. Answers the names of what was started.
    pub(super) fn bring(&mut self, cx: &Cx, plans: Vec<Plan>, all: bool) -> Result<Vec<String>> {
        let is_current = |running: &Running| {
            running.service.is_some() && running.built == stamp_of(&running.plan.bin)
        };
        let keep = |name: &String, running: &mut Running| {
            !all && is_current(running) && plans.iter().any(|plan| plan.name == *name)
        };
        let mut apps = std::mem::take(&mut self.apps);
        let old = apps.extract_if(.., |name, running| !keep(name, running));
        Service::end(old.filter_map(|(_, running)| running.service).collect());
        self.apps = apps;
        let new: Vec<Plan> = plans
            .into_iter()
            .filter(|plan| !self.apps.contains_key(&plan.name))
            .collect();
        // First all, so that nothing is started where one cannot be.
        for plan in &new {
            plan.claim()?;
        }
        let mut started = Vec::new();
        for plan in new {
            let sh = cx.shell()?;
            let bin = &plan.bin;
            let (command, _) = cx.prepare(cmd!(sh, "{bin}"));
            let (output, name) = (Arc::clone(&self.output), plan.name.clone());
            let built = stamp_of(&plan.bin);
            let running = Running {
                service: Some(Service::start(command, move |line| {
                    output.line(&name, line);
                })?),
                built,
                started: Instant::now(),
                plan,
            };
            started.push(running.plan.name.clone());
            self.apps.insert(running.plan.name.clone(), running);
        }
        Ok(started)
    }

    /// Waits until each of these is ready, has ended, or takes too long; tells which.
    pub(super) fn await_ready(&mut self, names: &[String]) -> Result<()> {
        let mut waiting: Vec<&String> = names.iter().collect();
        while !waiting.is_empty() && !process::interrupted() {
            self.bury()?;
            let (apps, output) = (&self.apps, &self.output);
            waiting.retain(|name| {
                let Some(running) = apps.get(*name).filter(|app| app.service.is_some()) else {
                    return false;
                };
                let took = running.started.elapsed();
                match readyz(running.plan.addresses[0].addr) {
                    Ok(200) => output.say(format!("{name} is ready after {} ms", took.as_millis())),
                    answer if took > READY => output.say(format!(
                        "{name} is not ready after {} s: {}",
                        took.as_secs(),
                        match answer {
                            Ok(status) => format!("`/readyz` answers {status}"),
                            Err(error) => error.to_string(),
                        }
                    )),
                    _ => return true,
                }
                false
            });
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Tells which apps have ended by themselves. They stay so until the next change: one that
    /// cannot start would only be started again and again.
    pub(super) fn bury(&mut self) -> Result<()> {
        for (name, running) in &mut self.apps {
            let Some(status) = running.service.as_mut().map(Service::ended).transpose()? else {
                continue;
            };
            if let Some(status) = status {
                Service::end(running.service.take().into_iter().collect());
                self.output
                    .say(format!("{name} ended by itself: {}", how(status)));
            }
        }
        Ok(())
    }

    pub(super) fn has_ended(&self) -> bool {
        self.apps.values().all(|app| app.service.is_none())
    }

    /// A line per app: where it is, where its metrics are.
    pub(super) fn table(&self) -> Vec<String> {
        let width = self.apps.keys().map(String::len).max().unwrap_or(0);
        let place = |Address { setting, addr }: &Address| {
            let addr = reachable(*addr);
            if setting.contains("METRICS") {
                format!("  metrics http://{addr}/metrics")
            } else {
                format!("  http://{addr}")
            }
        };
        let row = |Running { plan, .. }: &Running| {
            let places: String = plan.addresses.iter().map(place).collect();
            format!("{:<width$}{places}", plan.name)
        };
        self.apps.values().map(row).collect()
    }

    pub(super) fn end(&mut self) {
        let apps = std::mem::take(&mut self.apps).into_values();
        Service::end(apps.filter_map(|app| app.service).collect());
    }
}

fn how(status: ExitStatus) -> String {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}
