//! The whole URL map of `client`.

use guard::page::stylesheet;
use guard::{GuardedRouter, public, signed_in};
use serve::Health;

use crate::pages;

/// Where the signed out are sent.
pub(crate) const SIGN_IN: &str = "/sign-in";

pub(crate) fn routes(health: &Health) -> GuardedRouter {
    GuardedRouter::new()
        .get("/", signed_in(), pages::home)
        .get(
            SIGN_IN,
            public("nobody is signed in yet where they sign in"),
            pages::sign_in,
        )
        .merge(stylesheet())
        .merge(health.routes())
}
