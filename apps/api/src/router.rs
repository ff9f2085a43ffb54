//! The whole URL map of `api`.

use guard::{GuardedRouter, RateClass, Role, public, role, signed_in, webhook};
use serve::Health;

use crate::state::Api;
use crate::{accounts, audit, kitchen, menu, openapi, orders, payments, sessions};

#[rustfmt::skip]
pub(crate) fn routes(health: &Health) -> GuardedRouter<Api> {
    GuardedRouter::new()
        .post("/v1/accounts", public("who has no account yet opens one").rate(RateClass::Strict), accounts::open)
        .get("/v1/accounts/me", signed_in(), accounts::me)
        .post("/v1/sessions", public("who is not signed in yet signs in").rate(RateClass::Strict), sessions::begin)
        .post("/v1/sessions/refresh", public("the refresh token is the proof"), sessions::refresh)
        .delete("/v1/sessions/current", signed_in(), sessions::end)
        .get("/v1/menu", public("the menu is for everyone who is hungry"), menu::list)
        .get("/v1/menu/all", role(Role::Staff), menu::list_all)
        .post("/v1/menu", role(Role::Staff), menu::add)
        .patch("/v1/menu/{id}", role(Role::Staff), menu::change)
        .get("/v1/orders", signed_in(), orders::list)
        .post("/v1/orders", signed_in(), orders::place)
        .get("/v1/orders/{id}", signed_in(), orders::get)
        .post("/v1/orders/{id}/cancel", signed_in(), orders::cancel)
        .get("/v1/kitchen/orders", role(Role::Staff), kitchen::list)
        .patch("/v1/kitchen/orders/{id}", role(Role::Staff), kitchen::move_on)
        .post("/v1/webhooks/payments", webhook("payments"), payments::receive)
        .get("/v1/audit", role(Role::Staff), audit::list)
        .get("/v1/openapi.json", public("clients are made from it"), openapi::get)
        .merge(health.routes())
}
