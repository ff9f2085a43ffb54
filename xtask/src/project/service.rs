//! An app as a child that goes on until it is told to end: started, asked whether it is ready, ended.

use std::io::{Read, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::process::Signal;

use crate::process::{self, GRACE};

/// How long one answer to a probe may take.
const PROBE: Duration = Duration::from_secs(1);

/// Leads a process group of its own, which ends with it, or when this is dropped.
#[derive(Debug)]
pub(crate) struct Service {
    child: Child,
    group: i32,
    readers: Vec<JoinHandle<()>>,
}

impl Service {
    /// Starts `command`; each line that it says, on either pipe, goes to `on_line` in a thread.
    pub(crate) fn start(
        mut command: Command,
        on_line: impl Fn(&[u8]) + Send + Sync + 'static,
    ) -> Result<Self> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = command
            .spawn()
            .with_context(|| format!("failed to start `{}`", command.get_program().display()))?;
        let group = i32::try_from(child.id()).context("process id out of range")?;
        process::groups().insert(group);
        let on_line = Arc::new(on_line);
        let mut readers = Vec::new();
        if let Some(pipe) = child.stdout.take() {
            readers.push(read(pipe, Arc::clone(&on_line)));
        }
        if let Some(pipe) = child.stderr.take() {
            readers.push(read(pipe, on_line));
        }
        Ok(Self {
            child,
            group,
            readers,
        })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<ExitStatus>> {
        self.child.try_wait().context("failed to wait for a child")
    }

    /// Ends them side by side: SIGTERM, and for what is still there after a while SIGKILL.
    pub(crate) fn end(mut services: Vec<Self>) {
        for service in &services {
            process::kill_group(service.group, Signal::TERM);
        }
        let since = Instant::now();
        while since.elapsed() < GRACE {
            if services
                .iter_mut()
                .all(|service| !matches!(service.ended(), Ok(None)))
            {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let readers: Vec<_> = services
            .iter_mut()
            .flat_map(|service| std::mem::take(&mut service.readers))
            .collect();
        drop(services);
        // Their last words. Who left the group may hold a pipe open: he is not waited for long.
        let since = Instant::now();
        while since.elapsed() < GRACE && readers.iter().any(|reader| !reader.is_finished()) {
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn read(
    pipe: impl Read + Send + 'static,
    on_line: Arc<impl Fn(&[u8]) + Send + Sync + 'static>,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        process::each_line(pipe, |line| {
            on_line(&line);
            true
        });
    })
}

impl Drop for Service {
    fn drop(&mut self) {
        if matches!(self.ended(), Ok(None)) {
            process::force();
        }
        // Also when it has ended: what it started itself may go on.
        process::kill_group(self.group, Signal::KILL);
        let _ = self.child.wait();
        process::groups().remove(&self.group);
    }
}

/// Where a service that listens on `addr` is reached from here.
pub(crate) fn reachable(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

/// Whether nobody listens on the address.
pub(crate) fn is_free(addr: SocketAddr) -> bool {
    TcpListener::bind(addr).is_ok()
}

/// The status of `GET /readyz`, or why there is none.
pub(crate) fn readyz(addr: SocketAddr) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect_timeout(&reachable(addr), PROBE)?;
    stream.set_read_timeout(Some(PROBE))?;
    stream.set_write_timeout(Some(PROBE))?;
    let request = format!("GET /readyz HTTP/1.1\r\nhost: {addr}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    // "HTTP/1.1 200"
    let mut status_line = [0; 12];
    stream.read_exact(&mut status_line)?;
    let status = std::str::from_utf8(&status_line[9..]).unwrap_or_default();
    status
        .parse()
        .map_err(|_| std::io::Error::other("this is not HTTP"))
}
