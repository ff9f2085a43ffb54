//! A server in a process of its own: this test binary, started again as the one test below.

use std::future::pending;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use guard::{Deny, GuardedRouter, NoIdentities, public};
use serve::Health;
use settings::{Settings, SiteSettings};

const ENABLED: &str = "SERVE_TEST_SERVER";

/// Nothing as a test; with the variable set, the server that the other tests start.
#[tokio::test(flavor = "multi_thread")]
#[expect(
    clippy::disallowed_methods,
    reason = "tells a test from the server it starts"
)]
async fn server() {
    if std::env::var_os(ENABLED).is_none() {
        return;
    }
    let common = SiteSettings::from_env().unwrap().common;
    telemetry::init(common.app_env, &common.log).unwrap();
    let health = Health::new(&common.release_sha, Vec::new());
    let app = GuardedRouter::new()
        .merge(health.routes())
        .get("/fast", public("a test"), async || "fast")
        .get("/slow", public("a test"), async || {
            tracing::info!("under way");
            tokio::time::sleep(Duration::from_millis(600)).await;
            "slow"
        })
        .get("/hang", public("a test"), async || {
            tracing::info!("under way");
            pending::<&str>().await
        })
        .finish(NoIdentities, Deny::Problem, common.app_env);
    let outcome = serve::run(app, &common, health).await.unwrap();
    std::process::exit(outcome.code().into());
}

pub(crate) struct Server {
    child: Child,
    messages: Receiver<String>,
    pub(crate) addr: SocketAddr,
}

impl Server {
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "process::server", "--nocapture"]);
        Self::spawn(command, settings)
    }

    /// As systemd does it: the listener is descriptor 3, which the shell arranges.
    pub(crate) fn adopt(listener: TcpListener) -> Self {
        let mut command = Command::new("sh");
        let script =
            "LISTEN_FDS=1 LISTEN_PID=$$ exec \"$0\" --exact process::server --nocapture 3<&0";
        command
            .args(["-c", script])
            .arg(std::env::current_exe().unwrap());
        command.stdin(OwnedFd::from(listener));
        Self::spawn(command, &[])
    }

    fn spawn(mut command: Command, settings: &[(&str, &str)]) -> Self {
        let mut child = command
            .env(ENABLED, "1")
            .envs([("APP_ENV", "preview"), ("SITE_ADDR", "127.0.0.1:0")])
            .envs(settings.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let addr = lines.find_map(|line| {
            let line: serde_json::Value = serde_json::from_str(&line.unwrap()).ok()?;
            (line["message"] == "listening")
                .then(|| line["addr"].as_str().unwrap().parse().unwrap())
        });
        // Read on even when nobody waits, so that the server never blocks on a full pipe.
        let (sender, messages) = mpsc::channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let line: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
                let message = line["message"].as_str().unwrap_or_default();
                let _ = sender.send(message.to_owned());
            }
        });
        Self {
            child,
            messages,
            addr: addr.unwrap(),
        }
    }

    /// Waits until the server has logged this message once more.
    pub(crate) fn wait_for(&self, message: &str) {
        while self.messages.recv_timeout(Duration::from_secs(20)).unwrap() != message {}
    }

    pub(crate) fn send(&self, bytes: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.addr).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        stream
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
