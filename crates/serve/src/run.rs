//! Serves until told to stop, then drains in phases, each of which closes a gap that loses
//! requests:
//!
//! 1. `/readyz` says 503 and every answer says `connection: close`, still accepting (lame duck):
//!    load balancers and clients with open connections move on.
//! 2. Whoever waits in the accept queue is let in, for the end of the listener would reset them.
//!    Then no longer accepting, short linger: a connection accepted just before gets to send its
//!    request.
//! 3. Idle connections are closed, running requests finish, up to the deadline.

use std::time::Duration;

use guard::App;
use settings::Common;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::accept::Open;
use crate::connection::Connections;
use crate::signals::Stops;
use crate::{Error, Health, admin, listener};

const LINGER: Duration = Duration::from_millis(300);

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

/// Serves the app until SIGTERM or ctrl-C, then drains; a second signal ends it at once. Shows the
/// metrics on their own address meanwhile.
pub async fn run(app: App, common: &Common, health: Health) -> Result<Outcome, Error> {
    let mut stops = Stops::current().map_err(Error::Signals)?;
    stops.serve();
    let listener = listener::obtain(common.addr).await?;
    let addr = listener.local_addr().unwrap_or(common.addr);
    tracing::info!(%addr, env = %common.app_env, sha = common.release_sha, "listening");
    // Ends with this function, and not before: a drain is worth watching.
    let mut background = JoinSet::new();
    background.spawn(admin::run(common.metrics_addr));

    let (close, closing) = watch::channel(false);
    let mut open = Open::new(Connections::new(app, health.clone(), common, closing));
    open.accept_until(&listener, stops.asked(1)).await;

    health.start_draining();
    tracing::info!(open = open.len(), "draining");
    let drain = async {
        open.accept_until(&listener, sleep(common.drain.lame_duck))
            .await;
        open.accept_waiting(listener, LINGER).await;
        sleep(LINGER).await;
        close.send_replace(true);
        match open.end_within(common.drain.deadline).await {
            0 => Outcome::Drained,
            forced => Outcome::Forced(forced),
        }
    };
    let outcome = tokio::select! {
        outcome = drain => outcome,
        () = stops.asked(2) => Outcome::Interrupted,
    };
    match outcome {
        Outcome::Drained => tracing::info!("drained"),
        Outcome::Forced(forced) => tracing::error!(forced, "connections cut at the deadline"),
        Outcome::Interrupted => tracing::warn!("stopped by a second signal"),
    }
    Ok(outcome)
}
