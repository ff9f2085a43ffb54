//! Work that must not be done twice: whoever asks for it again gets what came of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use telemetry::{RequestId, in_request};
use tokio::sync::watch;

use crate::ApiError;

const MEMORY: Duration = Duration::from_mins(1);
/// A sweep looks at every entry: not for each of them anew.
const SWEEP: Duration = Duration::from_secs(1);
/// Of a kilobyte or two each. More work in a minute is done, but not remembered.
const CAPACITY: usize = 10_000;

/// Calls of `api` by key. A success is remembered for a minute, a failure may be tried again.
///
/// For this process only: send a browser's requests to one instance.
pub(crate) struct Once<T>(Arc<Mutex<Memory<T>>>);

struct Memory<T> {
    begun: HashMap<String, Begun<T>>,
    swept: Instant,
}

struct Begun<T> {
    at: Instant,
    outcome: Outcome<T>,
}

/// Nothing as long as it goes on.
type Outcome<T> = watch::Receiver<Option<Result<T, ApiError>>>;

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Memory {
            begun: HashMap::new(),
            swept: Instant::now(),
        })))
    }
}

impl<T> Once<T> {
    fn memory(&self) -> MutexGuard<'_, Memory<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Clone + Send + Sync + 'static> Once<T> {
    /// Does the work, or waits for whoever does it already, or remembers what came of it.
    pub(crate) async fn run(
        &self,
        key: String,
        work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Result<T, ApiError> {
        let mut outcome = self.begun(key, work);
        let told = outcome.wait_for(Option::is_some).await;
        let told = told.map_err(ApiError::unreachable)?.clone();
        told.unwrap_or_else(|| Err(ApiError::unreachable("there was no outcome")))
    }

    fn begun(
        &self,
        key: String,
        work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
    ) -> Outcome<T> {
        let mut memory = self.memory();
        memory.sweep();
        if let Some(outcome) = memory.recall(&key) {
            return outcome;
        }
        let (tell, outcome) = watch::channel(None);
        if memory.begun.len() < CAPACITY {
            let begun = Begun {
                at: Instant::now(),
                outcome: outcome.clone(),
            };
            memory.begun.insert(key.clone(), begun);
        }
        // A task of its own: a browser that goes away must not take the outcome along.
        let id = RequestId::current().unwrap_or_else(|| RequestId::accept(None));
        let once = Self(Arc::clone(&self.0));
        tokio::spawn(in_request(id, async move {
            let done = work.await;
            if done.is_err() {
                once.memory().begun.remove(&key);
            }
            tell.send_replace(Some(done));
        }));
        outcome
    }
}

impl<T> Memory<T> {
    fn sweep(&mut self) {
        if self.swept.elapsed() >= SWEEP {
            self.begun.retain(|_, begun| begun.at.elapsed() < MEMORY);
            self.swept = Instant::now();
        }
    }

    /// What came of it, or will: nothing where its task has panicked.
    fn recall(&self, key: &str) -> Option<Outcome<T>> {
        let outcome = &self.begun.get(key)?.outcome;
        let can_tell = outcome.borrow().is_some() || outcome.has_changed().is_ok();
        can_tell.then(|| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn key() -> String {
        "key".to_owned()
    }

    #[tokio::test]
    async fn what_succeeds_is_done_once_and_what_fails_again() {
        let (once, count) = (Once::default(), Arc::new(AtomicUsize::new(0)));
        let work = |fails: bool| {
            let count = Arc::clone(&count);
            async move {
                let nth = count.fetch_add(1, Ordering::Relaxed) + 1;
                tokio::task::yield_now().await;
                if fails {
                    Err(ApiError::unreachable("a test"))
                } else {
                    Ok(nth)
                }
            }
        };
        let both = tokio::join!(once.run(key(), work(true)), once.run(key(), work(true)));
        assert!(both.0.is_err() && both.1.is_err());
        assert_eq!(count.load(Ordering::Relaxed), 1);
        assert_eq!(once.memory().begun.len(), 0);
        let both = tokio::join!(once.run(key(), work(false)), once.run(key(), work(true)));
        assert_eq!((both.0.ok(), both.1.ok()), (Some(2), Some(2)));
        assert_eq!(once.run(key(), work(true)).await.ok(), Some(2));
        assert_eq!(
            once.run("other".to_owned(), work(false)).await.ok(),
            Some(3)
        );
    }

    #[tokio::test]
    async fn whoever_goes_away_does_not_take_the_outcome_along() {
        let once = Once::default();
        let slow = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Ok("done")
        };
        let gone = tokio::time::timeout(Duration::from_millis(1), once.run(key(), slow));
        assert!(gone.await.is_err());
        let again = once.run(key(), async { Ok("twice") });
        assert_eq!(again.await.ok(), Some("done"));
    }

    #[tokio::test]
    async fn work_that_panics_can_be_done_again() {
        let once = Once::default();
        let lost = once.run(key(), async { panic!("a test") });
        assert!(lost.await.is_err());
        let again = once.run(key(), async { Ok("done") });
        assert_eq!(again.await.ok(), Some("done"));
    }

    #[tokio::test]
    async fn no_more_is_remembered_than_fits_and_no_longer_than_a_minute() {
        let once = Once::default();
        for nth in 0..CAPACITY + 10 {
            let done = once.run(format!("{nth}"), async move { Ok(nth) });
            assert_eq!(done.await.ok(), Some(nth));
        }
        assert_eq!(once.memory().begun.len(), CAPACITY);
        // The first sweep comes a second after the one before.
        let ago = |age| Instant::now().checked_sub(age).unwrap();
        for begun in once.memory().begun.values_mut() {
            begun.at = ago(MEMORY);
        }
        let later = async |key: &str| once.run(key.to_owned(), async { Ok(0) }).await.ok();
        once.memory().swept = Instant::now();
        assert_eq!(later("1").await, Some(1));
        once.memory().swept = ago(SWEEP);
        assert_eq!(later("1").await, Some(0));
        assert_eq!(once.memory().begun.len(), 1);
    }
}
