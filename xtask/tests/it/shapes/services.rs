//! Routers and method routers where a service or handler may stand: what covers all of them.

use super::{Shape, check};

#[test]
fn services() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "method_routers_as_services",
        r#"
use axum::{Router, middleware::from_fn, routing::{any, get}};

use crate::guards::auth;
use crate::handlers::{create, list, missing};

pub fn app() -> Router {
    let part = get(list).layer(from_fn(auth)).post(create); //~ auth_part
    let whole = get(list).post(create).layer(from_fn(auth)); //~ auth_whole
    let rest = get(list).route_layer(from_fn(auth)).fallback(missing); //~ auth_rest
    Router::new()
        .route_service("/part", part.clone()) //~ part
        .route("/any", any(part.clone())) //~ any
        .route_service("/whole", whole) //~ whole
        .route_service("/rest", rest) //~ rest
        .nest_service("/nested", part.clone()) //~ nested
        .fallback(part) //~ fallback
}
"#,
        &[
            "ANY /part @part list [auth_part?]",
            "ANY /any @any list [auth_part?]",
            "ANY /whole @whole list [auth_whole]",
            "ANY /rest @rest missing [auth_rest?]",
            "ANY /nested @nested list [auth_part?]",
            "ANY <fallback:/> @fallback list [auth_part?]",
        ],
    ),
    Shape::app(
        "routers_as_services",
        r#"
use axum::{Router, middleware::from_fn, routing::{any_service, get}};

use crate::guards::auth;
use crate::handlers::{list, missing};

pub fn app() -> Router {
    let late = Router::new().layer(from_fn(auth)).route("/late", get(list)); //~ auth_late
    let whole = Router::new().route("/whole", get(list)).layer(from_fn(auth)); //~ auth_whole
    let rest = Router::new()
        .route("/rest", get(list))
        .layer(from_fn(auth)) //~ auth_rest
        .fallback(missing);
    Router::new()
        .route("/late", any_service(late)) //~ late
        .route("/whole", any_service(whole)) //~ whole
        .route("/rest", any_service(rest)) //~ rest
}
"#,
        &[
            "ANY /late @late - [auth_late?]",
            "ANY /whole @whole - [auth_whole]",
            "ANY /rest @rest - [auth_rest?]",
        ],
    ),
    Shape::app(
        "routers_as_fallbacks",
        r#"
use axum::{Router, middleware::from_fn, routing::get};

use crate::guards::{auth, log};
use crate::handlers::{list, missing, show};

pub fn app() -> Router {
    let own = Router::new().route("/own", get(show)).route_layer(from_fn(auth)); //~ own auth_own
    Router::new()
        .route("/a", get(list)) //~ a
        .fallback_service(Router::new().route("/lost", get(show))) //~ lost
        .fallback_service(Router::new().route("/b", get(show)).merge(own).fallback(missing)) //~ b
        .route_layer(from_fn(auth)) //~ auth
        .layer(from_fn(log)) //~ log
}
"#,
        // The second fallback takes the place of the first.
        &[
            "GET /a @a list [auth log]",
            "GET /b @b show [log]",
            "GET /own @own show [auth_own log]",
            "ANY <fallback:/> @b missing [log]",
        ],
    ),
];
