//! The only router of the sample: a route is registered with its policy, or not at all.
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "what is built here is the guarded way"
)]

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};
use serde::Serialize;
use tower::layer::layer_fn;

use crate::gate::Gate;
use crate::route::Route;
use crate::{Access, App, Guards, Policy};

/// One route, as `<app> describe routes` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteRecord {
    /// The method; `GET` answers `HEAD` as well.
    pub method: &'static str,
    /// The full path.
    pub path: String,
    /// `public`, `signed-in`, `role:…` or `webhook:…`.
    pub access: String,
    /// Why it is public, if it is.
    pub reason: Option<&'static str>,
    /// Where it is registered, from the workspace root.
    pub file: String,
    /// The line there.
    pub line: u32,
}

/// Routes that each have a policy. `S` is the state their handlers still miss.
///
/// Nothing of axum's router shows: there is no layer that covers only what came before it, no
/// fallback without a policy, and no way to take the routes out again.
#[must_use]
pub struct GuardedRouter<S = ()> {
    routes: Vec<Registered<S>>,
}

struct Registered<S> {
    record: RouteRecord,
    policy: Policy,
    handler: MethodRouter<S>,
}

impl<S: Clone + Send + Sync + 'static> GuardedRouter<S> {
    /// No routes yet.
    pub const fn new() -> Self {
        Self { routes: Vec::new() }
    }

    /// Registers a handler for `GET` and `HEAD`.
    #[track_caller]
    pub fn get<T: 'static>(self, path: &str, policy: Policy, handler: impl Handler<T, S>) -> Self {
        self.register("GET", MethodFilter::GET, path, policy, handler)
    }

    /// Registers a handler for `POST`.
    #[track_caller]
    pub fn post<T: 'static>(self, path: &str, policy: Policy, handler: impl Handler<T, S>) -> Self {
        self.register("POST", MethodFilter::POST, path, policy, handler)
    }

    /// Registers a handler for `PUT`.
    #[track_caller]
    pub fn put<T: 'static>(self, path: &str, policy: Policy, handler: impl Handler<T, S>) -> Self {
        self.register("PUT", MethodFilter::PUT, path, policy, handler)
    }

    /// Registers a handler for `PATCH`.
    #[track_caller]
    pub fn patch<T: 'static>(
        self,
        path: &str,
        policy: Policy,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.register("PATCH", MethodFilter::PATCH, path, policy, handler)
    }

    /// Registers a handler for `DELETE`.
    #[track_caller]
    pub fn delete<T: 'static>(
        self,
        path: &str,
        policy: Policy,
        handler: impl Handler<T, S>,
    ) -> Self {
        self.register("DELETE", MethodFilter::DELETE, path, policy, handler)
    }

    /// Takes over another's routes below a prefix; its `/` becomes the prefix itself.
    #[track_caller]
    pub fn nest(mut self, prefix: &str, inner: Self) -> Self {
        assert!(
            prefix.starts_with('/') && !prefix.ends_with('/'),
            "prefix `{prefix}` must begin with a slash and end without one"
        );
        self.routes
            .extend(inner.routes.into_iter().map(|mut route| {
                let path = route.record.path.as_str();
                route.record.path = format!("{prefix}{}", if path == "/" { "" } else { path });
                route
            }));
        self
    }

    /// Takes over another's routes as they are.
    pub fn merge(mut self, other: Self) -> Self {
        self.routes.extend(other.routes);
        self
    }

    /// The table of routes, in the order of registration.
    pub fn records(&self) -> Vec<RouteRecord> {
        self.routes
            .iter()
            .map(|route| route.record.clone())
            .collect()
    }

    /// Gives the handlers their state.
    pub fn with_state(self, state: &S) -> GuardedRouter {
        let routes = self.routes.into_iter().map(|route| Registered {
            record: route.record,
            policy: route.policy,
            handler: route.handler.with_state(state.clone()),
        });
        GuardedRouter {
            routes: routes.collect(),
        }
    }

    #[track_caller]
    fn register<T: 'static>(
        mut self,
        method: &'static str,
        filter: MethodFilter,
        path: &str,
        policy: Policy,
        handler: impl Handler<T, S>,
    ) -> Self {
        assert!(
            path.starts_with('/'),
            "path `{path}` must begin with a slash"
        );
        let caller = Location::caller();
        let record = RouteRecord {
            method,
            path: path.to_owned(),
            access: policy.access.to_string(),
            reason: policy.access.reason(),
            file: caller.file().replace('\\', "/"),
            line: caller.line(),
        };
        self.routes.push(Registered {
            record,
            policy,
            handler: on(filter, handler),
        });
        self
    }
}

impl<S: Clone + Send + Sync + 'static> Default for GuardedRouter<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl GuardedRouter {
    /// Closes the list of routes and puts the guards before them.
    ///
    /// Panics if a route is registered twice, or takes the webhooks of a provider without a key,
    /// and says where.
    pub fn finish(self, guards: Guards) -> App {
        let records = self.records();
        refuse_duplicates(&records);
        let guards = Arc::new(guards);
        let mut router = Router::new();
        for Registered {
            record,
            policy,
            handler,
        } in self.routes
        {
            refuse_keyless(&record, policy, &guards);
            let route = Arc::new(Route::new(&record, policy));
            let gate = {
                let guards = Arc::clone(&guards);
                move |handler| Gate {
                    route: Arc::clone(&route),
                    guards: Arc::clone(&guards),
                    handler,
                }
            };
            // `route_layer`: the guard stands before the handler, not before the 405 beside it.
            let guarded = handler.route_layer(layer_fn(gate));
            router = router.route(&record.path, guarded);
        }
        App::new(router, guards, records)
    }
}

fn refuse_keyless(record: &RouteRecord, policy: Policy, guards: &Guards) {
    if let Access::Webhook(provider) = policy.access {
        assert!(
            guards.webhook_keys.contains_key(provider),
            "`{} {}` takes webhooks of `{provider}`, which has no key: {}:{}",
            record.method,
            record.path,
            record.file,
            record.line
        );
    }
}

fn refuse_duplicates(records: &[RouteRecord]) {
    let mut seen = HashMap::new();
    for RouteRecord {
        method,
        path,
        file,
        line,
        ..
    } in records
    {
        if let Some((first_file, first_line)) = seen.insert((method, path), (file, line)) {
            panic!(
                "`{method} {path}` is registered twice: {first_file}:{first_line} and {file}:{line}"
            );
        }
    }
}
