//! Serves until told to stop, then drains in phases, each of which closes a gap that loses
//! requests:
//!
//! 1. `/readyz` says 503 and every answer says `connection: close`, still accepting (lame duck):
//!    load balancers and clients with open connections move on.
//! 2. Whoever waits in the accept queue is let in, for the end of the listener would reset them.
//!    Then no longer accepting, short linger: a connection accepted just before gets to send its
//!    request.
//! 3. Idle connections are closed, running requests finish, up to the deadline.

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use guard::App;
use settings::Common;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use crate::connection::Connections;
use crate::signals::Signals;
use crate::{Error, Health, listener};

const LINGER: Duration = Duration::from_millis(300);
/// Long enough for some connection to end when there are no descriptors left.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Every request got its answer.
    Drained,
    /// So many connections were cut at the deadline.
    Forced(usize),
    /// A second signal asked to stop at once.
    Interrupted,
}

impl Outcome {
    /// The exit code of the process.
    pub const fn code(self) -> u8 {
        match self {
            Self::Drained => 0,
            Self::Forced(_) => 75,
            Self::Interrupted => 130,
        }
    }
}

/// Serves the app until SIGTERM or ctrl-C, then drains; a second signal ends it at once.
pub async fn run(app: App, common: &Common, health: Health) -> Result<Outcome, Error> {
    let mut signals = Signals::install().map_err(Error::Signals)?;
    let listener = listener::obtain(common.addr).await?;
    let addr = listener.local_addr().unwrap_or(common.addr);
    tracing::info!(%addr, env = %common.app_env, sha = common.release_sha, "listening");

    let (close, closing) = watch::channel(false);
    let connections = Connections::new(app, health.clone(), common, closing);
    let mut open = JoinSet::new();
    accept_until(&listener, &connections, &mut open, signals.next()).await;

    health.start_draining();
    tracing::info!(open = open.len(), "draining");
    let drain = async {
        accept_until(
            &listener,
            &connections,
            &mut open,
            sleep(common.drain.lame_duck),
        )
        .await;
        accept_waiting(listener, &connections, &mut open).await;
        sleep(LINGER).await;
        close.send_replace(true);
        let ended = timeout(common.drain.deadline, async {
            while open.join_next().await.is_some() {}
        });
        if ended.await.is_ok() {
            return Outcome::Drained;
        }
        let forced = open.len();
        open.shutdown().await;
        Outcome::Forced(forced)
    };
    let outcome = tokio::select! {
        outcome = drain => outcome,
        () = signals.next() => Outcome::Interrupted,
    };
    match outcome {
        Outcome::Drained => tracing::info!("drained"),
        Outcome::Forced(forced) => tracing::error!(forced, "connections cut at the deadline"),
        Outcome::Interrupted => tracing::warn!("stopped by a second signal"),
    }
    Ok(outcome)
}

async fn accept_until(
    listener: &TcpListener,
    connections: &Connections,
    open: &mut JoinSet<()>,
    end: impl Future<Output = ()>,
) {
    tokio::pin!(end);
    loop {
        tokio::select! {
            () = &mut end => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    open.spawn(connections.clone().serve(stream, peer));
                }
                Err(error) => {
                    tracing::warn!(error = %error, "failed to accept a connection");
                    sleep(ACCEPT_RETRY).await;
                }
            },
            Some(_) = open.join_next() => {}
        }
    }
}

/// Accepts until nobody waits, then drops the listener. At most for as long as the linger: others
/// may hold the listener too, and their callers keep coming.
async fn accept_waiting(listener: TcpListener, connections: &Connections, open: &mut JoinSet<()>) {
    // The system is asked, not the runtime: that may not have heard of the newest.
    let Ok(listener) = listener.into_std() else {
        return;
    };
    let since = Instant::now();
    while since.elapsed() < LINGER {
        let accepted = listener.accept().and_then(|(stream, peer)| {
            stream.set_nonblocking(true)?;
            Ok((TcpStream::from_std(stream)?, peer))
        });
        match accepted {
            Ok((stream, peer)) => {
                open.spawn(connections.clone().serve(stream, peer));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return,
            Err(error) => {
                tracing::warn!(error = %error, "failed to accept a connection");
                sleep(ACCEPT_RETRY).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use guard::{Deny, GuardedRouter, NoIdentities};
    use settings::{Settings as _, SiteSettings};

    use super::*;

    #[tokio::test]
    async fn whoever_waits_is_let_in_before_the_listener_goes() {
        let common = SiteSettings::from_source(&|_| None).unwrap().common;
        let app = GuardedRouter::new().finish(NoIdentities, Deny::Page, common.app_env);
        let (_close, closing) = watch::channel(false);
        let health = Health::new("", Vec::new());
        let connections = Connections::new(app, health, &common, closing);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        // Without an `await`, so that the runtime hears of none of them.
        let waiting: Vec<_> = (0..50)
            .map(|_| std::net::TcpStream::connect(addr).unwrap())
            .collect();
        let mut open = JoinSet::new();
        accept_waiting(listener, &connections, &mut open).await;
        assert_eq!(open.len(), waiting.len());
        assert!(std::net::TcpStream::connect(addr).is_err());
    }
}
