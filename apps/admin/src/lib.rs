//! The `admin` surface: pages for staff, who run the kitchen here.

mod audit;
mod board;
mod menu;
mod router;

use std::process::ExitCode;

use bff::{ApiClient, Bff, Link, Profile};
use contract::Role;
use guard::{App, Deny, Guards, RouteRecord, SessionCookie, SharedRates};
use serve::{Health, Outcome, StartupError};
use settings::{AdminSettings, Settings, Surface};

static PROFILE: Profile = Profile {
    title: "Corner Kitchen · Staff",
    links: &[
        Link {
            path: "/",
            label: "Kitchen",
        },
        Link {
            path: "/menu",
            label: "Menu",
        },
        Link {
            path: "/audit",
            label: "Audit",
        },
    ],
    admits: Some(Role::Staff),
    sign_up: None,
};

/// The table of routes.
pub fn records() -> Vec<RouteRecord> {
    router::routes(&Health::new("", Vec::new())).records()
}

/// The finished app.
pub fn app(settings: &AdminSettings, rates: Option<SharedRates>, health: &Health) -> App {
    let env = settings.common.app_env;
    let cookie = SessionCookie::new("admin-session", &settings.session_keys, env);
    let bff = Bff::new(&PROFILE, ApiClient::new(&settings.api_url), cookie);
    let guards = Guards::new(Deny::SignIn(bff::sign_in::PATH), env)
        .authenticator(bff.clone())
        .shared_rates(rates);
    router::routes(health).with_state(&bff).finish(guards)
}

/// The whole of the process: serves, or describes itself.
pub fn main() -> ExitCode {
    serve::cli(Surface::Admin, records, &[], start)
}

/// Reads the settings and serves until told to stop.
async fn start() -> Result<Outcome, StartupError> {
    let settings = AdminSettings::from_env()?;
    bff::start(Surface::Admin, &settings.common, |rates, health| {
        app(&settings, rates, health)
    })
    .await
}
