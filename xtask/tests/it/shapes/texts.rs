//! Paths that look known and are not, and those that are computed.

use super::{Shape, check};

#[test]
fn texts() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "computed",
        r#"
use std::fmt::Write as _;
use std::sync::LazyLock;

use axum::{Router, routing::get};

use crate::handlers::list;

const NEXT: u32 = 1 + 1;
const OFFSET: i32 = -1;
const PATHS: [&str; 2] = ["/array/a", "/array/b"];

static LAZY: LazyLock<String> = LazyLock::new(|| format!("/{}", "lazy"));

struct Urls {
    login: &'static str,
}

const URLS: Urls = Urls { login: "/login" };

pub fn app() -> Router {
    let version = 7;
    let mut written = String::from("/written");
    write!(written, "/{version}").unwrap();
    let mut grown = "/grown".to_owned();
    grown += "/more";
    Router::new()
        .route(&format!("/v{NEXT}"), get(list)) //~ next
        .route(&format!("/offset{OFFSET}"), get(list)) //~ offset
        .route(&format!("/padded/{version:02}"), get(list)) //~ padded
        .route(&format!("/quoted/{:?}", "x"), get(list)) //~ quoted
        .route(&format!("/twice/{0}/{0}", "x"), get(list)) //~ twice
        .route(&LAZY, get(list)) //~ lazy
        .route(URLS.login, get(list)) //~ login
        .route(PATHS[1], get(list)) //~ second
        .route(&written, get(list)) //~ written
        .route(&grown, get(list)) //~ grown
        .route(concat!("/", stringify!(users)), get(list)) //~ users
}
"#,
        &[
            // Where it is not computed it is not known: a wrong path would be worse.
            "GET {?} @next list",
            "GET {?} @offset list",
            "GET {?} @padded list",
            "GET {?} @quoted list",
            "GET /twice/x/x @twice list",
            "GET /lazy @lazy list",
            "GET /login @login list",
            "GET {?} @second list",
            "GET {?} @written list",
            "GET /grown/more @grown list",
            "GET /users @users list",
        ],
    ),
    Shape::app(
        "defaults_and_changes",
        r#"
use axum::{Router, routing::get};

use crate::handlers::list;

struct Config {
    path: String,
    prefix: Option<String>,
}

impl Config {
    fn load(&mut self) {
        self.path = std::env::var("APP_PATH").unwrap();
    }
}

fn prefixed(prefix: Option<String>) -> Router {
    Router::new().route(prefix.as_deref().unwrap_or("/prefix"), get(list)) //~ prefix
}

pub fn app() -> Router {
    let from_env = std::env::var("APP_PATH").unwrap_or_else(|_| "/default".to_owned());
    let built_in = option_env!("APP_PATH").unwrap_or("/built-in");
    let mut config = Config { path: "/loaded".to_owned(), prefix: None };
    config.load();
    let mut filled = String::from("/filled");
    web_kit::fill(&mut filled);
    let mut chosen = "/one";
    if std::env::args().count() > 1 {
        chosen = "/other";
    }
    let mut looped = String::from("/looped");
    for part in std::env::args() {
        looped = format!("{looped}/{part}");
    }
    Router::new()
        .route(&from_env, get(list)) //~ env
        .route(built_in, get(list)) //~ built_in
        .route(&config.path, get(list)) //~ loaded
        .route(&filled, get(list)) //~ filled
        .route(chosen, get(list)) //~ chosen
        .route(&looped, get(list)) //~ looped
        .merge(prefixed(config.prefix))
        .merge(prefixed(std::env::args().next()))
}
"#,
        &[
            "GET {?} @env list",
            "GET {?} @built_in list",
            "GET {?} @loaded list",
            "GET {?} @filled list",
            "GET {?} @chosen list",
            "GET {?} @looped list",
            "GET {?} @prefix list",
        ],
    ),
    Shape::app(
        "put_together",
        r#"
use axum::{Router, routing::get};

use crate::handlers::list;

const VERSION: u32 = 2;
const BASE: &str = "/base";
const API: &str = "/api";

fn below(name: &str) -> String {
    format!("{BASE}/{name}")
}

pub fn app() -> Router {
    let prefix = String::from("/prefix");
    let mut grown = String::from("/grown");
    grown.push_str("/more");
    Router::new()
        .route(&format!("/v{VERSION}/users"), get(list)) //~ inline
        .route(&format!("{}/v{}/orders", API, VERSION), get(list)) //~ positional
        .route(&format!("{base}/{{id}}", base = BASE), get(list)) //~ named
        .route(&[BASE, "/a"].concat(), get(list)) //~ concat
        .route(&["", "api", "b"].join("/"), get(list)) //~ join
        .route(&(prefix.clone() + "/c"), get(list)) //~ plus
        .route(&below("d"), get(list)) //~ below
        .route(prefix.as_str(), get(list)) //~ prefix
        .route(&grown, get(list)) //~ grown
        .nest(&format!("/n{VERSION}"), Router::new().route("/", get(list))) //~ n
}
"#,
        &[
            "GET /v2/users @inline list",
            "GET /api/v2/orders @positional list",
            "GET /base/{id} @named list",
            "GET /base/a @concat list",
            "GET /api/b @join list",
            "GET /prefix/c @plus list",
            "GET /base/d @below list",
            "GET /prefix @prefix list",
            "GET /grown/more @grown list",
            "GET /n2 @n list",
        ],
    ),
];
