//! The `api` surface: the menu and the orders as JSON.

mod error;
mod menu;
mod orders;
mod router;

use guard::{App, Carrier, Deny, RouteRecord, SignedTokens};
use secrecy::{ExposeSecret, SecretString};
use serve::{Check, Health, Outcome, StartupError};
use settings::{ApiSettings, AppEnv, Settings};
use store::{Store, StoreError};

/// The table of routes.
pub fn records() -> Vec<RouteRecord> {
    router::routes(&Health::new("", Vec::new())).records()
}

/// The finished app on an open store.
pub fn app(store: &Store, token_key: &SecretString, health: &Health, env: AppEnv) -> App {
    let tokens = SignedTokens::new(token_key, Carrier::Bearer);
    router::routes(health)
        .with_state(store)
        .finish(tokens, Deny::Problem, env)
}

/// What the service cannot work without.
pub fn checks(store: &Store) -> Vec<Check> {
    let store = store.clone();
    let ping = move || {
        let store = store.clone();
        async move { store.ping().await }
    };
    vec![Check::new("database", ping)]
}

/// Reads the settings, opens the database, and serves until told to stop.
pub async fn start() -> Result<Outcome, StartupError> {
    let ApiSettings {
        common,
        database_url,
        token_key,
    } = ApiSettings::from_env()?;
    telemetry::init(common.app_env, &common.log)?;
    let marker = common
        .app_env
        .expected_marker()
        .parse()
        .map_err(StartupError::new)?;
    let store = Store::connect(database_url.expose_secret(), marker)
        .await
        .map_err(unusable)?;

    let health = Health::new(&common.release_sha, checks(&store));
    let app = app(&store, &token_key, &health, common.app_env);
    let outcome = serve::run(app, &common, health).await?;
    // A second signal means now, and closing waits for statements under way.
    if outcome != Outcome::Interrupted {
        store.close().await;
    }
    Ok(outcome)
}

fn unusable(error: StoreError) -> StartupError {
    let helps_itself = matches!(
        error,
        StoreError::Scheme(_) | StoreError::Unmarked { .. } | StoreError::WrongMarker { .. }
    );
    let error = StartupError::new(error);
    if helps_itself {
        return error;
    }
    error.help(
        "check `DATABASE_URL`; locally, `cargo xtask setup` makes the database it names by default",
    )
}
