//! Ways that leave before the end: returns, breaks and panics, in every build or in some.

use super::{Shape, check};

#[test]
fn jumps() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "returns_in_some_builds",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

fn statement() -> Router {
    let router = one("/statement");
    #[cfg(feature = "auth")]
    return router.layer(from_fn(auth)); //~ statement
    #[cfg(not(feature = "auth"))]
    router
}

#[allow(unreachable_code)]
fn block() -> Router {
    let router = one("/block");
    #[cfg(feature = "auth")]
    {
        return router.layer(from_fn(auth)); //~ block
    }
    #[cfg(not(feature = "auth"))]
    router
}

/// What follows an early return is not around what it returns.
fn before_the_guard() -> Router {
    let router = one("/before");
    #[cfg(debug_assertions)]
    return router.route("/debug", get(show)); //~ debug
    #[cfg(not(debug_assertions))]
    router.layer(from_fn(auth)) //~ before
}

pub fn app() -> Router {
    statement().merge(block()).merge(before_the_guard())
}
"#,
        &[
            "GET /statement @one list [statement?]",
            "GET /block @one list [block?]",
            "GET /before @one list [before?]",
            "GET /debug @debug show",
        ],
    ),
    Shape::app(
        "tails_of_some_builds",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

fn guarded_in_one_build() -> Router {
    let open = one("/guarded");
    let guarded = open.clone().layer(from_fn(auth)); //~ guarded
    #[cfg(feature = "open")]
    {
        open
    }
    #[cfg(not(feature = "open"))]
    guarded
}

fn more_in_one_build() -> Router {
    let router = one("/base");
    #[cfg(feature = "more")]
    {
        router.route("/more", get(show)) //~ more
    }
    #[cfg(not(feature = "more"))]
    router
}

fn pair_of_one_build() -> Router {
    let (router, _count) = {
        #[cfg(feature = "more")]
        {
            (one("/pair"), 1)
        }
        #[cfg(not(feature = "more"))]
        (Router::new(), 0)
    };
    router
}

fn code_of_elsewhere_in_one_build() -> Router {
    let router = one("/elsewhere");
    #[cfg(feature = "kit")]
    {
        web_kit::with_defaults(router) //~ kit
    }
    #[cfg(not(feature = "kit"))]
    router
}

pub fn app() -> Router {
    Router::new()
        .merge(guarded_in_one_build())
        .merge(more_in_one_build())
        .merge(pair_of_one_build())
        .merge(code_of_elsewhere_in_one_build())
}
"#,
        &[
            "GET /guarded @one list [guarded?]",
            "GET /base @one list",
            "GET /more @more show",
            "GET /pair @one list",
            "GET /elsewhere @one list",
            "RG008 @kit",
        ],
    ),
    Shape::app(
        "breaks_out_of_labelled_blocks",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

fn outer(is_open: bool) -> Router {
    let router = one("/outer");
    'outer: {
        'inner: {
            if is_open {
                break 'outer router;
            }
            break 'inner;
        }
        router.layer(from_fn(auth)) //~ outer
    }
}

/// A break out of the inner block alone leaves the guard on.
fn inner(is_open: bool) -> Router {
    let router = one("/inner");
    'outer: {
        'inner: {
            if is_open {
                break 'inner;
            }
            println!("closed");
        }
        break 'outer router.layer(from_fn(auth)); //~ auth_inner
    }
}

pub fn app() -> Router {
    let is_open = std::env::var_os("OPEN").is_some();
    outer(is_open).merge(inner(is_open))
}
"#,
        &[
            "GET /outer @one list [outer?]",
            "GET /inner @one list [auth_inner]",
        ],
    ),
    Shape::app(
        "a_function_that_calls_itself",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

const PATHS: [&str; 2] = ["/first", "/second"];

fn add(router: Router, left: usize) -> Router {
    if left == 0 {
        return router;
    }
    add(router.route(PATHS[left - 1], get(show)), left - 1) //~ again
}

pub fn app() -> Router {
    let router = Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)); //~ auth
    add(router, PATHS.len())
}
"#,
        &["GET /a @a list [auth]", "RG008 @again"],
    ),
    Shape::app(
        "ways_that_end_the_program",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn build() -> Result<Router, String> {
    let name = std::env::var("NAME").map_err(|error| error.to_string())?;
    println!("{name} starts");
    Ok(Router::new().route("/built", get(list))) //~ built
}

fn fail() -> ! {
    eprintln!("no key");
    std::process::exit(1)
}

fn keyed(key: Option<&str>) -> Router {
    if key.is_some() {
        Router::new().route("/keyed", get(show)) //~ keyed
    } else {
        fail()
    }
}

fn checked(mode: &str) -> Result<Router, String> {
    match mode {
        "open" => Err("never open".to_owned()),
        "" => return Err("no mode".to_owned()),
        _ => Ok(Router::new().route("/checked", get(list))), //~ checked
    }
}

pub fn app() -> Router {
    let built = build().unwrap_or_else(|error| {
        eprintln!("{error}");
        std::process::exit(1)
    });
    let keyed = keyed(option_env!("KEY"));
    let checked = match checked(env!("MODE")) {
        Ok(router) => router,
        Err(error) => panic!("{error}"),
    };
    built
        .merge(keyed)
        .merge(checked)
        .layer(from_fn(auth)) //~ auth
}
"#,
        // Where nothing is served, nothing is missing.
        &[
            "GET /built @built list [auth]",
            "GET /keyed @keyed show [auth]",
            "GET /checked @checked list [auth]",
        ],
    ),
];
