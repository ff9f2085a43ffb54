//! Lists whose order or length changes: what is not known to come later covers nothing.

use super::{Shape, check};

#[test]
fn list_orders() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "steps_in_another_order",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::{auth, log};
use crate::handlers::list;

type Step = fn(Router) -> Router;

fn inserted(app: Router) -> Router {
    app.route("/inserted", get(list)) //~ inserted
}

fn inserted_guard(app: Router) -> Router {
    app.layer(from_fn(auth)) //~ auth_inserted
}

fn reversed(app: Router) -> Router {
    app.route("/reversed", get(list)) //~ reversed
}

fn reversed_guard(app: Router) -> Router {
    app.layer(from_fn(auth)) //~ auth_reversed
}

fn sorted(app: Router) -> Router {
    app.route("/sorted", get(list)) //~ sorted
}

fn sorted_guard(app: Router) -> Router {
    app.layer(from_fn(auth)) //~ auth_sorted
}

fn fronted(app: Router) -> Router {
    app.route("/fronted", get(list)) //~ fronted
}

fn fronted_guard(app: Router) -> Router {
    app.layer(from_fn(auth)) //~ auth_fronted
}

fn run(steps: Vec<Step>) -> Router {
    let mut app = Router::new();
    for step in steps {
        app = step(app);
    }
    app
}

pub fn app() -> Router {
    let mut first: Vec<Step> = vec![inserted];
    first.insert(0, inserted_guard);
    let mut second: Vec<Step> = vec![reversed_guard, reversed];
    second.reverse();
    let mut third: Vec<Step> = vec![sorted, sorted_guard];
    third.sort_by_key(|step| *step as usize);
    let mut fourth = std::collections::VecDeque::new();
    fourth.push_back(fronted_guard);
    fourth.push_front(fronted);
    let mut app = run(first).merge(run(second)).merge(run(third));
    let mut last = Router::new();
    for step in fourth {
        last = step(last);
    }
    app = app.merge(last);
    app
}
"#,
        &[
            "GET /inserted @inserted list",
            "GET /reversed @reversed list [auth_reversed]",
            "GET /sorted @sorted list [auth_sorted?]",
            "GET /fronted @fronted list [auth_fronted]",
        ],
    ),
    Shape::app(
        "elements_that_may_be_left_out",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::list;

fn one(path: &str) -> Router {
    Router::new().route(path, get(list)) //~ one
}

fn guarded(app: Router) -> Router {
    app.layer(from_fn(auth)) //~ auth_step
}

pub fn app() -> Router {
    let strict = std::env::args().count() > 1;
    let mut filtered = one("/filtered");
    for guard in [from_fn(auth)].into_iter().filter(|_| strict) {
        filtered = filtered.layer(guard); //~ auth_filtered
    }
    let mut retained = one("/retained");
    let mut steps: Vec<fn(Router) -> Router> = vec![guarded];
    steps.retain(|_| strict);
    for step in steps {
        retained = step(retained);
    }
    let mut app = filtered.merge(retained);
    for part in [one("/a"), one("/b")].into_iter().skip(usize::from(strict)) {
        app = app.merge(part);
    }
    let [.., last] = [one("/c").layer(from_fn(auth)), one("/d")];
    let [first, rest @ .., end] = [one("/e"), one("/f"), one("/g"), one("/h")];
    for part in rest {
        app = app.merge(part.layer(from_fn(auth))); //~ auth_rest
    }
    app.merge(last).merge(first).merge(end)
}
"#,
        &[
            "GET /filtered @one list [auth_filtered?]",
            "GET /retained @one list [auth_step?]",
            "GET /a @one list",
            "GET /b @one list",
            "GET /d @one list",
            "GET /e @one list",
            "GET /f @one list [auth_rest]",
            "GET /g @one list [auth_rest]",
            "GET /h @one list",
        ],
    ),
    Shape::app(
        "lists_with_something_unknown",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::auth;
use crate::handlers::{list, show};

fn guarded(path: &str) -> Router {
    Router::new().route(path, get(list)).layer(from_fn(auth)) //~ guarded auth
}

pub fn app() -> Router {
    let mut parts = vec![guarded("/a")];
    parts.extend(tower::routers());
    let mut app = Router::new();
    for part in parts {
        app = app.merge(part); //~ extended
    }
    let mut more = vec![guarded("/b")];
    more.splice(0..0, [Router::new().route("/open", get(show))]); //~ spliced
    for part in more {
        app = app.merge(part);
    }
    app
}
"#,
        &[
            "GET /a @guarded list [auth]",
            "RG008 @extended",
            "GET /b @guarded list [auth]",
            "RG008 @spliced",
        ],
    ),
];
