//! Routers behind type parameters and traits' defaults, and in renamed types.

use super::{Shape, check};

#[test]
fn generics() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "type_parameters",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

trait Module {
    const PREFIX: &'static str;

    fn router() -> Router;

    fn mount(router: Router) -> Router {
        router.nest(Self::PREFIX, Self::router())
    }
}

struct Users;
struct Orders;

impl Module for Users {
    const PREFIX: &'static str = "/users";

    fn router() -> Router {
        Router::new().route("/", get(list)) //~ users
    }
}

impl Module for Orders {
    const PREFIX: &'static str = "/orders";

    fn router() -> Router {
        Router::new().route("/{id}", get(show)) //~ orders
    }
}

fn add<M: Module>(router: Router) -> Router {
    M::mount(router)
}

pub fn app() -> Router {
    Orders::mount(add::<Users>(Router::new()))
}
"#,
        &["GET /orders/{id} @orders show", "GET /users @users list"],
    ),
    Shape::app(
        "what_is_converted_when_it_is_given",
        r#"
use axum::{Router, routing::get};
use utoipa_axum::router::OpenApiRouter;

use crate::handlers::{list, show};

struct App {
    router: Router,
}

impl App {
    fn mount(mut self, prefix: &str, inner: impl Into<Router>) -> Self {
        self.router = self.router.nest(prefix, inner.into());
        self
    }

    fn merge<R>(&mut self, other: R)
    where
        R: Into<Router>,
    {
        let router = std::mem::take(&mut self.router);
        self.router = router.merge(other);
    }
}

impl Default for App {
    fn default() -> Self {
        Self { router: Router::new().route("/default", get(show)) } //~ default
    }
}

pub fn app() -> Router {
    let documented = OpenApiRouter::<()>::new().route("/a", get(list)); //~ a
    let mut app = App::default().mount("/n", documented);
    app.merge(Router::new().route("/b", get(show))); //~ b
    let App { mut router, .. } = app;
    router = router.route("/c", get(list)); //~ c
    router
}
"#,
        &[
            "GET /default @default show",
            "GET /n/a @a list",
            "GET /b @b show",
            "GET /c @c list",
        ],
    ),
    Shape::files(
        "renamed_types",
        &[
            (
                "src/main.rs",
                r#"
mod handlers;
mod parts;

use parts::{Built, Parts as Pieces, build as assemble};

fn pieces() -> Pieces {
    Pieces::new()
}

fn built() -> Built {
    assemble(pieces())
}

#[tokio::main]
async fn main() {
    let app = built().unwrap();
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app.web).await.unwrap();
}
"#,
            ),
            (
                "src/parts.rs",
                r#"
use axum::{Router as Web, routing::get};

use crate::handlers::{list, show};

pub struct Parts {
    web: Web,
}

pub struct App {
    pub web: Web,
    pub port: u16,
}

pub type Built<E = std::io::Error> = Result<App, E>;

impl Parts {
    pub fn new() -> Self {
        Self { web: Web::new().route("/a", get(list)) } //~ a
    }
}

pub fn build(parts: Parts) -> Built {
    Ok(App { web: parts.web.route("/b", get(show)), port: 80 }) //~ b
}
"#,
            ),
        ],
        &["GET /a @a list", "GET /b @b show"],
    ),
    Shape::app(
        "type_parameters_of_types",
        r#"
use std::marker::PhantomData;

use axum::{Router, routing::get};

use crate::handlers::{list, show};

trait Module {
    fn path(&self) -> &str {
        "/default"
    }

    fn add(&self, router: Router) -> Router {
        router.route(self.path(), get(list)) //~ add
    }

    fn inner() -> Router;
}

struct Users;

impl Module for Users {
    fn path(&self) -> &str {
        "/users"
    }

    fn inner() -> Router {
        Router::new().route("/inner", get(show)) //~ inner
    }
}

struct Api<M>(PhantomData<M>);

impl<M: Module> Api<M> {
    fn router() -> Router {
        M::inner().route("/api", get(show)) //~ api
    }
}

pub fn app() -> Router {
    Users
        .add(Router::new())
        .merge(Api::<Users>::router())
}
"#,
        &[
            "GET /users @add list",
            "GET /inner @inner show",
            "GET /api @api show",
        ],
    ),
    Shape::app(
        "constants_of_type_parameters",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

trait Module {
    const PREFIX: &'static str = "/default";
    const HAS_TEST: bool = true;

    fn extra(&self) -> Router {
        Router::new()
    }
}

struct Users;
struct Orders;
struct Mixed;

impl Module for Users {
    const HAS_TEST: bool = false;
    const PREFIX: &'static str = "/users";
}

impl Module for Orders {}

impl Module for Mixed {
    #[cfg(feature = "mixed")]
    const HAS_TEST: bool = false;
    const PREFIX: &'static str = "/mixed";
}

fn routes<M: Module>(module: &M) -> Router {
    let mut router = Router::new().route("/", get(list)); //~ list
    if M::HAS_TEST {
        router = router.route("/test", get(show)); //~ test
    }
    Router::new().nest(M::PREFIX, router.merge(module.extra()))
}

fn named<M: Module>() -> Router {
    if !M::HAS_TEST {
        return Router::new();
    }
    Router::new().route("/named", get(show)) //~ named
}

pub fn app() -> Router {
    routes(&Users)
        .merge(routes(&Orders))
        .merge(routes(&Mixed))
        .merge(named::<Users>())
        .nest("/orders", named::<Orders>())
}
"#,
        &[
            "GET /users @list list",
            "GET /default @list list",
            "GET /default/test @test show",
            "GET /mixed @list list",
            "GET /mixed/test @test show",
            "GET /orders/named @named show",
        ],
    ),
];
