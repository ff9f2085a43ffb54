//! The `site` surface: public pages.

mod menu;
mod pages;
mod router;

use std::process::ExitCode;
use std::sync::Arc;

use bff::{ApiClient, Link, Profile};
use guard::{App, Deny, Guards, RouteRecord, SharedRates};
use serve::{Health, Outcome, StartupError};
use settings::{Settings, SiteSettings, Surface};

use crate::menu::MenuCache;

static PROFILE: Profile = Profile {
    title: "Corner Kitchen",
    links: &[Link {
        path: "/menu",
        label: "Menu",
    }],
    admits: None,
    sign_up: None,
};

/// The table of routes.
pub fn records() -> Vec<RouteRecord> {
    router::routes(&Health::new("", Vec::new())).records()
}

/// The finished app.
pub fn app(settings: &SiteSettings, rates: Option<SharedRates>, health: &Health) -> App {
    let api = ApiClient::new(&settings.api_url).anonymous();
    let menu = Arc::new(MenuCache::new(api));
    let guards = Guards::new(Deny::Page, settings.common.app_env).shared_rates(rates);
    router::routes(health).with_state(&menu).finish(guards)
}

/// The whole of the process: serves, or describes itself.
pub fn main() -> ExitCode {
    serve::cli(Surface::Site, records, &[], start)
}

/// Reads the settings and serves until told to stop.
async fn start() -> Result<Outcome, StartupError> {
    let settings = SiteSettings::from_env()?;
    bff::start(Surface::Site, &settings.common, |rates, health| {
        app(&settings, rates, health)
    })
    .await
}
