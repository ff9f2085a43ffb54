//! One registered route at work: its policy, and what is counted about it.

use std::cell::OnceCell;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use metrics::{Counter, Histogram, counter, histogram};
use tokio::task_local;

use crate::{Policy, RouteRecord, public};

task_local! {
    /// The route of the request under way. Not in its answer's extensions, which would have to be
    /// allocated for it.
    static MATCHED: OnceCell<Arc<Route>>;
}

/// Runs what answers a request, with a place to note its route.
pub(crate) fn matching<F: Future>(rest: F) -> impl Future<Output = F::Output> {
    MATCHED.scope(OnceCell::new(), rest)
}

/// Notes the route of the request under way.
pub(crate) fn found(route: &Arc<Route>) {
    // An app is never called but by `answer`, which has made the place.
    let _ = MATCHED.try_with(|matched| matched.set(Arc::clone(route)));
}

/// The route of the request under way, if it matched one.
pub(crate) fn matched() -> Option<Arc<Route>> {
    MATCHED.try_with(|matched| matched.get().cloned()).ok()?
}

/// What the requests of one route share. Metrics carry the pattern of the path, never the path
/// itself, so there are as many series as routes.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) policy: Policy,
    duration: Histogram,
    /// Grows to the few statuses that the route ever answers.
    answered: RwLock<Vec<(StatusCode, Counter)>>,
}

impl Route {
    pub(crate) fn new(record: &RouteRecord, policy: Policy) -> Self {
        Self::named(record.method, record.path.clone(), policy)
    }

    /// For requests that match no route.
    pub(crate) fn unmatched() -> Self {
        const NOBODY: Policy = public("nothing is there");
        Self::named("OTHER", "unmatched".to_owned(), NOBODY)
    }

    fn named(method: &'static str, path: String, policy: Policy) -> Self {
        let duration = histogram!(
            "http_request_duration_seconds",
            "route" => path.clone(),
            "method" => method
        );
        Self {
            method,
            path,
            policy,
            duration,
            answered: RwLock::default(),
        }
    }

    pub(crate) fn count(&self, status: StatusCode, took: Duration) {
        self.duration.record(took);
        let known = |answered: &Vec<(StatusCode, Counter)>| {
            let found = answered.iter().find(|(known, _)| *known == status);
            found.map(|(_, counter)| counter.increment(1))
        };
        let answered = self.answered.read().unwrap_or_else(PoisonError::into_inner);
        if known(&answered).is_some() {
            return;
        }
        drop(answered);
        let counter = counter!(
            "http_requests_total",
            "route" => self.path.clone(),
            "method" => self.method,
            "status" => status.as_str().to_owned()
        );
        counter.increment(1);
        let mut answered = self
            .answered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        answered.push((status, counter));
    }

    pub(crate) fn count_limited(&self) {
        let class = self.policy.rate.as_str();
        counter!("rate_limit_triggered_total", "route" => self.path.clone(), "class" => class)
            .increment(1);
    }
}
