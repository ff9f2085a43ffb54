//! The `client` surface: pages for customers, who order here.

mod menu;
mod orders;
mod router;
mod sign_up;

use std::process::ExitCode;

use axum::extract::FromRef;
use bff::{ApiClient, Bff, Link, Profile};
use flags::{Flag, Flags};
use guard::{App, Deny, Guards, RouteRecord, SessionCookie, SharedRates};
use serve::{Health, Outcome, StartupError};
use settings::{ClientSettings, Settings, Surface};

static PROFILE: Profile = Profile {
    title: "Corner Kitchen",
    links: &[
        Link {
            path: "/",
            label: "Menu",
        },
        Link {
            path: "/orders",
            label: "Your orders",
        },
    ],
    admits: None,
    sign_up: Some(sign_up::PATH),
};

/// What the handlers share.
#[derive(Clone)]
struct Client {
    bff: Bff,
    preorders: bool,
}

impl FromRef<Client> for Bff {
    fn from_ref(client: &Client) -> Self {
        client.bff.clone()
    }
}

/// The table of routes.
pub fn records() -> Vec<RouteRecord> {
    router::routes(&Health::new("", Vec::new())).records()
}

/// The finished app.
pub fn app(
    settings: &ClientSettings,
    flags: &Flags,
    rates: Option<SharedRates>,
    health: &Health,
) -> App {
    let env = settings.common.app_env;
    let cookie = SessionCookie::new("client-session", &settings.session_keys, env);
    let bff = Bff::new(&PROFILE, ApiClient::new(&settings.api_url), cookie);
    let guards = Guards::new(Deny::SignIn(bff::sign_in::PATH), env)
        .authenticator(bff.clone())
        .shared_rates(rates);
    let client = Client {
        bff,
        preorders: flags.is_on(Flag::Preorders),
    };
    router::routes(health).with_state(&client).finish(guards)
}

/// The whole of the process: serves, or describes itself.
pub fn main() -> ExitCode {
    serve::cli(Surface::Client, records, &[], start)
}

/// Reads the settings and serves until told to stop.
async fn start() -> Result<Outcome, StartupError> {
    let settings = ClientSettings::from_env()?;
    let flags = Flags::load(settings.common.app_env).map_err(|error| {
        let help = error.help();
        StartupError::new(error).help(help)
    })?;
    bff::start(Surface::Client, &settings.common, |rates, health| {
        app(&settings, &flags, rates, health)
    })
    .await
}
