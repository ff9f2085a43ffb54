//! The `api` surface: accounts, sessions, the menu, orders, payments and the audit as JSON.

mod accounts;
mod audit;
mod error;
mod idempotency;
mod identities;
mod kitchen;
mod menu;
mod openapi;
mod orders;
mod pages;
mod passwords;
mod payments;
mod router;
mod sessions;
mod state;
mod valid;

use std::process::ExitCode;
use std::sync::Arc;

use flags::Flags;
use guard::{
    App, Deny, Guards, RateClass, RouteRecord, SharedRates, SignedTokens, Throttle, WebhookKey,
};
use secrecy::ExposeSecret;
use serde_json::json;
use serve::{Check, Health, Outcome, StartupError};
use settings::{ApiSettings, Settings as _, Surface};
use store::{Expected, Store, StoreError};

use crate::identities::Identities;
use crate::passwords::Passwords;
use crate::state::Api;

/// What the service works with.
#[derive(Clone)]
pub struct Resources {
    /// The open database.
    pub store: Store,
    /// What is not for everybody yet.
    pub flags: Flags,
    /// Where instances count their callers together, if they do.
    pub rates: Option<SharedRates>,
}

/// The table of routes.
pub fn records() -> Vec<RouteRecord> {
    router::routes(&Health::new("", Vec::new())).records()
}

/// The OpenAPI document of the routes below `/v1`, as indented JSON.
pub fn openapi_json() -> String {
    format!("{:#}", openapi::document())
}

/// Every statement that is asked of the database, with name and place, as indented JSON.
pub fn queries_json() -> String {
    let queries = store::sql::all().map(|statement| {
        json!({
            "engine": statement.engine.to_string(),
            "name": statement.name,
            "sql": statement.sql,
            "file": statement.file,
        })
    });
    format!("{:#}", json!({ "queries": queries.collect::<Vec<_>>() }))
}

/// The finished app.
pub fn app(settings: &ApiSettings, resources: &Resources, health: &Health) -> App {
    let tokens = Arc::new(SignedTokens::new(&settings.token_keys));
    let api = Api {
        store: resources.store.clone(),
        flags: Arc::new(resources.flags.clone()),
        tokens: Arc::clone(&tokens),
        passwords: Passwords::new(),
        sign_ins: Arc::new(Throttle::new(RateClass::Strict, resources.rates.clone())),
    };
    let guards = Guards::new(Deny::Problem, settings.common.app_env)
        .authenticator(Identities {
            tokens,
            store: resources.store.clone(),
        })
        .webhook_key("payments", WebhookKey::new(&settings.payments_key))
        .shared_rates(resources.rates.clone());
    router::routes(health).with_state(&api).finish(guards)
}

/// What the service depends on.
pub fn checks(resources: &Resources) -> Vec<Check> {
    let store = resources.store.clone();
    let database = Check::new("database", move || {
        let store = store.clone();
        async move { store.ping().await }
    });
    let redis = resources.rates.clone().map(|rates| {
        Check::optional("redis", move || {
            let rates = rates.clone();
            async move { rates.ping().await }
        })
    });
    [database].into_iter().chain(redis).collect()
}

/// The whole of the process: serves, or describes itself.
pub fn main() -> ExitCode {
    let more: &[serve::Described<'_>] = &[("openapi", openapi_json), ("queries", queries_json)];
    serve::cli(Surface::Api, records, more, start)
}

/// Reads the settings, opens the database, and serves until told to stop.
async fn start() -> Result<Outcome, StartupError> {
    let settings = ApiSettings::from_env()?;
    let common = &settings.common;
    telemetry::init(common, Surface::Api)?;
    let flags = Flags::load(common.app_env).map_err(|error| {
        let help = error.help();
        StartupError::new(error).help(help)
    })?;
    let rates = common
        .redis_url
        .as_ref()
        .map(|url| SharedRates::new(Surface::Api.as_str(), url))
        .transpose()
        .map_err(|error| StartupError::new(error).help("check `REDIS_URL`"))?;
    let expected = Expected {
        environment: common
            .app_env
            .expected_marker()
            .parse()
            .map_err(StartupError::new)?,
        server_id: settings.database_server_id.clone(),
    };
    let store = Store::connect(settings.database_url.expose_secret(), expected)
        .await
        .map_err(unusable)?;
    let watched = store.clone();
    telemetry::metrics::watch_pool(move || {
        let state = watched.pool_state();
        (state.idle, state.used)
    });

    if !common.app_env.is_local() && common.trusted_proxies.is_empty() {
        tracing::warn!(
            "`TRUSTED_PROXIES` is empty: whoever comes by `client` or `admin` is counted as one caller"
        );
    }
    let resources = Resources {
        store,
        flags,
        rates,
    };
    let health = Health::new(&common.release_sha, checks(&resources));
    let app = app(&settings, &resources, &health);
    let outcome = serve::run(app, common, health).await?;
    // A second signal means now, and closing waits for statements under way.
    if outcome != Outcome::Interrupted {
        resources.store.close().await;
    }
    Ok(outcome)
}

fn unusable(error: StoreError) -> StartupError {
    let helps_itself = matches!(
        error,
        StoreError::Scheme(_) | StoreError::Url(_) | StoreError::Refused { .. }
    );
    let error = StartupError::new(error);
    if helps_itself {
        return error;
    }
    error.help(
        "check `DATABASE_URL`; locally, `cargo xtask setup` makes the database it names by default",
    )
}
