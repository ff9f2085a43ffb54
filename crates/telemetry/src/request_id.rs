//! The name one request goes by, in the logs and in its answer.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest id that is taken from a caller.
const MAX_LEN: usize = 64;

/// Identifies one request. Always plain enough for a header and a log line.
///
/// ```
/// use telemetry::RequestId;
///
/// assert_eq!(RequestId::accept(Some("deploy-42")).as_str(), "deploy-42");
/// assert_ne!(RequestId::accept(Some("two\nlines")).as_str(), "two\nlines");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(String);

impl RequestId {
    /// Takes the caller's id when it is harmless, else makes one up.
    pub fn accept(inbound: Option<&str>) -> Self {
        inbound
            .filter(|id| is_harmless(id))
            .map_or_else(Self::generate, |id| Self(id.to_owned()))
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// An id has to be unique, not secret: a keyed hash of a counter does, and needs no dependency.
    fn generate() -> Self {
        static KEYS: LazyLock<[RandomState; 2]> =
            LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        static COUNT: AtomicU64 = AtomicU64::new(0);

        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let [high, low] = KEYS.each_ref().map(|key| key.hash_one(n));
        Self(format!("{high:016x}{low:016x}"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
