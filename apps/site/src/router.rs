//! The whole URL map of `site`.

use std::sync::Arc;

use guard::{GuardedRouter, public};
use serve::Health;

use crate::menu::MenuCache;
use crate::pages;

pub(crate) fn routes(health: &Health) -> GuardedRouter<Arc<MenuCache>> {
    GuardedRouter::new()
        .get("/", public("the front page is for everyone"), pages::home)
        .get(
            "/menu",
            public("the menu is for everyone who is hungry"),
            pages::menu,
        )
        .merge(bff::assets())
        .merge(health.routes())
}
