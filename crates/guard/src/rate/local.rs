//! Token buckets in a bounded amount of memory.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Caller, RateClass};
use crate::recent::Recent;

/// How many callers are remembered at least.
const GENERATION: usize = 10_000;

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    fn take(&mut self, burst: f64, per_second: f64, now: Instant) -> Result<(), Duration> {
        let refill = now.saturating_duration_since(self.at).as_secs_f64() * per_second;
        self.tokens = (self.tokens + refill).min(burst);
        self.at = now;
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        Err(Duration::from_secs_f64((1.0 - self.tokens) / per_second))
    }
}

/// The buckets of one app. Whoever keeps coming is kept.
#[derive(Default)]
pub(super) struct Limiter(Mutex<Recent<(RateClass, Caller), Bucket, GENERATION>>);

impl Limiter {
    /// Takes one token, or tells how long until there is one.
    pub(super) fn take(
        &self,
        class: RateClass,
        caller: Caller,
        now: Instant,
    ) -> Result<(), Duration> {
        let (burst, per_second) = class.allowance();
        let key = (class, caller);
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = buckets.get_mut(&key) {
            return bucket.take(burst, per_second, now);
        }
        let full = Bucket {
            tokens: burst,
            at: now,
        };
        let mut bucket = buckets.get(&key).copied().unwrap_or(full);
        let verdict = bucket.take(burst, per_second, now);
        buckets.insert(key, bucket);
        verdict
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::ClientAddr;

    fn caller(n: u32) -> Caller {
        Caller::at(Some(ClientAddr(IpAddr::from(n.to_be_bytes()))))
    }

    #[test]
    fn burst_then_refill() {
        let limiter = Limiter::default();
        let start = Instant::now();
        for _ in 0..10 {
            assert_eq!(limiter.take(RateClass::Strict, caller(1), start), Ok(()));
        }
        assert_eq!(
            limiter.take(RateClass::Strict, caller(1), start),
            Err(Duration::from_secs(5))
        );
        assert_eq!(limiter.take(RateClass::Strict, caller(2), start), Ok(()));
        assert_eq!(limiter.take(RateClass::Standard, caller(1), start), Ok(()));
        let later = start + Duration::from_secs(5);
        assert_eq!(limiter.take(RateClass::Strict, caller(1), later), Ok(()));
        assert!(limiter.take(RateClass::Strict, caller(1), later).is_err());
    }

    #[test]
    fn a_flood_does_not_free_who_keeps_coming() {
        let limiter = Limiter::default();
        let now = Instant::now();
        let refused = (0..50_000)
            .filter(|n| {
                let _ = limiter.take(RateClass::Strict, caller(1000 + n), now);
                n % 1000 == 0 && limiter.take(RateClass::Strict, caller(1), now).is_err()
            })
            .count();
        assert_eq!(refused, 40);
    }

    #[test]
    fn one_ipv6_network_is_one_caller() {
        let at = |text: &str| Caller::at(Some(ClientAddr(text.parse().unwrap())));
        assert_eq!(at("2001:db8::1"), at("2001:db8::ffff"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_eq!(at("::ffff:192.0.2.1"), at("192.0.2.1"));
    }
}
