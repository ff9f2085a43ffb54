//! How routes are registered: names, verbs, chains, services.

use super::{Shape, check};

#[test]
fn registration() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "names_of_verbs",
        r#"
use axum::routing::{self, get as g, patch};
use axum::{Router, routing::delete as del};

use crate::handlers::{create, list, remove, show, update};

pub fn app() -> Router {
    Router::new()
        .route("/a", g(list)) //~ a
        .route("/b", routing::post(create)) //~ b
        .route("/c", axum::routing::put(update)) //~ c
        .route("/d", ::axum::routing::get(show)) //~ d
        .route("/e", del(remove)) //~ e
        .route("/f", patch(update)) //~ f
}
"#,
        &[
            "GET /a @a list",
            "POST /b @b create",
            "PUT /c @c update",
            "GET /d @d show",
            "DELETE /e @e remove",
            "PATCH /f @f update",
        ],
    ),
    Shape::app(
        "names_of_the_router",
        r#"
use axum::Router as AxumRouter;
use axum::routing::Router as Routes;
use axum::routing::*;

use crate::handlers::*;

pub fn app() -> AxumRouter {
    let first = Routes::new().route("/a", get(list)); //~ a
    let second = axum::Router::default().route("/b", options(show)); //~ b
    let third: AxumRouter = Default::default();
    third
        .route("/c", head(show).trace(list)) //~ c
        .merge(first)
        .merge(second)
}
"#,
        &[
            "GET /a @a list",
            "OPTIONS /b @b show",
            "HEAD /c @c show",
            "TRACE /c @c list",
        ],
    ),
    Shape::app(
        "router_behind_an_alias",
        r#"
use axum::routing::get;

use crate::handlers::{list, show};

#[derive(Clone)]
pub struct Shared;

pub type Routes<S = Shared> = axum::Router<S>;

fn users() -> Routes {
    Routes::new().route("/users", get(list)) //~ users
}

pub fn app() -> axum::Router {
    Routes::<Shared>::new()
        .route("/", get(show)) //~ root
        .merge(users())
        .with_state(Shared)
}
"#,
        &["GET / @root show", "GET /users @users list"],
    ),
    Shape::app(
        "chains_of_verbs",
        r#"
use axum::Router;
use axum::routing::{MethodRouter, delete, get, post};

use crate::handlers::{create, list, remove, show, update};

pub fn app() -> Router {
    Router::new()
        .route("/users", get(list).post(create)) //~ users
        .route( //~ user
            "/users/{id}",
            get(show)
                .put(update)
                .patch(update)
                .delete(remove),
        )
        .route("/new", MethodRouter::new().get(list).post(create)) //~ new
        .route("/merged", get(list).merge(post(create)).merge(delete(remove))) //~ merged
        .route("/", MethodRouter::default().options(list)) //~ root
}
"#,
        &[
            "GET /users @users list",
            "POST /users @users create",
            "GET /users/{id} @user show",
            "PUT /users/{id} @user update",
            "PATCH /users/{id} @user update",
            "DELETE /users/{id} @user remove",
            "GET /new @new list",
            "POST /new @new create",
            "GET /merged @merged list",
            "POST /merged @merged create",
            "DELETE /merged @merged remove",
            "OPTIONS / @root list",
        ],
    ),
    Shape::app(
        "same_path_in_two_calls",
        r#"
use axum::{Router, middleware::from_fn, routing::{get, post}};

use crate::guards::auth;
use crate::handlers::{create, list};

pub fn app() -> Router {
    Router::new()
        .route("/users", get(list)) //~ get
        .layer(from_fn(auth)) //~ auth
        .route("/users", post(create)) //~ post
}
"#,
        &["GET /users @get list [auth]", "POST /users @post create"],
    ),
    Shape::app(
        "filters_of_methods",
        r#"
use axum::Router;
use axum::routing::{MethodFilter, MethodRouter, get, on, on_service};
use tower::service_fn;

use crate::handlers::{create, list, update};

const WRITES: MethodFilter = MethodFilter::PUT.or(MethodFilter::PATCH);

pub fn app() -> Router {
    Router::new()
        .route("/a", on(MethodFilter::GET, list)) //~ a
        .route("/b", on(MethodFilter::GET.or(MethodFilter::POST), create)) //~ b
        .route("/c", get(list).on(MethodFilter::DELETE, update)) //~ c
        .route("/d", on(WRITES, update)) //~ d
        .route("/e", MethodRouter::new().on(MethodFilter::HEAD, list)) //~ e
        .route("/f", on_service(MethodFilter::POST, service_fn(answer))) //~ f
}

async fn answer(_: axum::extract::Request) -> Result<axum::response::Response, std::convert::Infallible> {
    Ok(Default::default())
}
"#,
        &[
            "GET /a @a list",
            "GET /b @b create",
            "POST /b @b create",
            "GET /c @c list",
            "DELETE /c @c update",
            "PUT /d @d update",
            "PATCH /d @d update",
            "HEAD /e @e list",
            "POST /f @f -",
        ],
    ),
    Shape::app(
        "filter_of_run_time",
        r#"
use axum::Router;
use axum::http::Method;
use axum::routing::{MethodFilter, on};

use crate::handlers::list;

pub fn app() -> Router {
    let method: Method = std::env::var("METHOD").unwrap_or_default().parse().unwrap_or_default();
    let filter = MethodFilter::try_from(method).unwrap_or(MethodFilter::GET);
    Router::new().route("/hook", on(filter, list)) //~ hook
}
"#,
        &["RG008 @hook"],
    ),
    Shape::app(
        "every_method",
        r#"
use axum::Router;
use axum::routing::{any, any_service, get, get_service, post_service};
use tower_http::services::{ServeDir, ServeFile};

use crate::handlers::{list, missing, show};

pub fn app() -> Router {
    Router::new()
        .route("/any", any(list)) //~ any
        .route("/mixed", any(list).get(show)) //~ mixed
        .route("/fallback", get(show).fallback(missing)) //~ fallback
        .route("/robots.txt", get_service(ServeFile::new("assets/robots.txt"))) //~ robots
        .route("/upload", post_service(ServeDir::new("up"))) //~ upload
        .route("/logo", any_service(ServeFile::new("assets/logo.svg"))) //~ logo
        .route_service("/favicon.ico", ServeFile::new("assets/favicon.ico")) //~ favicon
        .nest_service("/assets", ServeDir::new("assets")) //~ assets
        .fallback_service(ServeDir::new("dist")) //~ dist
}
"#,
        &[
            "ANY /any @any list",
            "ANY /mixed @mixed list",
            "GET /mixed @mixed show",
            "GET /fallback @fallback show",
            "ANY /fallback @fallback missing",
            "GET /robots.txt @robots -",
            "POST /upload @upload -",
            "ANY /logo @logo -",
            "ANY /favicon.ico @favicon -",
            "ANY /assets @assets -",
            "ANY <fallback:/> @dist -",
        ],
    ),
    Shape::app(
        "paths_of_methods",
        r#"
use axum::Router;
use axum::routing::get;

use crate::handlers::{list, show};

pub fn app() -> Router {
    let router = Router::new();
    let router = Router::route(router, "/a", get(list)); //~ a
    let inner = axum::Router::<()>::new().route("/b", get(show)); //~ b
    let router = Router::nest(router, "/n", inner);
    <Router>::fallback(router, list) //~ missing
}
"#,
        &[
            "GET /a @a list",
            "GET /n/b @b show",
            "ANY <fallback:/> @missing list",
        ],
    ),
    Shape::app(
        "method_router_from_a_function",
        r#"
use axum::Router;
use axum::routing::{MethodRouter, get, post};

use crate::handlers::{create, list, show};

fn users() -> MethodRouter {
    get(list).post(create)
}

fn reading<S: Clone + Send + Sync + 'static>() -> MethodRouter<S> {
    get(show)
}

pub fn app() -> Router {
    let writing = post(create);
    Router::new()
        .route("/users", users()) //~ users
        .route("/both", reading().merge(writing.clone())) //~ both
        .route("/write", writing) //~ write
}
"#,
        &[
            "GET /users @users list",
            "POST /users @users create",
            "GET /both @both show",
            "POST /both @both create",
            "POST /write @write create",
        ],
    ),
    Shape::app(
        "methods_that_are_not_known",
        r#"
use axum::Router;
use axum::routing::MethodRouter;

pub fn app(plugins: &[(String, fn() -> MethodRouter)]) -> Router {
    let hook = plugins[0].1;
    Router::new().route("/hook", hook()) //~ hook
}
"#,
        &["RG008 @hook"],
    ),
];
