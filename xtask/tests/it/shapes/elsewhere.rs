//! Two ways of which one leads out of the tree: what comes back is not known.

use super::{Shape, check};

#[test]
fn elsewhere() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "a_router_of_elsewhere_on_one_way",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn routes() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)) //~ auth
}

fn branch(debug: bool) -> Router {
    if debug {
        web_kit::debug_router() //~ branch
    } else {
        routes()
    }
}

fn arm() -> Router {
    let router = match std::env::var("ADMIN") {
        Ok(_) => web_kit::Admin::load().router(), //~ arm
        Err(_) => routes(),
    };
    router
}

fn default() -> Router {
    web_kit::extra().unwrap_or_else(|| routes()) //~ default
}

struct Site {
    router: Router,
    name: &'static str,
}

fn field(debug: bool) -> Router {
    let site = if debug {
        web_kit::site() //~ field
    } else {
        Site {
            router: routes(),
            name: "own",
        }
    };
    println!("{}", site.name);
    site.router
}

fn pair(debug: bool) -> Router {
    let (router, _count) = if debug {
        web_kit::pair() //~ pair
    } else {
        (routes(), 1)
    };
    router
}

fn extra() -> Router {
    Router::new().fallback(show)
}

fn early(debug: bool) -> Router {
    if debug {
        return web_kit::pick(extra); //~ early
    }
    routes()
}

fn block() -> Router {
    let router = {
        #[cfg(feature = "kit")]
        {
            web_kit::router() //~ block
        }
        #[cfg(not(feature = "kit"))]
        {
            routes()
        }
    };
    router
}

fn binding() -> Router {
    #[cfg(feature = "kit")]
    let router = web_kit::router(); //~ binding
    #[cfg(not(feature = "kit"))]
    let router = Router::new();
    router.route("/b", get(show)) //~ b
}

pub fn app() -> Router {
    let debug = std::env::var_os("DEBUG").is_some();
    Router::new()
        .nest("/branch", branch(debug))
        .nest("/arm", arm())
        .nest("/default", default())
        .nest("/field", field(debug))
        .nest("/pair", pair(debug))
        .nest("/early", early(debug))
        .nest("/block", block())
        .nest("/binding", binding())
}
"#,
        &[
            "GET /branch/a @a list [auth]",
            "RG008 @branch",
            "GET /arm/a @a list [auth]",
            "RG008 @arm",
            "GET /default/a @a list [auth]",
            "RG008 @default",
            "GET /field/a @a list [auth]",
            "RG008 @field",
            "GET /pair/a @a list [auth]",
            "RG008 @pair",
            "GET /early/a @a list [auth]",
            "RG008 @early",
            "GET /block/a @a list [auth]",
            "RG008 @block",
            "GET /binding/b @b show",
            "RG008 @binding",
        ],
    ),
    Shape::app(
        "a_router_of_elsewhere_in_a_nest",
        r#"
use axum::Router;

fn section() -> Router {
    Router::new().nest("/b", web_kit::section()) //~ section
}

pub fn app() -> Router {
    Router::new().nest("/a", section())
}
"#,
        &["ANY /a/b{?} @section -"],
    ),
    Shape::app(
        "a_router_through_code_of_elsewhere_on_one_way",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn open() -> Router {
    Router::new().route("/open", get(show)) //~ open
}

fn closed() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)) //~ auth
}

fn either() -> Router {
    if std::env::var_os("OPEN").is_some() {
        open()
    } else {
        web_kit::with_defaults(closed()) //~ kit
    }
}

pub fn app() -> Router {
    Router::new().merge(either())
}
"#,
        &[
            "GET /open @open show",
            "GET /a @a list [auth]",
            "RG008 @kit",
        ],
    ),
    Shape::app(
        "services_of_elsewhere_on_both_ways",
        r#"
use axum::{Router, middleware::from_fn, routing::get};
use web_kit::Traced;

use crate::guards::auth;
use crate::handlers::{list, show};

fn open() -> Router {
    Router::new().route("/open", get(show)) //~ open
}

fn closed() -> Router {
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(auth)) //~ auth
}

/// A service around the router, whichever it is.
pub fn app() -> Traced<Router> {
    if std::env::var_os("OPEN").is_some() {
        Traced::new(open()) //~ traced
    } else {
        Traced::new(closed())
    }
}
"#,
        &[
            "GET /open @open show",
            "GET /a @a list [auth]",
            "RG008 @traced",
        ],
    ),
];
