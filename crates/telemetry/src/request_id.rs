//! The name one request goes by: in the logs, in its answer, and in what other services are asked.

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The longest id that is taken from a caller.
const MAX_LEN: usize = 64;

tokio::task_local! {
    static CURRENT: RequestId;
}

/// Identifies one request. Always plain enough for a header and a log line. `Copy`, and in no need
/// of the heap: every request has one.
///
/// ```
/// use telemetry::RequestId;
///
/// assert_eq!(RequestId::accept(Some("deploy-42")).as_str(), "deploy-42");
/// assert_ne!(RequestId::accept(Some("two\nlines")).as_str(), "two\nlines");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    len: u8,
    /// Zero beyond `len`.
    bytes: [u8; MAX_LEN],
}

impl RequestId {
    /// Takes the caller's id when it is harmless, else makes one up.
    pub fn accept(inbound: Option<&str>) -> Self {
        inbound
            .filter(|id| is_harmless(id))
            .map_or_else(Self::generate, |id| Self::new(id.as_bytes()))
    }

    /// The id of the request that the running task answers, see [`in_request`].
    pub fn current() -> Option<Self> {
        CURRENT.try_get().ok()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len.into()]).unwrap_or_default()
    }

    /// An id has to be unique, not secret: a keyed hash of a counter does, and needs no dependency.
    fn generate() -> Self {
        static KEYS: LazyLock<[RandomState; 2]> =
            LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        static COUNT: AtomicU64 = AtomicU64::new(0);

        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let [high, low] = KEYS.each_ref().map(|key| key.hash_one(n));
        let id = u128::from(high) << 64 | u128::from(low);
        let digit = |n: usize| b"0123456789abcdef"[(id >> (124 - 4 * n)) as usize & 0xf];
        Self::new(&std::array::from_fn::<_, 32, _>(digit))
    }

    fn new(id: &[u8]) -> Self {
        let mut bytes = [0; MAX_LEN];
        let len = id.len().min(MAX_LEN);
        bytes[..len].copy_from_slice(&id[..len]);
        Self {
            #[expect(clippy::cast_possible_truncation, reason = "at most `MAX_LEN`")]
            len: len as u8,
            bytes,
        }
    }
}

/// Runs a future as part of a request: whatever it logs has the id, and [`RequestId::current`]
/// gives it. What it spawns is on its own.
pub fn in_request<F: Future>(id: RequestId, future: F) -> impl Future<Output = F::Output> {
    #[cfg(feature = "otel")]
    let future = crate::traces::in_span(future);
    CURRENT.scope(id, future)
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

fn is_harmless(id: &str) -> bool {
    (1..=MAX_LEN).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
