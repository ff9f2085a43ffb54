//! Routers in variants, in errors, and behind what lends or takes them by `&mut`.

use super::{Shape, check};

#[test]
fn variants() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "cases_that_share_a_name",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

enum Mode {
    Open(Router),
    Closed(Router),
}

fn mode() -> Mode {
    if std::env::var_os("OPEN").is_some() {
        Mode::Open(Router::new().route("/open", get(show))) //~ open
    } else {
        let router = Router::new().route("/a", get(list)); //~ a
        Mode::Closed(router.layer(from_fn(auth))) //~ auth
    }
}

pub fn app() -> Router {
    match mode() {
        Mode::Closed(router) | Mode::Open(router) => router,
    }
}
"#,
        &["GET /open @open show", "GET /a @a list [auth]"],
    ),
    Shape::app(
        "routers_in_errors",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn guarded(router: Router) -> Result<Router, Router> {
    if std::env::var_os("OPEN").is_some() {
        Err(router)
    } else {
        Ok(router.layer(from_fn(auth))) //~ maybe
    }
}

fn inner() -> Result<Router, Router> {
    if std::env::var_os("OPEN").is_some() {
        return Err(Router::new().route("/inner", get(show))); //~ inner
    }
    Ok(Router::new())
}

fn outer() -> Result<Router, Router> {
    let router = inner()?;
    Ok(router.layer(from_fn(auth))) //~ ok
}

pub fn app() -> Router {
    let one = match guarded(Router::new().route("/one", get(list))) { //~ one
        Ok(router) => router,
        Err(router) => router,
    };
    let (Ok(other) | Err(other)) = outer();
    one.merge(other)
}
"#,
        &[
            "GET /one @one list [maybe?]",
            "GET /inner @inner show [ok?]",
        ],
    ),
    Shape::app(
        "functions_of_two_that_change_a_router",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

#[cfg(feature = "open")]
fn guard(_: &mut Router) {}

#[cfg(not(feature = "open"))]
fn guard(router: &mut Router) {
    *router = std::mem::take(router).layer(from_fn(auth)); //~ cfg
}

fn open(_: &mut Router) {}

fn closed(router: &mut Router) {
    *router = std::mem::take(router).layer(from_fn(auth)); //~ chosen
}

pub fn app() -> Router {
    let mut a = Router::new().route("/a", get(list)); //~ a
    guard(&mut a);
    let mut b = Router::new().route("/b", get(show)); //~ b
    let chosen: fn(&mut Router) = if std::env::var_os("OPEN").is_some() { open } else { closed };
    chosen(&mut b);
    a.merge(b)
}
"#,
        &["GET /a @a list [cfg?]", "GET /b @b show [chosen?]"],
    ),
    Shape::app(
        "accessors_that_choose",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

struct Parts {
    public: Router,
    staff: Router,
}

impl Parts {
    fn part(&mut self, staff: bool) -> &mut Router {
        if staff { &mut self.staff } else { &mut self.public }
    }
}

fn add(router: &mut Router) {
    *router = std::mem::take(router).route("/open", get(show));
}

pub fn app() -> Router {
    let mut parts = Parts {
        public: Router::new(),
        staff: Router::new().route("/a", get(list)), //~ a
    };
    add(parts.part(false)); //~ added
    parts.staff.layer(from_fn(auth)).merge(parts.public) //~ auth
}
"#,
        &["GET /a @a list [auth]", "RG008 @added"],
    ),
];
