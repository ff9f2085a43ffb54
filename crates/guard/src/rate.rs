//! How often one caller may come: token buckets in a bounded amount of memory.

use std::collections::HashMap;
use std::mem;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::ClientAddr;

/// How many callers one generation remembers; two generations are kept.
const GENERATION: usize = 10_000;

/// Which allowance a route draws on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RateClass {
    /// Health checks: load balancers ask often.
    Probe,
    /// Everything else.
    Standard,
    /// Where guessing must be slow.
    Strict,
}

impl RateClass {
    /// How many at once, and how many for each second after that.
    const fn allowance(self) -> (f64, f64) {
        match self {
            Self::Probe => (1000.0, 500.0),
            Self::Standard => (240.0, 120.0),
            Self::Strict => (5.0, 0.1),
        }
    }
}

/// Who is counted: the identity where there is one, else the address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Caller {
    Subject(String),
    Address(Option<IpAddr>),
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

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

type Buckets = HashMap<(RateClass, Caller), Bucket>;

/// The buckets of one app. When the younger generation is full it becomes the older one, and the
/// older one is forgotten: whoever keeps coming is carried over, and no flood of addresses grows
/// the memory.
#[derive(Default)]
pub(crate) struct Limiter(Mutex<(Buckets, Buckets)>);

impl Limiter {
    /// Takes one token, or tells how long until there is one.
    pub(crate) fn take(
        &self,
        class: RateClass,
        caller: Caller,
        now: Instant,
    ) -> Result<(), Duration> {
        let (burst, per_second) = class.allowance();
        let key = (class, caller);
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (young, old) = &mut *guard;
        let known = young.get(&key).or_else(|| old.get(&key)).copied();
        let mut bucket = known.map_or(
            Bucket {
                tokens: burst,
                at: now,
            },
            |bucket| {
                let refill = now.saturating_duration_since(bucket.at).as_secs_f64() * per_second;
                Bucket {
                    tokens: (bucket.tokens + refill).min(burst),
                    at: now,
                }
            },
        );
        let verdict = if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            Ok(())
        } else {
            Err(Duration::from_secs_f64((1.0 - bucket.tokens) / per_second))
        };
        young.insert(key, bucket);
        if young.len() >= GENERATION {
            *old = mem::take(young);
        }
        verdict
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(n: u32) -> Caller {
        Caller::at(Some(ClientAddr(IpAddr::from(n.to_be_bytes()))))
    }

    #[test]
    fn burst_then_refill() {
        let limiter = Limiter::default();
        let start = Instant::now();
        for _ in 0..5 {
            assert_eq!(limiter.take(RateClass::Strict, caller(1), start), Ok(()));
        }
        assert_eq!(
            limiter.take(RateClass::Strict, caller(1), start),
            Err(Duration::from_secs(10))
        );
        assert_eq!(limiter.take(RateClass::Strict, caller(2), start), Ok(()));
        assert_eq!(limiter.take(RateClass::Standard, caller(1), start), Ok(()));
        let later = start + Duration::from_secs(10);
        assert_eq!(limiter.take(RateClass::Strict, caller(1), later), Ok(()));
        assert!(limiter.take(RateClass::Strict, caller(1), later).is_err());
    }

    #[test]
    fn flood_neither_grows_memory_nor_frees_who_keeps_coming() {
        let limiter = Limiter::default();
        let now = Instant::now();
        let refused = (0..50_000)
            .filter(|n| {
                let _ = limiter.take(RateClass::Strict, caller(1000 + n), now);
                n % 1000 == 0 && limiter.take(RateClass::Strict, caller(1), now).is_err()
            })
            .count();
        assert_eq!(refused, 45);
        let (young, old) = &*limiter.0.lock().unwrap();
        assert!(young.len() + old.len() <= 2 * GENERATION);
    }

    #[test]
    fn one_ipv6_network_is_one_caller() {
        let at = |text: &str| Caller::at(Some(ClientAddr(text.parse().unwrap())));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
