//! The `client` surface: pages for signed-in customers.

mod pages;
mod router;

use guard::{App, Carrier, Deny, RouteRecord, SignedTokens};
use secrecy::SecretString;
use serve::{Health, Outcome, StartupError};
use settings::{AppEnv, ClientSettings, Settings};

/// The cookie that holds the session.
pub const SESSION_COOKIE: &str = "session";

/// The table of routes.
pub fn records() -> Vec<RouteRecord> {
    router::routes(&Health::new("", Vec::new())).records()
}

/// The finished app.
pub fn app(session_key: &SecretString, health: &Health, env: AppEnv) -> App {
    let sessions = SignedTokens::new(session_key, Carrier::Cookie(SESSION_COOKIE));
    router::routes(health).finish(sessions, Deny::SignIn(router::SIGN_IN), env)
}

/// Reads the settings and serves until told to stop.
pub async fn start() -> Result<Outcome, StartupError> {
    let ClientSettings {
        common,
        session_key,
    } = ClientSettings::from_env()?;
    telemetry::init(common.app_env, &common.log)?;
    let health = Health::new(&common.release_sha, Vec::new());
    let app = app(&session_key, &health, common.app_env);
    Ok(serve::run(app, &common, health).await?)
}
