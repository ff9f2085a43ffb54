//! How names are found: scopes, imports in odd places, circles.

use super::{Shape, check};

#[test]
fn names() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "imports_in_functions_and_circles",
        &[
            (
                "src/main.rs",
                r#"
mod a;
mod b;
mod handlers;
mod outer {
    pub mod inner;

    pub mod open {
        pub mod deep;
    }
}

pub use a::*;
pub use b::*;

fn main() {
    use axum::Router;
    use axum::routing::get as read;

    fn routes() -> Router {
        use crate::outer::inner::routes;

        routes().merge(crate::outer::open::deep::routes())
    }

    let app = {
        use self::a::Section::{self, *};

        let first: Section = First;
        Router::new()
            .route("/main", read(handlers::list)) //~ main
            .merge(first.routes())
            .merge(Section::routes(Second))
    };
    let app = app.merge(routes()).merge(shared()).merge(crate::a::b_again());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
        axum::serve(listener, app).await.unwrap();
    });
}
"#,
            ),
            (
                "src/a.rs",
                r#"
pub use crate::b::routes as b_again;
pub use crate::*;

pub enum Section {
    First,
    Second,
}

impl Section {
    pub fn routes(self) -> axum::Router {
        let path = match self {
            Self::First => "/first",
            Self::Second => "/second",
        };
        axum::Router::new().route(path, axum::routing::get(crate::handlers::show)) //~ section
    }
}
"#,
            ),
            (
                "src/b.rs",
                r#"
use axum::{Router, routing::get};

pub use crate::a::*;

pub fn routes() -> Router {
    Router::new().route("/b", get(crate::handlers::list)) //~ b
}

pub fn shared() -> Router {
    Router::new().route("/shared", get(crate::handlers::list)) //~ shared
}
"#,
            ),
            (
                "src/outer/inner.rs",
                r#"
use axum::{Router, routing::get};

use super::super::handlers::list;

pub fn routes() -> Router {
    Router::new().route("/inner", get(list)) //~ inner
}
"#,
            ),
            (
                "src/outer/open/deep.rs",
                r#"
use axum::{Router, routing::get};

use super::super::super::handlers::list;

pub fn routes() -> Router {
    Router::new().route("/deep", get(list)) //~ deep
}
"#,
            ),
        ],
        &[
            "GET /main @main list",
            // Which section it is, is not followed.
            "GET {?} @section show",
            "GET /inner @inner list",
            "GET /deep @deep list",
            "GET /shared @shared list",
            "GET /b @b list",
        ],
    ),
    Shape::files(
        "extensions_of_another_crate",
        &[
            (
                "crates/kit/src/lib.rs",
                r#"
mod guards;

pub mod prelude {
    pub use crate::ext::{MethodExt as _, RouterExt};
}

mod ext {
    use axum::{Router, middleware::from_fn, routing::{MethodRouter, get}};

    pub trait RouterExt: Sized {
        fn probes(self) -> Self;

        fn guarded(self) -> Self;
    }

    impl<S> RouterExt for Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        fn probes(self) -> Self {
            self.route("/livez", get(|| async { "ok" })) //~ livez
                .route("/readyz", get(|| async { "ok" })) //~ readyz
        }

        fn guarded(self) -> Self {
            self.route_layer(from_fn(crate::guards::auth)) //~ auth_router
        }
    }

    pub trait MethodExt {
        fn staff_only(self) -> Self;
    }

    impl MethodExt for MethodRouter {
        fn staff_only(self) -> Self {
            self.layer(from_fn(crate::guards::auth)) //~ auth_methods
        }
    }
}
"#,
            ),
            (
                "apps/web/src/main.rs",
                r#"
mod handlers;

use axum::{Router, routing::{get, post}};
use kit::prelude::*;

#[tokio::main]
async fn main() {
    let app = Router::new()
        .route("/a", get(handlers::list)) //~ a
        .guarded()
        .route("/b", get(handlers::show).merge(post(handlers::create).staff_only())) //~ b
        .probes();
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
        ],
        &[
            "web: GET /a @a list [auth_router]",
            "web: GET /b @b show",
            "web: POST /b @b create [auth_methods]",
            "web: GET /livez @livez closure",
            "web: GET /readyz @readyz closure",
        ],
    ),
    Shape::files(
        "functions_of_one_name_in_two_crates",
        &[
            (
                "crates/users/src/lib.rs",
                r#"
mod handlers;

pub struct Module;

impl Module {
    pub fn routes(&self) -> axum::Router {
        routes()
    }
}

pub fn routes() -> axum::Router {
    axum::Router::new().route("/users", axum::routing::get(handlers::list)) //~ users
}
"#,
            ),
            (
                "crates/orders/src/lib.rs",
                r#"
mod handlers;

pub struct Module;

impl Module {
    pub fn routes(&self) -> axum::Router {
        routes().route("/orders/new", axum::routing::post(handlers::create)) //~ new
    }
}

pub fn routes() -> axum::Router {
    axum::Router::new().route("/orders", axum::routing::get(handlers::show)) //~ orders
}
"#,
            ),
            (
                "apps/web/src/main.rs",
                r#"
use axum::Router;

fn routes() -> Router {
    let modules = (users::Module, orders::Module);
    modules.0.routes().merge(modules.1.routes())
}

#[tokio::main]
async fn main() {
    let app = routes().nest("/v2", users::routes());
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
        ],
        &[
            "web: GET /users @users list",
            "web: GET /orders @orders show",
            "web: POST /orders/new @new create",
            "web: GET /v2/users @users list",
        ],
    ),
];
