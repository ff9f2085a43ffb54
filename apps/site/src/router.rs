//! The whole URL map of `site`.

use guard::page::stylesheet;
use guard::{GuardedRouter, public};
use serve::Health;

use crate::pages;

pub(crate) fn routes(health: &Health) -> GuardedRouter {
    GuardedRouter::new()
        .get("/", public("the front page is for everyone"), pages::home)
        .get(
            "/menu",
            public("the menu is for everyone who is hungry"),
            pages::menu,
        )
        .merge(stylesheet())
        .merge(health.routes())
}
