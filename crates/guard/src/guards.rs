//! What an app's guards need to know, gathered before the routes are closed.

use std::collections::HashMap;
use std::time::Instant;

use axum::http::HeaderMap;
use metrics::{Gauge, gauge};
use settings::AppEnv;

use crate::headers::hardened;
use crate::identity::NoIdentities;
use crate::rate::{Caller, Rates, too_many};
use crate::route::Route;
use crate::{Authenticator, Problem, SharedRates, WebhookKey};

/// How an app turns a caller away, and in which form it answers errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deny {
    /// 401 and 403 as problem+json.
    Problem,
    /// 401 and 403 as a page: for an app without sign-in.
    Page,
    /// 303 to the sign-in page when signed out, 403 as a page for the wrong role.
    SignIn(&'static str),
}

/// What all routes of an app have in common.
#[must_use]
pub struct Guards {
    pub(crate) deny: Deny,
    pub(crate) env: AppEnv,
    pub(crate) authenticator: Box<dyn Authenticator>,
    pub(crate) webhook_keys: HashMap<&'static str, WebhookKey>,
    pub(crate) rates: Rates,
    pub(crate) hardened: HeaderMap,
    pub(crate) unmatched: Route,
    pub(crate) in_flight: Gauge,
}

impl Guards {
    /// For an app that knows no callers and takes no webhooks.
    pub fn new(deny: Deny, env: AppEnv) -> Self {
        Self {
            deny,
            env,
            authenticator: Box::new(NoIdentities),
            webhook_keys: HashMap::new(),
            rates: Rates::default(),
            hardened: hardened(env),
            unmatched: Route::unmatched(),
            in_flight: gauge!("http_requests_in_flight"),
        }
    }

    /// Who finds out who is calling.
    pub fn authenticator(self, authenticator: impl Authenticator) -> Self {
        Self {
            authenticator: Box::new(authenticator),
            ..self
        }
    }

    /// The key of a provider that routes name in their policy.
    pub fn webhook_key(mut self, provider: &'static str, key: WebhookKey) -> Self {
        self.webhook_keys.insert(provider, key);
        self
    }

    /// Counts callers together with the other instances of this app.
    pub fn shared_rates(mut self, shared: Option<SharedRates>) -> Self {
        self.rates.shared = shared;
        self
    }

    /// Counts a request against its caller's allowance.
    pub(crate) async fn count(&self, route: &Route, caller: Caller) -> Result<(), Problem> {
        let taken = self.rates.take(route.policy.rate, caller, Instant::now());
        taken.await.map_err(|wait| {
            route.count_limited();
            too_many(wait)
        })
    }
}
