//! The whole URL map of `api`.

use guard::{GuardedRouter, Role, public, role, signed_in};
use serve::Health;
use store::Store;

use crate::{menu, orders};

pub(crate) fn routes(health: &Health) -> GuardedRouter<Store> {
    GuardedRouter::new()
        .get(
            "/v1/menu",
            public("the menu is for everyone who is hungry"),
            menu::list,
        )
        .post("/v1/menu", role(Role::Staff), menu::add)
        .get("/v1/orders", signed_in(), orders::mine)
        .post("/v1/orders", signed_in(), orders::place)
        .merge(health.routes())
}
