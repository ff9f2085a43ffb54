//! gRPC services of tonic beside axum's routes, on the same server.

use super::{Shape, check};

#[test]
fn grpc() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "services_of_tonic",
        &[
            (
                "src/main.rs",
                r#"
mod guards;
mod handlers;
mod proto;

use axum::{Router, middleware::from_fn, routing::get};
use handlers::health;
use proto::v1::greeter_server::GreeterServer;
use tonic::service::Routes;

struct Greets;

impl Greets {
    fn into_server(self, limit: usize) -> proto::v2::GreeterServer<Self> {
        proto::v2::GreeterServer::new(self).max_decoding_message_size(limit)
    }
}

#[tokio::main]
async fn main() {
    let (_reporter, healthy) = tonic_health::server::health_reporter();
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTOR)
        .build_v1()
        .unwrap();
    let late = proto::v1::cook_server::CookServer::with_interceptor(Cooks, guards::auth); //~ auth_interceptor
    let grpc = Routes::new(GreeterServer::new(Greets)) //~ first unimplemented
        .add_service(Greets.into_server(1024)) //~ second
        .add_service(proto::old::plain_server::PlainServer::new(Greets)) //~ old
        .add_service(healthy) //~ healthy
        .prepare()
        .into_axum_router()
        .layer(from_fn(guards::auth)); //~ auth
    let open = Routes::default()
        .add_service(reflection) //~ reflection
        .add_service(tonic_web::enable(late)) //~ late
        .add_service(handlers::elsewhere()) //~ unknown
        .into_axum_router()
        .reset_fallback();
    let app = Router::new()
        .route("/health", get(health)) //~ health
        .merge(grpc)
        .merge(open);
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
            ),
            (
                "src/proto.rs",
                r#"
pub const DESCRIPTOR: &[u8] = tonic::include_file_descriptor_set!("shop");

pub mod v1 {
    tonic::include_proto!("shop.v1");
}

pub mod v2 {
    tonic::include_proto!("shop.v2");
    pub use greeter_server::GreeterServer;
}

pub mod old {
    include!(concat!(env!("OUT_DIR"), "/_.rs"));
}
"#,
            ),
        ],
        &[
            "GET /health @health health",
            "ANY /shop.v1.Greeter/{*rest} @first GreeterServer [auth]",
            "ANY /shop.v2.Greeter/{*rest} @second GreeterServer [auth]",
            "ANY /Plain/{*rest} @old PlainServer [auth]",
            "ANY /grpc.health.v1.Health/{*rest} @healthy Health [auth]",
            "ANY <fallback:/> @unimplemented unimplemented [auth]",
            "ANY /grpc.reflection.v1.ServerReflection/{*rest} @reflection ServerReflection",
            "ANY /shop.v1.Cook/{*rest} @late CookServer [auth_interceptor]",
            "ANY /{?}/{*rest} @unknown",
        ],
    ),
    Shape::files(
        "services_given_to_a_builder",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::middleware::from_fn;
use tonic::server::NamedService;
use tonic::service::Routes;

mod proto {
    tonic::include_proto!("shop");
}
use proto::{menu_server::MenuServer, orders_server::OrdersServer};

#[derive(Default)]
struct Server {
    services: Option<Routes>,
}

impl Server {
    fn register<S>(&mut self, service: S) -> &mut Self {
        let services = self.services.take().unwrap_or_default(); //~ unimplemented
        self.services = Some(services.add_service(service));
        self
    }

    async fn run(self) {
        let routes = self.services.unwrap();
        let router = routes.into_axum_router().layer(from_fn(guards::auth)); //~ auth
        let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
        axum::serve(listener, router).await.unwrap();
    }
}

struct Gate<S> {
    inner: S,
    is_open: bool,
}

impl<S: NamedService> NamedService for Gate<S> {
    const NAME: &'static str = S::NAME;
}

impl<S> Gate<S> {
    fn new(inner: S, is_open: bool) -> Self {
        Self { inner, is_open }
    }
}

struct Kitchen {
    server: Server,
}

impl Kitchen {
    fn open(cooks: usize) -> Self {
        let mut server = Server::default();
        if cooks > 0 {
            cook(&mut server);
        }
        server.register(Gate::new(MenuServer::new(Menu), true)); //~ menu
        Self { server }
    }

    async fn start(self) {
        self.server.run().await
    }
}

fn cook(server: &mut Server) {
    server.register(OrdersServer::new(Cook)); //~ orders
}

#[tokio::main]
async fn main() {
    Kitchen::open(2).start().await
}
"#,
        )],
        &[
            "ANY /shop.Orders/{*rest} @orders OrdersServer [auth]",
            "ANY /shop.Menu/{*rest} @menu MenuServer [auth]",
            "ANY <fallback:/> @unimplemented unimplemented [auth]",
        ],
    ),
    Shape::files(
        "services_put_into_tonics_builder",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

mod proto {
    tonic::include_proto!("shop");
}

#[tokio::main]
async fn main() {
    let mut builder = tonic::service::Routes::builder(); //~ unimplemented
    builder.add_service(proto::menu_server::MenuServer::new(Menu)); //~ menu
    if std::env::var("ORDERS").is_ok() {
        builder.add_service(proto::orders_server::OrdersServer::new(Cook)); //~ orders
    }
    let app = builder.routes().into_axum_router();
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, app).await.unwrap();
}
"#,
        )],
        &[
            "ANY /shop.Menu/{*rest} @menu MenuServer",
            "ANY /shop.Orders/{*rest} @orders OrdersServer",
            "ANY <fallback:/> @unimplemented unimplemented",
        ],
    ),
    Shape::files(
        "routes_that_tonic_serves",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::routing::get;
use tonic::{service::Routes, transport::Server};

mod proto {
    tonic::include_proto!("shop");
}

#[tokio::main]
async fn main() {
    let router = axum::Router::new().route("/health", get(handlers::health)); //~ health
    let routes = Routes::from(router).add_service(proto::menu_server::MenuServer::new(Menu)); //~ menu
    Server::builder()
        .add_routes(routes)
        .add_service(proto::orders_server::OrdersServer::new(Cook)) //~ orders
        .serve_with_shutdown("[::]:80".parse().unwrap(), async {})
        .await
        .unwrap();
}
"#,
        )],
        &[
            "GET /health @health health",
            "ANY /shop.Menu/{*rest} @menu MenuServer",
            "ANY /shop.Orders/{*rest} @orders OrdersServer",
        ],
    ),
];
