//! Methods that traits add to routers, and routers behind traits.

use super::{Shape, check};

#[test]
fn traits() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "extension_traits",
        r#"
use axum::handler::Handler;
use axum::middleware::from_fn;
use axum::routing::{MethodRouter, get};
use axum::{Router, routing::post};

use crate::guards::auth;
use crate::handlers::{create, list, show};

pub trait RouterExt {
    fn guarded(self) -> Self;
    fn page<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, ()>,
        T: 'static;
    fn health(self) -> Self;
}

impl RouterExt for Router {
    fn guarded(self) -> Self {
        self.layer(from_fn(auth)) //~ auth
    }

    fn page<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, ()>,
        T: 'static,
    {
        self.route(path, get(handler)) //~ page
    }

    fn health(self) -> Self {
        self.route("/health", get(|| async { "ok" })) //~ health
    }
}

trait Also: Sized {
    fn also(self, add: impl FnOnce(Self) -> Self) -> Self {
        add(self)
    }
}

impl<S> Also for Router<S> {}

trait MethodsExt {
    fn guard(self) -> Self;
}

impl MethodsExt for MethodRouter {
    fn guard(self) -> Self {
        self.route_layer(from_fn(auth)) //~ auth_verb
    }
}

pub fn app() -> Router {
    Router::new()
        .page("/a", list)
        .guarded()
        .page("/b", show)
        .health()
        .also(|router| router.route("/c", post(create))) //~ c
        .route("/d", get(list).guard().post(create)) //~ d
}
"#,
        &[
            "GET /a @page list [auth]",
            "GET /b @page show",
            "GET /health @health closure",
            "POST /c @c create",
            "GET /d @d list [auth_verb]",
            "POST /d @d create",
        ],
    ),
    Shape::app(
        "extension_of_elsewhere",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use web_kit::RouterExt as _;

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)) //~ auth
        .with_probes("/probe") //~ probes
        .route("/b", get(show)) //~ b
}
"#,
        &["GET /a @a list [auth]", "GET /b @b show", "RG008 @probes"],
    ),
    Shape::app(
        "routes_behind_a_trait",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

trait Module {
    fn name(&self) -> &'static str;
    fn router(&self) -> Router;
}

struct Users;
struct Orders {
    old: bool,
}

impl Module for Users {
    fn name(&self) -> &'static str {
        "users"
    }

    fn router(&self) -> Router {
        Router::new().route("/users", get(list)) //~ users
    }
}

impl Module for Orders {
    fn name(&self) -> &'static str {
        if self.old { "old" } else { "orders" }
    }

    fn router(&self) -> Router {
        Router::new().route("/orders", get(show)) //~ orders
    }
}

fn mount(router: Router, module: &impl Module) -> Router {
    router.merge(module.router())
}

pub fn app() -> Router {
    let router = Router::new().merge(Users.router());
    mount(router, &Orders { old: false })
}
"#,
        &["GET /users @users list", "GET /orders @orders show"],
    ),
    Shape::app(
        "routers_behind_trait_objects",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

trait Module {
    fn router(&self) -> Router;
}

struct Users;
struct Orders;

impl Module for Users {
    fn router(&self) -> Router {
        Router::new().route("/users", get(list)) //~ users
    }
}

impl Module for Orders {
    fn router(&self) -> Router {
        Router::new().route("/orders", get(show)) //~ orders
    }
}

pub fn app() -> Router {
    let modules: Vec<Box<dyn Module>> = vec![Box::new(Users), Box::new(Orders)];
    let mut router = Router::new();
    for module in &modules {
        router = router.merge(module.router());
    }
    router
}
"#,
        &["GET /users @users list", "GET /orders @orders show"],
    ),
    Shape::app(
        "routers_behind_unknown_trait_objects",
        r#"
use axum::{Router, routing::get};

use crate::handlers::list;

pub trait Module {
    fn router(&self) -> Router;
}

pub fn modules() -> Vec<Box<dyn Module>> {
    plugins::load()
}

pub fn app() -> Router {
    let mut router = Router::new().route("/a", get(list)); //~ a
    for module in modules() {
        router = router.merge(module.router()); //~ merge
    }
    router
}
"#,
        &["GET /a @a list", "RG008 @merge"],
    ),
    Shape::app(
        "what_a_trait_gives_its_types",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

trait Module {
    fn router(&self) -> Router;

    fn extra(&self) -> Router {
        Router::new().route("/extra", get(show)) //~ extra
    }

    fn nothing(&self) -> Router {
        Router::new()
    }
}

trait Other {
    fn extra(&self) -> Router {
        Router::new().route("/other", get(show)) //~ other
    }
}

struct Users;

struct Orders {
    prefix: &'static str,
}

impl Module for Users {
    fn router(&self) -> Router {
        Router::new().route("/users", get(list)).merge(self.extra()) //~ users
    }
}

impl Module for Orders {
    fn router(&self) -> Router {
        Router::new().nest(self.prefix, self.extra()).merge(self.nothing())
    }

    fn extra(&self) -> Router {
        Router::new().route("/own", get(show)) //~ own
    }
}

struct Unused;

impl Other for Unused {}

pub fn app() -> Router {
    Router::new()
        .merge(Users.router())
        .merge(Users.nothing())
        .merge(Orders { prefix: "/orders" }.router())
}
"#,
        &[
            "GET /users @users list",
            "GET /extra @extra show",
            "GET /orders/own @own show",
            "RG011 @other",
        ],
    ),
];
