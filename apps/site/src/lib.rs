//! The `site` surface: public pages.

mod pages;
mod router;

use guard::{App, Deny, NoIdentities, RouteRecord};
use serve::{Health, Outcome, StartupError};
use settings::{AppEnv, Settings, SiteSettings};

/// The table of routes.
pub fn records() -> Vec<RouteRecord> {
    router::routes(&Health::new("", Vec::new())).records()
}

/// The finished app.
pub fn app(health: &Health, env: AppEnv) -> App {
    router::routes(health).finish(NoIdentities, Deny::Page, env)
}

/// Reads the settings and serves until told to stop.
pub async fn start() -> Result<Outcome, StartupError> {
    let SiteSettings { common } = SiteSettings::from_env()?;
    telemetry::init(common.app_env, &common.log)?;
    let health = Health::new(&common.release_sha, Vec::new());
    let app = app(&health, common.app_env);
    Ok(serve::run(app, &common, health).await?)
}
