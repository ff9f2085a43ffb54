//! The whole URL map of `admin`.

use bff::{Bff, sign_in};
use guard::{GuardedRouter, RateClass, Role, public, role};
use serve::Health;

use crate::{audit, board, menu};

pub(crate) fn routes(health: &Health) -> GuardedRouter<Bff> {
    GuardedRouter::new()
        .get("/", role(Role::Staff), board::show)
        .post("/orders/{id}", role(Role::Staff), board::advance)
        .get("/menu", role(Role::Staff), menu::show)
        .post("/menu", role(Role::Staff), menu::add)
        .post("/menu/{id}", role(Role::Staff), menu::change)
        .get("/audit", role(Role::Staff), audit::list)
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
        .post(
            "/sign-out",
            public("whoever leaves is let go, whether or not their session can still be renewed"),
            sign_in::end,
        )
        .merge(bff::assets())
        .merge(health.routes())
}
