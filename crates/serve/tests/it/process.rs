//! A server in a process of its own: this test binary, started again as the one test below.

use std::fs::{File, OpenOptions};
use std::future::pending;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use guard::{App, Deny, GuardedRouter, Guards, RateClass, public};
use serde_json::Value;
use serve::{Health, Outcome, StartupError};
use settings::{Common, Settings, SiteSettings, Surface};

/// The name of the server, which its effects carry.
const NAME: &str = "SERVE_TEST_NAME";
/// The file that effects go to.
const EFFECTS: &str = "SERVE_TEST_EFFECTS";
/// Set where the server takes its time before it listens.
const LATE: &str = "SERVE_TEST_LATE";

/// More than the buffers of both ends hold.
const BIG: usize = 64 << 20;

#[expect(
    clippy::disallowed_methods,
    reason = "what a test tells the server it starts is no setting"
)]
fn told(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Nothing as a test; with a name, the server that the other tests start.
#[test]
fn server() {
    if told(NAME).is_some() {
        let code = serve::start(service).map_or(3, Outcome::code);
        std::process::exit(code.into());
    }
}

async fn service() -> Result<Outcome, StartupError> {
    let common = SiteSettings::from_env()?.common;
    telemetry::init(&common, Surface::Site)?;
    if told(LATE).is_some() {
        tracing::info!("starting");
        pending::<()>().await;
    }
    let health = Health::new(&common.release_sha, Vec::new());
    Ok(serve::run(app(&common, &health), &common, health).await?)
}

fn app(common: &Common, health: &Health) -> App {
    let effects = told(EFFECTS).map(|path| Arc::new(Effects::open(&path)));
    let frequent = || public("a test").rate(RateClass::Probe);
    GuardedRouter::new()
        .merge(health.routes())
        .get("/fast", frequent(), async || "fast")
        .get("/slow", frequent(), async || {
            tracing::info!("under way");
            tokio::time::sleep(Duration::from_millis(600)).await;
            "slow"
        })
        .get("/hang", frequent(), async || {
            tracing::info!("under way");
            pending::<&str>().await
        })
        .get("/big", frequent(), async || vec![b'x'; BIG])
        .get(
            "/rare",
            public("a test").rate(RateClass::Strict),
            async || "rare",
        )
        .post(
            "/upload",
            frequent().timeout(Duration::from_millis(300)),
            async |body: Bytes| body.len().to_string(),
        )
        .post("/effects", frequent(), async move || {
            effects.as_deref().unwrap().note();
            "done"
        })
        .finish(Guards::new(Deny::Problem, common.app_env))
}

/// A line for each effect, with the name of who had it.
struct Effects {
    file: File,
    line: String,
}

impl Effects {
    fn open(path: &str) -> Self {
        Self {
            file: OpenOptions::new().append(true).open(path).unwrap(),
            line: format!("{}\n", told(NAME).unwrap()),
        }
    }

    fn note(&self) {
        (&self.file).write_all(self.line.as_bytes()).unwrap();
    }
}

pub(crate) struct Server {
    child: Child,
    lines: Receiver<Value>,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::spawn(shell("exec"), settings)
    }

    /// With no more descriptors than these.
    pub(crate) fn start_with_files(files: u32) -> Self {
        Self::spawn(shell(&format!("ulimit -n {files}; exec")), &[])
    }

    /// As systemd does it: the listener is descriptor 3, which the shell arranges.
    pub(crate) fn adopt(listener: TcpListener, settings: &[(&str, &str)]) -> Self {
        let mut command = shell("exec 3<&0; LISTEN_FDS=1 LISTEN_PID=$$ exec");
        command.stdin(OwnedFd::from(listener));
        Self::spawn(command, settings)
    }

    /// One that does not get to listen.
    pub(crate) fn late() -> Self {
        Self::spawn_until("starting", shell("exec"), &[(LATE, "1")])
    }

    fn spawn(command: Command, settings: &[(&str, &str)]) -> Self {
        Self::spawn_until("listening", command, settings)
    }

    fn spawn_until(message: &str, mut command: Command, settings: &[(&str, &str)]) -> Self {
        let mut child = command
            .envs([
                (NAME, "server"),
                ("APP_ENV", "preview"),
                ("API_URL", "http://127.0.0.1:1"),
                ("SITE_ADDR", "127.0.0.1:0"),
                ("SITE_METRICS_ADDR", "127.0.0.1:0"),
                ("LOG", "info,serve=debug"),
            ])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        // Read on even when nobody waits, so that the server never blocks on a full pipe.
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if let Ok(line) = serde_json::from_str::<Value>(&line) {
                    let _ = sender.send(line);
                }
            }
        });
        let mut server = Self {
            child,
            lines,
            addr: ([0; 4], 0).into(),
        };
        let line = server.wait_for(message);
        if let Some(addr) = line["addr"].as_str() {
            server.addr = addr.parse().unwrap();
        }
        server
    }

    /// Waits until the server has logged this message once more.
    pub(crate) fn wait_for(&self, message: &str) -> Value {
        loop {
            let line = self.lines.recv_timeout(Duration::from_secs(20)).unwrap();
            if line["message"] == message {
                return line;
            }
        }
    }

    /// Whether it has by now.
    pub(crate) fn has_logged(&self, message: &str) -> bool {
        self.lines.try_iter().any(|line| line["message"] == message)
    }

    pub(crate) fn send(&self, bytes: &str) -> TcpStream {
        send(self.addr, bytes)
    }

    pub(crate) fn get(&self, path: &str) -> TcpStream {
        self.send(&request(path))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-s", name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// The exit code, and how long it took from now.
    pub(crate) fn wait(&mut self) -> (i32, Duration) {
        let since = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap(), since.elapsed());
            }
            assert!(
                since.elapsed() < Duration::from_secs(30),
                "the server does not end"
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The server's command line behind what the shell does first.
fn shell(first: &str) -> Command {
    let mut command = Command::new("sh");
    let script = format!("{first} \"$0\" --exact process::server --nocapture");
    command
        .args(["-c", &script])
        .arg(std::env::current_exe().unwrap());
    command
}

pub(crate) fn named(name: &str) -> (&str, &str) {
    (NAME, name)
}

pub(crate) fn effects(path: &str) -> (&str, &str) {
    (EFFECTS, path)
}

pub(crate) fn send(addr: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = TcpStream::connect(addr).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    stream
}

pub(crate) fn request(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
}

/// Everything up to the end of the connection.
pub(crate) fn read_all(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// What arrives at first, which for the small answers here is all of it.
pub(crate) fn read_some(stream: &mut TcpStream) -> String {
    let mut bytes = [0; 4096];
    let n = stream.read(&mut bytes).unwrap();
    String::from_utf8(bytes[..n].to_vec()).unwrap()
}
