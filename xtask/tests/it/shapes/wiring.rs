//! Routers on their way: conversions, newtypes, function pointers, boxes, generics.

use super::{Shape, check};

#[test]
fn wiring() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "newtypes_and_conversions",
        r#"
use axum::{Router, middleware::from_fn, routing::{MethodRouter, get}};

use crate::guards::auth;
use crate::handlers::{list, show};

pub struct Guarded(Router);

impl Guarded {
    pub fn new() -> Self {
        Self(Router::new())
    }

    pub fn route(self, path: &str, methods: MethodRouter) -> Self {
        Guarded(self.0.route(path, methods.route_layer(from_fn(auth)))) //~ guarded auth
    }
}

impl From<Guarded> for Router {
    fn from(guarded: Guarded) -> Self {
        guarded.0
    }
}

struct Module {
    prefix: &'static str,
    inner: Router,
}

impl From<Module> for Router {
    fn from(Module { prefix, inner }: Module) -> Router {
        Router::new().nest(prefix, inner)
    }
}

pub fn app() -> Router {
    let module = Module {
        prefix: "/n",
        inner: Router::new().route("/b", get(show)), //~ b
    };
    let guarded: Router = Guarded::new().route("/a", get(list)).into();
    guarded
        .merge(module)
        .merge(Router::from(Guarded::new().route("/c", get(list))))
}
"#,
        &[
            "GET /a @guarded list [auth]",
            "GET /n/b @b show",
            "GET /c @guarded list [auth]",
        ],
    ),
    Shape::app(
        "function_pointers_and_boxes",
        r#"
use std::sync::Arc;

use axum::{Router, middleware::from_fn, routing::{get, post}};

use crate::guards::auth;
use crate::handlers::{create, list, show};

type Step = Box<dyn Fn(Router) -> Router>;

fn users() -> Router {
    Router::new().route("/users", get(list)) //~ users
}

fn guarded(router: Router) -> Router {
    router.route_layer(from_fn(auth)) //~ auth
}

pub fn app() -> Router {
    let build: fn() -> Router = users;
    let shared = Arc::new(Router::new().route("/shared", get(show))); //~ shared
    let steps: Vec<Step> = vec![
        Box::new(|router| router.route("/a", get(list))), //~ a
        Box::new(guarded),
        Box::new(|router| router.route("/b", post(create))), //~ b
    ];
    let mut router = build();
    for step in steps {
        router = step(router);
    }
    router.merge((*shared).clone()).merge(Arc::unwrap_or_clone(shared.clone()).nest("/x", users()))
}
"#,
        &[
            "GET /users @users list [auth]",
            "GET /a @a list [auth]",
            "POST /b @b create",
            "GET /shared @shared show",
            "GET /x/users @users list",
            // Merged twice, which axum refuses.
            "RG011 @shared",
        ],
    ),
    Shape::app(
        "matches_on_results",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, missing, show};

fn users() -> Result<Router, std::io::Error> {
    let text = std::fs::read_to_string("users.txt")?;
    if text.is_empty() {
        return Err(std::io::Error::other("no users"));
    }
    Ok(Router::new().route("/users", get(list))) //~ users
}

pub fn app() -> Router {
    let users = match users() {
        Ok(router) => router,
        Err(error) => {
            eprintln!("{error}");
            return Router::new().fallback(missing); //~ missing
        }
    };
    let more = (1..3).map(|_| Router::new()).reduce(Router::merge).unwrap_or_default(); //~ reduce
    let both = [Some(Router::new().route("/a", get(show))), None]; //~ a
    both.into_iter().flatten().fold(users.merge(more), |router, other| router.merge(other))
}
"#,
        &[
            "GET /users @users list",
            "ANY <fallback:/> @missing missing",
            "GET /a @a show",
            "RG008 @reduce",
        ],
    ),
    Shape::app(
        "recursion",
        r#"
use axum::{Router, routing::get};

use crate::handlers::{list, show};

fn tree(depth: u32) -> Router {
    let router = Router::new().route("/leaf", get(list)); //~ leaf
    if depth == 0 {
        return router;
    }
    router.nest("/down", tree(depth - 1)) //~ down
}

pub fn app() -> Router {
    tree(3).route("/", get(show)) //~ root
}
"#,
        // How deep it goes is not known.
        &["GET /leaf @leaf list", "GET / @root show", "RG008 @down"],
    ),
];
