//! False friends: code that looks like routing and is none. No rows, no findings.

use super::{Shape, check};

#[test]
fn friends() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::app(
        "methods_of_other_things",
        r#"
use axum::http::{HeaderMap, HeaderValue};
use axum::{Router, routing::get};
use figment::{Figment, providers::{Env, Format as _, Toml}};
use headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use tower::{Layer as _, ServiceBuilder};
use tower_http::services::{ServeDir, ServeFile};
use tracing_subscriber::{fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::handlers::list;

struct Keys(Vec<&'static str>);

impl Keys {
    fn merge(mut self, other: Keys) -> Self {
        self.0.extend(other.0);
        self
    }
}

fn settings() -> Figment {
    Figment::new()
        .merge(Toml::file("app.toml"))
        .merge(Env::prefixed("APP_").global())
        .merge(("path", "/none"))
}

fn bearer(headers: &HeaderMap) -> Option<Authorization<Bearer>> {
    headers.get("/x").or(headers.get("authorization"))?;
    headers.typed_get()
}

fn subscribe() {
    tracing_subscriber::registry()
        .with(fmt::layer())
        .with(tracing_subscriber::filter::LevelFilter::INFO)
        .init();
}

async fn call(client: reqwest::Client) -> reqwest::Result<String> {
    client.get("https://example.test/a").send().await?;
    client.post("https://example.test/b").send().await?.text().await
}

pub fn app() -> Router {
    subscribe();
    let _ = settings().extract::<String>();
    let keys = Keys(vec!["/a"]).merge(Keys(vec!["/b"]));
    let mut headers = HeaderMap::new();
    headers.insert("x", HeaderValue::from_static("/x"));
    let _ = (bearer(&headers), call(reqwest::Client::new()), keys);
    let files = ServeDir::new("dist").fallback(ServeFile::new("dist/index.html"));
    let _service = ServiceBuilder::new().service(tower::service_fn(|()| async { Ok::<_, ()>(()) }));
    Router::new()
        .route("/a", get(list)) //~ a
        .fallback_service(files) //~ files
}
"#,
        &["GET /a @a list", "ANY <fallback:/> @files -"],
    ),
    Shape::app(
        "router_of_ones_own",
        r#"
use axum::routing;

use crate::handlers::list;

/// Finds packets their way.
#[derive(Default)]
pub struct Router {
    table: Vec<(String, u16)>,
}

impl Router {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn route(mut self, to: &str, port: u16) -> Self {
        self.table.push((to.to_owned(), port));
        self
    }

    pub fn nest(self, prefix: &str, other: Router) -> Self {
        other.table.into_iter().fold(self, |router, (to, port)| router.route(&format!("{prefix}{to}"), port))
    }

    pub fn merge(mut self, other: Router) -> Self {
        self.table.extend(other.table);
        self
    }

    pub fn layer(self, _: u16) -> Self {
        self
    }
}

fn get(port: u16) -> u16 {
    port
}

pub fn app() -> axum::Router {
    let packets = Router::new()
        .route("/lan", get(1))
        .nest("/wan", Router::new().route("/a", get(2)))
        .merge(Router::new().route("/b", 3))
        .layer(7);
    println!("{}", packets.table.len());
    axum::Router::new().route("/a", routing::get(list)) //~ a
}
"#,
        &["GET /a @a list"],
    ),
    Shape::files(
        "servers_of_other_kinds",
        &[(
            "src/main.rs",
            r#"
use tonic::transport::Server;
use tower::{ServiceBuilder, timeout::TimeoutLayer};

struct Layers(Vec<&'static str>);

impl Layers {
    fn layer(mut self, name: &'static str) -> Self {
        self.0.push(name);
        self
    }

    async fn serve(self, address: &str) {
        println!("{address}: {}", self.0.join(" "));
    }
}

#[tokio::main]
async fn main() {
    let stack = ServiceBuilder::new().layer(TimeoutLayer::new(std::time::Duration::from_secs(3)));
    Server::builder()
        .layer(stack)
        .add_service(greeter::greeter_server::GreeterServer::new(Greets))
        .serve("[::]:50051".parse().unwrap())
        .await
        .unwrap();
    Layers(Vec::new()).layer("a").layer("b").serve("[::]:1").await;
    let app = axum::Router::new().route("/a", axum::routing::get(|| async {})); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}

mod greeter {
    tonic::include_proto!("greeter");
}
"#,
        )],
        &["GET /a @a closure"],
    ),
    Shape::files(
        "texts_and_attributes",
        &[(
            "src/main.rs",
            r#"
//! A client that writes axum code.

const TEMPLATE: &str = "Router::new().route(\"/template\", get(handler))";

macro_rules! print_it {
    ($($code:tt)*) => { println!("{}", stringify!($($code)*)) };
}

#[derive(Debug)]
struct Endpoint {
    route: &'static str,
}

#[actix_web::get("/attribute")]
async fn attribute() -> &'static str {
    "attribute"
}

#[tokio::main]
async fn main() {
    println!("{TEMPLATE} {:?}", Endpoint { route: "/field" });
    print_it!(Router::new().route("/stringified", get(handler)));
    let map = std::collections::HashMap::from([("/a", 1)]);
    println!("{:?} {}", map.get("/a"), attribute as fn() as usize);
    let app = axum::Router::new().route("/a", axum::routing::get(|| async {})); //~ a
    axum::serve(tokio::net::TcpListener::bind("[::]:80").await.unwrap(), app).await.unwrap();
}
"#,
        )],
        &["GET /a @a closure"],
    ),
];
