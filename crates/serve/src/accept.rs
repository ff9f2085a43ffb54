//! Lets connections in, no more at once than can be served. Only before the listener goes are all
//! let in that wait: nobody else would ever do it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use rustix::process::{Resource, getrlimit};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connection::Connections;

/// Whoever comes when so many are served waits in the system's queue.
const MAX_CONNECTIONS: usize = 10_000;
/// Descriptors that connections leave to the rest of the process.
const OTHER_FILES: usize = 64;
/// Long enough for some connection to end when there are no descriptors left.
const RETRY: Duration = Duration::from_millis(100);

/// The connections that are open.
pub(crate) struct Open {
    connections: Connections,
    tasks: JoinSet<()>,
    max: usize,
}

impl Open {
    pub(crate) fn new(connections: Connections) -> Self {
        let files = getrlimit(Resource::Nofile).current;
        let files = files.map_or(MAX_CONNECTIONS, |files| {
            files.try_into().unwrap_or(usize::MAX)
        });
        Self {
            connections,
            tasks: JoinSet::new(),
            max: files.saturating_sub(OTHER_FILES).clamp(1, MAX_CONNECTIONS),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Accepts until something happens.
    pub(crate) async fn accept_until(
        &mut self,
        listener: &TcpListener,
        end: impl Future<Output = ()>,
    ) {
        tokio::pin!(end);
        loop {
            tokio::select! {
                () = &mut end => return,
                accepted = listener.accept(), if self.tasks.len() < self.max => match accepted {
                    Ok((stream, peer)) => self.serve(stream, peer),
                    Err(error) => {
                        tracing::warn!(%error, "failed to accept a connection");
                        sleep(RETRY).await;
                    }
                },
                Some(_) = self.tasks.join_next() => {}
            }
        }
    }

    /// Accepts until nobody waits, then drops the listener. At most for so long: others may hold
    /// the listener too, and their callers keep coming.
    pub(crate) async fn accept_waiting(&mut self, listener: TcpListener, at_most: Duration) {
        // The system is asked, not the runtime: that may not have heard of the newest.
        let Ok(listener) = listener.into_std() else {
            return;
        };
        let since = Instant::now();
        while since.elapsed() < at_most {
            let accepted = listener.accept().and_then(|(stream, peer)| {
                stream.set_nonblocking(true)?;
                Ok((TcpStream::from_std(stream)?, peer))
            });
            match accepted {
                Ok((stream, peer)) => self.serve(stream, peer),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) => {
                    tracing::warn!(%error, "failed to accept a connection");
                    sleep(RETRY).await;
                }
            }
        }
    }

    /// Waits until all have ended, then cuts the others; gives their number.
    pub(crate) async fn end_within(&mut self, deadline: Duration) -> usize {
        let ended = timeout(deadline, async {
            while self.tasks.join_next().await.is_some() {}
        });
        if ended.await.is_ok() {
            return 0;
        }
        let forced = self.tasks.len();
        self.tasks.shutdown().await;
        forced
    }

    fn serve(&mut self, stream: TcpStream, peer: SocketAddr) {
        let served = self.connections.clone().serve(stream, peer);
        self.tasks.spawn(served);
    }
}

#[cfg(test)]
mod tests {
    use guard::{Deny, GuardedRouter, Guards};
    use settings::{Settings as _, SiteSettings};
    use tokio::sync::watch;

    use super::*;
    use crate::Health;

    #[tokio::test]
    async fn whoever_waits_is_let_in_before_the_listener_goes() {
        let local = |name: &str| (name == "APP_ENV").then(|| "local".to_owned());
        let common = SiteSettings::from_source(&local).unwrap().common;
        let app = GuardedRouter::new().finish(Guards::new(Deny::Page, common.app_env));
        let (_close, closing) = watch::channel(false);
        let health = Health::new("", Vec::new());
        let connections = Connections::new(app, health, &common, closing);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        // Without an `await`, so that the runtime hears of none of them.
        let waiting: Vec<_> = (0..50)
            .map(|_| std::net::TcpStream::connect(addr).unwrap())
            .collect();
        let mut open = Open::new(connections);
        open.accept_waiting(listener, Duration::from_secs(1)).await;
        assert_eq!(open.len(), waiting.len());
        assert!(std::net::TcpStream::connect(addr).is_err());
    }
}
