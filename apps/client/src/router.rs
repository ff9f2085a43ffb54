//! The whole URL map of `client`.

use bff::sign_in;
use guard::{GuardedRouter, RateClass, public, signed_in};
use serve::Health;

use crate::{Client, menu, orders, sign_up};

pub(crate) fn routes(health: &Health) -> GuardedRouter<Client> {
    GuardedRouter::new()
        .get("/", signed_in(), menu::show)
        .post("/orders", signed_in(), menu::order)
        .get("/orders", signed_in(), orders::list)
        .get("/orders/{id}", signed_in(), orders::one)
        .post("/orders/{id}/cancel", signed_in(), orders::cancel)
        .get(
            sign_in::PATH,
            public("nobody is signed in yet where they sign in"),
            sign_in::show,
        )
        .post(
            sign_in::PATH,
            public("nobody is signed in yet where they sign in").rate(RateClass::Strict),
            sign_in::submit,
        )
        .get(
            sign_up::PATH,
            public("whoever opens an account has none yet"),
            sign_up::show,
        )
        .post(
            sign_up::PATH,
            public("whoever opens an account has none yet").rate(RateClass::Strict),
            sign_up::submit,
        )
        .post(
            "/sign-out",
            public("whoever leaves is let go, whether or not their session can still be renewed"),
            sign_in::end,
        )
        .merge(bff::assets())
        .merge(health.routes())
}
