//! Types and names that are something else depending on how it is built: none of it is a guard.

use super::{Shape, check};

#[test]
fn twins_of_types() {
    check(SHAPES);
}

const POLICY: &str = r#"
[routes]
guards = ["app::guards::User", "app::guards::AuthLayer", "app::guards::auth"]
extractors = ["app::guards::User"]
"#;

const GUARDS: &str = r#"
pub struct User;
pub struct Anyone;

#[derive(Clone)]
pub struct AuthLayer {
    strict: bool,
}

impl AuthLayer {
    pub fn new() -> Self {
        Self { strict: true }
    }
}

pub mod lax {
    #[derive(Clone)]
    pub struct AuthLayer {
        strict: bool,
    }

    impl AuthLayer {
        pub fn new() -> Self {
            Self { strict: false }
        }
    }

    pub async fn auth(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
        next.run(request).await
    }
}

pub async fn auth(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
    next.run(request).await
}

/// Has a guard of its own that is called as the other one is.
pub fn protect(app: axum::Router) -> axum::Router {
    async fn auth(request: axum::extract::Request, next: axum::middleware::Next) -> axum::response::Response {
        next.run(request).await
    }
    app.layer(axum::middleware::from_fn(auth)) //~ auth_local
}
"#;

const MAIN: &str = r#"
mod app;
mod guards;

#[tokio::main]
async fn main() {
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app::app()).await.unwrap();
}
"#;

const SHAPES: &[Shape] = &[
    Shape::files(
        "types_and_names_under_cfg",
        &[
            ("xtask.toml", POLICY),
            ("src/guards.rs", GUARDS),
            ("src/main.rs", MAIN),
            (
                "src/app.rs",
                r#"
use axum::{Router, middleware::{from_extractor, from_fn}, routing::get};

#[cfg(feature = "auth")]
use crate::guards::{AuthLayer, User as Caller, auth};
#[cfg(not(feature = "auth"))]
use crate::guards::{Anyone as Caller, lax::{AuthLayer, auth}};

use crate::guards;

#[cfg(feature = "auth")]
use tower::auth as outside;
#[cfg(not(feature = "auth"))]
use crate::guards::auth as outside;

#[cfg(feature = "auth")]
type Guard = guards::User;
#[cfg(not(feature = "auth"))]
type Guard = guards::Anyone;

#[cfg(feature = "auth")]
mod imp {
    pub struct Guards;

    impl Guards {
        pub fn protect(app: axum::Router) -> axum::Router {
            app.layer(axum::middleware::from_fn(crate::guards::auth)) //~ auth_called
        }

        pub fn dress(&self, app: axum::Router) -> axum::Router {
            app.layer(axum::middleware::from_fn(crate::guards::auth)) //~ auth_method
        }
    }
}

#[cfg(not(feature = "auth"))]
mod imp {
    pub struct Guards;

    impl Guards {
        pub fn protect(app: axum::Router) -> axum::Router {
            app
        }

        pub fn dress(&self, app: axum::Router) -> axum::Router {
            app
        }
    }
}

async fn plain() {}

async fn twin(_: Caller) {}

async fn sure(_: guards::User) {}

fn one(path: &str) -> Router {
    Router::new().route(path, get(plain)) //~ one
}

fn dressed(guards: &imp::Guards, app: Router) -> Router {
    guards.dress(app)
}

#[cfg(feature = "auth")]
use crate::guards::auth as gone;
#[cfg(not(feature = "auth"))]
use crate::nowhere::auth as gone;

#[cfg(feature = "enterprise")]
use enterprise::routes as more;
#[cfg(not(feature = "enterprise"))]
use self::plain_routes as more;

fn plain_routes() -> Router {
    one("/more")
}

mod globs {
    #[cfg(feature = "auth")]
    use crate::guards::*;
    #[cfg(not(feature = "auth"))]
    use crate::guards::lax::*;

    pub fn app(app: axum::Router) -> axum::Router {
        app.layer(axum::middleware::from_fn(auth)) //~ auth_glob
    }
}

pub fn app() -> Router {
    let branched = if std::env::args().count() > 1 { guards::AuthLayer::new() } else { guards::AuthLayer::new() };
    Router::new()
        .route("/argument", get(twin)) //~ argument
        .route("/sure", get(sure)) //~ sure
        .merge(one("/alias").layer(from_extractor::<Guard>())) //~ auth_alias
        .merge(one("/layer").layer(AuthLayer::new())) //~ auth_layer
        .merge(one("/same").layer(branched)) //~ auth_same
        .merge(one("/function").layer(from_fn(auth))) //~ auth_function
        .merge(one("/outside").layer(from_fn(outside))) //~ auth_outside
        .merge(one("/gone").layer(from_fn(gone))) //~ auth_gone
        .merge(more()) //~ more
        .merge(globs::app(one("/glob")))
        .merge(imp::Guards::protect(one("/called")))
        .merge(dressed(&imp::Guards, one("/method")))
        .merge(guards::protect(one("/local")))
}
"#,
            ),
        ],
        &[
            "GET /argument @argument twin",
            "GET /sure @sure sure [access:app::guards::User]",
            "GET /alias @one plain [auth_alias?]",
            "GET /layer @one plain [auth_layer?]",
            "GET /same @one plain [auth_same]",
            "GET /function @one plain [auth_function?]",
            "GET /outside @one plain [auth_outside?]",
            "GET /gone @one plain [auth_gone?]",
            "GET /more @one plain",
            "RG008 @more",
            "GET /glob @one plain [auth_glob?]",
            "GET /called @one plain [auth_called?]",
            "GET /method @one plain [auth_method?]",
            "GET /local @one plain [auth_local?]",
        ],
    ),
    Shape::files(
        "aliases_of_what_lets_pass",
        &[
            ("xtask.toml", POLICY),
            ("src/guards.rs", GUARDS),
            ("src/main.rs", MAIN),
            (
                "src/app.rs",
                r#"
use axum::{Router, middleware::from_extractor, routing::get};

use crate::guards::{self, User};

type Caller = User;
type Maybe = Option<User>;
type Ours = Result<Router, std::io::Error>;

async fn plain() {}

async fn caller(_: Caller) {}

async fn maybe(_: Maybe) {}

async fn plainly(_: Option<User>) {}

fn more() -> Ours {
    Ok(Router::new().route("/more", get(plain))) //~ more
}

pub fn app() -> Router {
    Router::new()
        .route("/maybe", get(maybe)) //~ maybe
        .route("/plainly", get(plainly)) //~ plainly
        .route("/caller", get(caller)) //~ caller
        .route("/layer", get(plain).layer(from_extractor::<Maybe>())) //~ layer auth_maybe
        .route("/sure", get(plain).layer(from_extractor::<Caller>())) //~ sure auth_sure
        .merge(more().unwrap())
}
"#,
            ),
        ],
        &[
            "GET /maybe @maybe maybe",
            "GET /plainly @plainly plainly",
            "GET /caller @caller caller [access:app::guards::User]",
            "GET /layer @layer plain [auth_maybe?]",
            "GET /sure @sure plain [auth_sure]",
            "GET /more @more plain",
        ],
    ),
    Shape::app(
        "aliases_of_themselves",
        r#"
use axum::Router;

type A = B;
type B = C;
type C = A;

pub fn app() -> Router {
    Router::new().merge(A::new()) //~ cycle
}
"#,
        &["RG008 @cycle"],
    ),
];
