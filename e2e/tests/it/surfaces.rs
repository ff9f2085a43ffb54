//! The four surfaces as processes on one scratch database.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use testkit::Database;

/// One running surface.
pub(crate) struct Surface {
    child: Child,
    readers: Vec<JoinHandle<()>>,
    written: Arc<Mutex<String>>,
    /// Where it is served: `http://127.0.0.1:4711`.
    pub(crate) url: String,
    /// Where it shows its metrics.
    pub(crate) metrics_url: String,
}

/// How long a surface may take to listen.
const PATIENCE: Duration = Duration::from_secs(20);

impl Surface {
    /// Starts it with these settings and an otherwise empty environment, on ports of its own.
    fn start(name: &str, settings: &BTreeMap<String, String>) -> Self {
        let prefix = name.to_uppercase();
        let mut child = Command::new(env!("CARGO_BIN_EXE_e2e"))
            .arg0(name)
            .env_clear()
            .envs(runner_tags())
            .env(format!("{prefix}_ADDR"), "127.0.0.1:0")
            .env(format!("{prefix}_METRICS_ADDR"), "127.0.0.1:0")
            .envs(settings)
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let written = Arc::new(Mutex::new(String::new()));
        let (found, listening) = mpsc::channel();
        let pipes: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        let readers = pipes.map(|pipe| {
            let (written, found) = (Arc::clone(&written), found.clone());
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).split(b'\n').map_while(Result::ok) {
                    let line = String::from_utf8_lossy(&line).into_owned();
                    if let Some(addr) = addr_of(&line) {
                        let _ = found.send((line.contains("metrics"), addr));
                    }
                    let mut written = written.lock().unwrap();
                    written.push_str(&line);
                    written.push('\n');
                }
            })
        });
        drop(found);
        let (url, metrics_url) = addresses(&listening)
            .unwrap_or_else(|| panic!("`{name}` does not start: {}", written.lock().unwrap()));
        Self {
            child,
            readers: readers.into(),
            written,
            url,
            metrics_url,
        }
    }

    /// Asks it to stop, and gives its exit code with all that it ever wrote.
    pub(crate) fn stop(mut self) -> (Option<i32>, String) {
        let pid = i32::try_from(self.child.id()).unwrap();
        let pid = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        let status = self.child.wait().unwrap();
        for reader in self.readers.drain(..) {
            reader.join().unwrap();
        }
        (
            status.code(),
            std::mem::take(&mut self.written.lock().unwrap()),
        )
    }
}

impl Drop for Surface {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How the runner of the tests finds again what they started.
#[expect(clippy::disallowed_methods, reason = "no setting of an app")]
fn runner_tags() -> impl Iterator<Item = (String, String)> {
    std::env::vars().filter(|(name, _)| name.starts_with("XTASK_"))
}

/// The address in a log line that tells one, as JSON or as text for people.
fn addr_of(line: &str) -> Option<String> {
    let rest = line
        .split_once("addr\":\"")
        .or_else(|| line.split_once("addr="))?
        .1;
    let addr: String = rest
        .chars()
        .take_while(|c| c.is_ascii_digit() || ".:".contains(*c))
        .collect();
    Some(format!("http://{addr}"))
}

fn addresses(listening: &Receiver<(bool, String)>) -> Option<(String, String)> {
    let (mut own, mut metrics) = (None, None);
    while own.is_none() || metrics.is_none() {
        let (is_metrics, addr) = listening.recv_timeout(PATIENCE).ok()?;
        *(if is_metrics { &mut metrics } else { &mut own }) = Some(addr);
    }
    own.zip(metrics)
}

/// All of them, on a database with the seeds in it.
pub(crate) struct Surfaces {
    pub(crate) api: Surface,
    pub(crate) client: Surface,
    pub(crate) admin: Surface,
    pub(crate) site: Surface,
    pub(crate) database: Database,
    /// Signs what the payment provider sends.
    pub(crate) payments_key: String,
}

impl Surfaces {
    /// Starts them with keys made of `key`, whatever else is set.
    pub(crate) async fn start(key: &str, settings: &[(&str, &str)]) -> Self {
        let database = testkit::sqlite().await;
        database
            .execute(include_str!("../../../migrations/seed.sql"))
            .await;
        let mut settings: BTreeMap<String, String> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        settings.insert("DATABASE_URL".into(), database.url().into());
        for name in [
            "API_TOKEN",
            "API_PAYMENTS",
            "CLIENT_SESSION",
            "ADMIN_SESSION",
        ] {
            let value = format!("{key}-{name}-0123456789abcdef0123456789abcdef");
            settings.insert(format!("{name}_KEY"), value);
        }
        let api = Surface::start("api", &settings);
        settings.insert("API_URL".into(), api.url.clone());
        let [client, admin, site] =
            ["client", "admin", "site"].map(|name| Surface::start(name, &settings));
        Self {
            api,
            client,
            admin,
            site,
            database,
            payments_key: settings["API_PAYMENTS_KEY"].clone(),
        }
    }
}
