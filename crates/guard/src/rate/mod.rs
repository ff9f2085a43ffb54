//! How often one caller may come: token buckets, in this process or shared between instances.

mod local;
mod shared;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use local::Limiter;
pub use shared::SharedRates;

use crate::{ClientAddr, Problem};

/// Which allowance a route draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Health checks: load balancers ask often.
    Probe,
    /// Everything else: 240 at once, then 120 a second.
    Standard,
    /// Where guessing must be slow: 10 at once, then 12 a minute.
    Strict,
}

impl RateClass {
    /// How many at once, and how many for each second after that.
    const fn allowance(self) -> (f64, f64) {
        match self {
            Self::Probe => (1000.0, 500.0),
            Self::Standard => (240.0, 120.0),
            Self::Strict => (10.0, 0.2),
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Probe => "probe",
            Self::Standard => "standard",
            Self::Strict => "strict",
        }
    }
}

/// Who is counted: the identity where there is one, else the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    Subject(String),
    Address(Option<IpAddr>),
    /// Of a [`Throttle`].
    Named(String),
}

impl Caller {
    /// One household of IPv6 has 2⁶⁴ addresses, so its network is counted as one caller.
    pub(crate) fn at(addr: Option<ClientAddr>) -> Self {
        const NETWORK: u128 = !0 << 64;
        Self::Address(addr.map(|ClientAddr(ip)| match ip.to_canonical() {
            IpAddr::V6(v6) => IpAddr::from((v6.to_bits() & NETWORK).to_be_bytes()),
            v4 @ IpAddr::V4(_) => v4,
        }))
    }
}

/// An allowance for something that is not a caller, such as the account that somebody tries
/// passwords on from many addresses.
pub struct Throttle {
    class: RateClass,
    rates: Rates,
}

impl Throttle {
    /// Counts in this class, together with the other instances if they share counts.
    pub fn new(class: RateClass, shared: Option<SharedRates>) -> Self {
        let rates = Rates {
            shared,
            ..Rates::default()
        };
        Self { class, rates }
    }

    /// Takes one token of `whom`, or is the answer 429.
    pub async fn take(&self, whom: &str) -> Result<(), Problem> {
        let whom = Caller::Named(whom.to_owned());
        let taken = self.rates.take(self.class, whom, Instant::now()).await;
        taken.map_err(too_many)
    }
}

/// The answer to who came too often.
pub(crate) fn too_many(wait: Duration) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS)
        .detail("too many requests")
        .retry_after(wait.as_secs() + 1)
}

/// The counts of one app.
#[derive(Default)]
pub(crate) struct Rates {
    local: Limiter,
    pub(crate) shared: Option<SharedRates>,
}

impl Rates {
    /// Takes one token, or tells how long until there is one.
    pub(crate) async fn take(
        &self,
        class: RateClass,
        caller: Caller,
        now: Instant,
    ) -> Result<(), Duration> {
        // Each instance is probed for itself.
        if class != RateClass::Probe
            && let Some(shared) = &self.shared
            // Boxed, so that the future of every request is not as large as this one.
            && let Some(verdict) = Box::pin(shared.take(class, &caller)).await
        {
            return verdict;
        }
        self.local.take(class, caller, now)
    }
}
