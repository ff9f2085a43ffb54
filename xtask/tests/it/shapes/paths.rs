//! How paths are written: literals, constants, what is put together of them.

use super::{Shape, check};

#[test]
fn paths() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "literals",
        r###"
use axum::{Router, routing::get};

use crate::handlers::list;

pub fn app() -> Router {
    Router::new()
        .route(r"/raw", get(list)) //~ raw
        .route(r#"/raw/{id}"#, get(list)) //~ id
        .route("/escaped/\u{e4}", get(list)) //~ escaped
        .route(concat!("/joined", "/", 1, "/x"), get(list)) //~ joined
        .route("/files/{*path}", get(list)) //~ files
        .route("/brace/{{x}}", get(list)) //~ brace
        .route(&"/reference", get(list)) //~ reference
        .route({ "/block" }, get(list)) //~ block
}
"###,
        &[
            "GET /raw @raw list",
            "GET /raw/{id} @id list",
            "GET /escaped/ä @escaped list",
            "GET /joined/1/x @joined list",
            "GET /files/{*path} @files list",
            "GET /brace/{{x}} @brace list",
            "GET /reference @reference list",
            "GET /block @block list",
        ],
    ),
    Shape::app(
        "constants",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

const USERS: &str = "/users";
static ABOUT: &str = "/about";
const API: &str = concat!("/api", "/v1");

pub mod urls {
    pub const ROOT: &str = "/admin";
    pub const ALIAS: &str = ROOT;

    pub mod reports {
        pub const DAILY: &str = "/reports/daily";
    }
}

struct Login;

impl Login {
    const PATH: &'static str = "/login";
}

trait Endpoint {
    const URL: &'static str;
}

struct Orders;

impl Endpoint for Orders {
    const URL: &'static str = "/orders";
}

pub fn app() -> Router {
    const LOCAL: &str = "/local";
    let bound = "/bound";
    Router::new()
        .route(USERS, get(list)) //~ users
        .route(ABOUT, get(show)) //~ about
        .route(urls::ALIAS, get(list)) //~ admin
        .route(urls::reports::DAILY, get(list)) //~ daily
        .route(Login::PATH, get(show)) //~ login
        .route(Orders::URL, get(list)) //~ orders
        .route(<Orders as Endpoint>::URL.trim_end_matches('s'), get(list)) //~ order
        .route(LOCAL, get(show)) //~ local
        .route(bound, get(show)) //~ bound
        .nest(API, Router::new().route("/x", get(show))) //~ x
}
"#,
        &[
            "GET /users @users list",
            "GET /about @about show",
            "GET /admin @admin list",
            "GET /reports/daily @daily list",
            "GET /login @login show",
            "GET /orders @orders list",
            "GET /order @order list",
            "GET /local @local show",
            "GET /bound @bound show",
            "GET /api/v1/x @x show",
        ],
    ),
    Shape::app(
        "associated_functions_and_blanket_implementations",
        r#"
use axum::{Router, routing::{MethodRouter, get}};

use crate::handlers::{list, show};

trait Page {
    const NAME: &'static str;

    fn path() -> &'static str;

    fn title_path() -> &'static str {
        Self::NAME
    }
}

trait Route {
    fn route() -> &'static str;
}

impl<P: Page> Route for P {
    fn route() -> &'static str {
        Self::path()
    }
}

struct Home;
struct Help;
struct About;

impl Page for About {
    const NAME: &'static str = "/title/about";

    fn path() -> &'static str {
        "/about"
    }
}

impl Page for Home {
    const NAME: &'static str = "/title/home";

    fn path() -> &'static str {
        "/home"
    }
}

impl Page for Help {
    const NAME: &'static str = "/title/help";

    fn path() -> &'static str {
        "/help"
    }
}

fn register<P: Page>(router: Router, methods: MethodRouter) -> Router {
    router.route(P::path(), methods) //~ generic
}

pub fn app() -> Router {
    let router = Router::new()
        .route(Home::route(), get(list)) //~ home
        .route(<Help as Route>::route(), get(show)) //~ help
        .route(Help::title_path(), get(show)); //~ title
    register::<About>(router, get(list).post(list)).route("/end", get(show)) //~ end
}
"#,
        &[
            "GET /home @home list",
            "GET /help @help show",
            "GET /title/help @title show",
            "GET /about @generic list",
            "POST /about @generic list",
            "GET /end @end show",
        ],
    ),
    Shape::files(
        "constants_across_crates",
        &[
            (
                "crates/contract/src/lib.rs",
                r#"
pub mod paths;

pub use paths::{HEALTH, users as people};

pub const VERSION: &str = "v1";
"#,
            ),
            (
                "crates/contract/src/paths.rs",
                r#"
pub const HEALTH: &str = "/health";

pub mod users {
    pub const LIST: &str = "/users";
}

pub struct Paths;

impl Paths {
    pub const ORDERS: &'static str = "/orders";
}
"#,
            ),
            (
                "apps/web/src/main.rs",
                r#"
mod handlers;

use axum::{Router, routing::get};
use contract::paths::{self, Paths};
use contract::{HEALTH, VERSION, people};

use handlers::{health, list};

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route(HEALTH, get(health)) //~ health
        .route(people::LIST, get(list)) //~ list
        .route(Paths::ORDERS, get(list)) //~ orders
        .route(&format!("/{VERSION}{}", paths::users::LIST), get(list)) //~ format
        .route(const_format::concatcp!("/", VERSION, "/x"), get(list)); //~ x
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
        ],
        &[
            "web: GET /health @health health",
            "web: GET /users @list list",
            "web: GET /orders @orders list",
            "web: GET /v1/users @format list",
            "web: GET /v1/x @x list",
        ],
    ),
    Shape::app(
        "known_only_at_run_time",
        r#"
use axum::{Router, middleware::from_fn, routing::{get, post}};

use crate::guards::auth;
use crate::handlers::{create, list};

pub struct Config {
    pub prefix: String,
}

pub fn app() -> Router {
    let config = Config { prefix: std::env::var("PREFIX").unwrap_or_default() };
    let api = Router::new()
        .route("/users", get(list)) //~ users
        .route_layer(from_fn(auth)); //~ auth
    Router::new()
        .route(&config.prefix, post(create)) //~ prefix
        .route(&format!("{}/x", config.prefix), get(list)) //~ x
        .nest(&config.prefix, api)
}
"#,
        &[
            "POST {?} @prefix create",
            "GET {?}/x @x list",
            "GET {?}/users @users list [auth]",
        ],
    ),
];
