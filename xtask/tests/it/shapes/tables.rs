//! Routes as data: tables that are folded or looped over.

use super::{Shape, check};

#[test]
fn tables() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "folds",
        r#"
use axum::{Router, middleware::from_fn, routing::{MethodRouter, get, post}};

use crate::guards::auth;
use crate::handlers::{create, list, show};

pub fn app() -> Router {
    let array = [("/a", get(list)), ("/b", post(create))];
    let router = array
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| router.route(path, methods)); //~ fold
    let vector: Vec<(&str, MethodRouter)> = vec![("/c", get(list).post(create)), ("/d", get(show))];
    vector
        .into_iter()
        .fold(router, |router, entry| {
            router.route(entry.0, entry.1) //~ vector
        })
        .route_layer(from_fn(auth)) //~ auth
        .merge(
            ["/e", "/f"]
                .iter()
                .map(|path| Router::new().route(path, get(show))) //~ mapped
                .fold(Router::new(), Router::merge),
        )
}
"#,
        &[
            "GET /a @fold - [auth]",
            "POST /b @fold - [auth]",
            "GET /c @vector - [auth]",
            "POST /c @vector - [auth]",
            "GET /d @vector - [auth]",
            "GET /e @mapped show",
            "GET /f @mapped show",
        ],
    ),
    Shape::app(
        "loops",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::{auth, log};
use crate::handlers::{list, show};

const OLD: &[&str] = &["/old", "/older"];
static PAGES: [(&str, &str); 2] = [("/about", "About"), ("/terms", "Terms")];

pub fn app() -> Router {
    let mut router = Router::new();
    for path in OLD {
        router = router.route(path, get(list)); //~ old
    }
    for (path, title) in PAGES {
        router = router.route(path, get(move || async move { title })); //~ page
    }
    for (prefix, inner) in [("/x", Router::new().route("/1", get(show))), ("/y", inner())] { //~ x1
        router = router.nest(prefix, inner);
    }
    for version in 1..=2 {
        router = router.route(&format!("/v{version}"), get(show)); //~ version
    }
    router = router.layer(from_fn(log)); //~ log
    let mut after = 0;
    while after < 1 {
        router = router.route("/after", get(show)); //~ after
        after += 1;
    }
    router
}

fn inner() -> Router {
    Router::new()
        .route("/2", get(list)) //~ y2
        .route_layer(from_fn(auth)) //~ auth
}
"#,
        &[
            "GET /old @old list [log]",
            "GET /older @old list [log]",
            "GET /about @page closure [log]",
            "GET /terms @page closure [log]",
            "GET /x/1 @x1 show [log]",
            "GET /y/2 @y2 list [auth log]",
            "GET /v{?} @version show [log]",
            "GET /after @after show",
        ],
    ),
    Shape::app(
        "layers_in_a_loop_over_nothing_known",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

pub fn app() -> Router {
    let mut router = Router::new().route("/a", get(list)); //~ a
    for path in std::env::args().skip(1) {
        router = router.route(&path, get(list)); //~ path
    }
    // As many times as there are arguments, which may be none.
    for _ in std::env::args() {
        router = router.layer(from_fn(auth)); //~ auth
    }
    router.route("/end", get(list)) //~ end
}
"#,
        &[
            "GET /a @a list [auth?]",
            "GET {?} @path list [auth?]",
            "GET /end @end list",
        ],
    ),
    Shape::app(
        "table_of_functions",
        r#"
use axum::{Router, routing::{get, post}};

use crate::handlers::{create, list};

type Module = fn() -> Router;

const MODULES: &[(&str, Module)] = &[("/users", users), ("/orders", orders)];

fn users() -> Router {
    Router::new().route("/", get(list)) //~ users
}

fn orders() -> Router {
    Router::new().route("/new", post(create)) //~ orders
}

pub fn app() -> Router {
    let mut router = Router::new();
    for (prefix, module) in MODULES {
        router = router.nest(prefix, module());
    }
    router
}
"#,
        &["GET /users @users list", "POST /orders/new @orders create"],
    ),
    Shape::app(
        "table_of_run_time",
        r#"
use std::collections::HashMap;

use axum::{Router, middleware::from_fn, routing::{MethodRouter, get}};

use crate::guards::auth;
use crate::handlers::list;

pub struct Plugin {
    pub path: String,
    pub methods: MethodRouter,
    pub router: Router,
}

fn plugins() -> HashMap<String, Plugin> {
    HashMap::new()
}

pub fn app() -> Router {
    let mut router = Router::new().route("/", get(list)); //~ root
    for (name, plugin) in plugins() {
        router = router
            .route(&plugin.path, plugin.methods) //~ methods
            .nest(&name, plugin.router); //~ nest
    }
    router.layer(from_fn(auth)) //~ auth
}
"#,
        &["GET / @root list [auth]", "RG008 @methods", "RG008 @nest"],
    ),
    Shape::app(
        "matches_over_an_enumeration",
        r#"
use axum::{Router, routing::{MethodRouter, get, post}};

use crate::handlers::{create, list};

#[derive(Clone, Copy)]
enum Section {
    Users,
    Orders,
}

impl Section {
    const ALL: [Section; 2] = [Section::Users, Section::Orders];

    fn methods(self) -> MethodRouter {
        match self {
            Section::Users => get(list),
            Section::Orders => post(create),
        }
    }
}

pub fn app() -> Router {
    Section::ALL.into_iter().fold(Router::new(), |router, section| {
        router.route(&format!("/{}", section as u8), section.methods()) //~ section
    })
}
"#,
        &["GET /{?} @section list", "POST /{?} @section create"],
    ),
];
