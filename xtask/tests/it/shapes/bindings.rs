//! Bindings: which router a name stands for.

use super::{Shape, check};

#[test]
fn bindings() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "shadowing",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let app = Router::new();
    let app = app.route("/a", get(list)); //~ a
    let open = app.clone();
    let app = {
        let app = app.layer(from_fn(auth)); //~ auth
        app.route("/b", get(show)) //~ b
    };
    {
        let app = Router::<()>::new().route("/dropped", get(list));
        drop(app);
    }
    let _ignored = open.clone().layer(from_fn(auth));
    app.nest("/open", open)
}
"#,
        &[
            "GET /a @a list [auth]",
            "GET /b @b show",
            "GET /open/a @a list",
        ],
    ),
    Shape::app(
        "assigned_tuples",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

pub fn app() -> Router {
    let (mut public, mut staff) = (Router::new(), Router::new());
    (public, staff) = (
        public.route("/a", get(list)), //~ a
        staff.route("/b", get(show)), //~ b
    );
    (staff, _) = (staff.layer(from_fn(auth)), 1); //~ auth
    public.merge(staff)
}
"#,
        &["GET /a @a list", "GET /b @b show [auth]"],
    ),
    Shape::app(
        "assigned_parts",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

struct Parts {
    all: (Router, u8),
    more: [Router; 2],
}

pub fn app() -> Router {
    let mut parts = Parts {
        all: (Router::new(), 0),
        more: [Router::new(), Router::new()],
    };
    parts.all.0 = parts.all.0.clone().route("/a", get(list)); //~ a
    parts.more[1] = std::mem::take(&mut parts.more[1]).route("/b", get(show)); //~ b
    let Parts { all: (first, _), more: [_, second] } = parts;
    first
        .layer(from_fn(auth)) //~ auth
        .merge(second)
}
"#,
        // A place in a list is not followed.
        &["GET /a @a list [auth]", "RG008 @b"],
    ),
];
