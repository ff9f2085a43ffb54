//! The requests to stop: SIGTERM and ctrl-C mean the same.

use std::future::pending;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

tokio::task_local! {
    static INSTALLED: Stops;
}

/// How often the process was asked to stop. A count, not an event: whoever looks late misses none.
/// Clones share it.
#[derive(Clone)]
pub(crate) struct Stops {
    count: watch::Receiver<u32>,
    serving: Arc<AtomicBool>,
}

impl Stops {
    /// Catches the signals from now on; before, they end the process at once, or, where it is the
    /// first of its container, do nothing at all.
    pub(crate) fn install() -> io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let (counter, count) = watch::channel(0);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
                counter.send_modify(|count| *count += 1);
            }
        });
        Ok(Self {
            count,
            serving: Arc::default(),
        })
    }

    /// Those that the future below was given, else new ones.
    pub(crate) fn current() -> io::Result<Self> {
        INSTALLED.try_with(Self::clone).or_else(|_| Self::install())
    }

    /// Runs a service that finds these as its current ones; `None` when it is asked to stop before
    /// it serves.
    pub(crate) async fn watch_over<T>(self, service: impl Future<Output = T>) -> Option<T> {
        let mut early = self.clone();
        tokio::select! {
            outcome = INSTALLED.scope(self, service) => Some(outcome),
            () = early.before_serving() => None,
        }
    }

    /// From now on it takes a drain to stop.
    pub(crate) fn serve(&self) {
        self.serving.store(true, Ordering::SeqCst);
    }

    /// Waits until the process was asked to stop so often.
    pub(crate) async fn asked(&mut self, times: u32) {
        // It can only fail as the runtime ends, and then nobody waits any more.
        let _ = self.count.wait_for(|&count| count >= times).await;
    }

    async fn before_serving(&mut self) {
        self.asked(1).await;
        if self.serving.load(Ordering::SeqCst) {
            pending::<()>().await;
        }
    }
}
