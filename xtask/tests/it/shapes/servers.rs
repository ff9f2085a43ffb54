//! Servers besides the plain one: threads, tasks, hyper, hosting platforms.

use super::{Shape, check};

#[test]
fn servers() {
    check(SHAPES);
}

const SHAPES: &[Shape] = &[
    Shape::files(
        "tasks_and_threads",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use axum::{Router, middleware::from_fn, routing::get};
use handlers::{health, list, show};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::JoinSet;

async fn listen(router: Router, address: &'static str) {
    let listener = TcpListener::bind(address).await.unwrap();
    axum::serve(listener, router).await.unwrap();
}

fn main() {
    let threaded = Router::new().route("/threaded", get(list)); //~ threaded
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(listen(threaded.layer(from_fn(guards::auth)), "[::]:80")); //~ auth
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        let set = Router::new().route("/set", get(show)); //~ set
        tasks.spawn(async move {
            let listener = UnixListener::bind("app.sock").unwrap();
            axum::serve(listener, set).await.unwrap();
        });
        tasks.spawn(listen(Router::new().route("/task", get(show)), "[::]:82")); //~ task
        for port in 83..85 {
            let app = Router::new().route("/health", get(health)); //~ health
            tasks.spawn(async move {
                let listener = TcpListener::bind(("::", port)).await.unwrap();
                axum::serve(listener, app).tcp_nodelay(true).await.unwrap();
            });
        }
        tasks.join_all().await;
    });
    thread.join().unwrap();
}
"#,
        )],
        &[
            "GET /threaded @threaded list [auth]",
            "GET /set @set show",
            "GET /task @task show",
            "GET /health @health health",
        ],
    ),
    Shape::files(
        "hyper",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, extract::Request, routing::get};
use handlers::{list, show};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tower::Service as _;

async fn by_hand() {
    let app = Router::new().route("/by-hand", get(list)); //~ hand
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let tower_service = app.clone();
        tokio::spawn(async move {
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                tower_service.clone().call(request)
            });
            auto::Builder::new(TokioExecutor::new())
                .serve_connection_with_upgrades(TokioIo::new(socket), service)
                .await
                .unwrap();
        });
    }
}

#[tokio::main]
async fn main() {
    tokio::spawn(by_hand());
    let app = Router::new().route("/adapted", get(show)); //~ adapted
    let service = TowerToHyperService::new(app);
    let listener = tokio::net::TcpListener::bind("[::]:81").await.unwrap();
    while let Ok((socket, _)) = listener.accept().await {
        let service = service.clone();
        tokio::spawn(async move {
            auto::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service)
                .await
        });
    }
}
"#,
        )],
        &["GET /by-hand @hand list", "GET /adapted @adapted show"],
    ),
    Shape::files(
        "returned_from_main",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, routing::get};

#[shuttle_runtime::main]
async fn main() -> shuttle_axum::ShuttleAxum {
    let router = Router::new().route("/users", get(handlers::list)); //~ users
    Ok(router.into())
}
"#,
        )],
        &["GET /users @users list"],
    ),
    Shape::files(
        "a_struct_that_serves",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use std::net::SocketAddr;

use axum::{Router, extract::connect_info::IntoMakeServiceWithConnectInfo, middleware::from_fn, routing::get};

struct Server {
    address: SocketAddr,
    router: Router,
}

impl Server {
    fn new(address: SocketAddr) -> Self {
        let router = Router::new().route("/a", get(handlers::list)); //~ a
        Self { address, router }
    }

    fn service(&self) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
        self.router
            .clone()
            .layer(from_fn(guards::auth)) //~ auth
            .into_make_service_with_connect_info()
    }

    async fn run(&self) -> std::io::Result<()> {
        let listener = tokio::net::TcpListener::bind(self.address).await?;
        axum::serve(listener, self.service()).await
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let server = Server::new(([0, 0, 0, 0], 80).into());
    server.run().await
}
"#,
        )],
        &["GET /a @a list [auth]"],
    ),
    Shape::files(
        "steered_between_apps",
        &[(
            "src/main.rs",
            r#"
mod handlers;

use axum::{Router, extract::Request, routing::get};
use tower::{make::Shared, steer::Steer};

#[tokio::main]
async fn main() {
    let http = Router::new().route("/http", get(handlers::list)); //~ http
    let rpc = Router::new().route("/rpc", get(handlers::show)); //~ rpc
    let both = Steer::new(vec![http, rpc], |request: &Request, _: &[_]| {
        usize::from(request.headers().contains_key("x-rpc"))
    });
    let listener = tokio::net::TcpListener::bind("[::]:80").await.unwrap();
    axum::serve(listener, Shared::new(both)).await.unwrap();
}
"#,
        )],
        &["GET /http @http list", "GET /rpc @rpc show"],
    ),
    Shape::app(
        "called_by_hand",
        r#"
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Router, routing::get};
use tower::ServiceExt as _;

use crate::handlers::{list, show};

pub fn app() -> Router {
    let preview = Router::new().route("/preview", get(show)); //~ preview
    Router::new()
        .route("/a", get(list)) //~ a
        .layer(from_fn(move |request: Request, next: Next| { //~ layer
            let preview = preview.clone();
            async move {
                if request.headers().contains_key("x-preview") {
                    preview.oneshot(request).await.into_response()
                } else {
                    next.run(request).await
                }
            }
        }))
}
"#,
        &["GET /a @a list [layer]", "GET /preview @preview show"],
    ),
    Shape::files(
        "started_through_a_trait",
        &[(
            "src/main.rs",
            r#"
mod guards;
mod handlers;

use std::sync::Mutex;

use axum::{Router, middleware::from_fn, routing::get};
use handlers::{health, list, show};

#[async_trait::async_trait]
trait Server: Send {
    async fn start(&mut self, address: &str);
}

struct HttpServer {
    router: Mutex<Router>,
}

impl HttpServer {
    fn make_app(&self) -> Router {
        self.router.lock().unwrap().clone().route("/health", get(health)) //~ health
    }
}

#[async_trait::async_trait]
impl Server for HttpServer {
    async fn start(&mut self, address: &str) {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let app = self.make_app();
        axum::serve(listener, app.into_make_service()).await.unwrap();
    }
}

struct Builder {
    router: Router,
}

impl Builder {
    fn new() -> Self {
        Self { router: Router::new() }
    }

    fn with_users(self) -> Self {
        let users = Router::new()
            .route("/", get(list)) //~ users
            .route_layer(from_fn(guards::auth)); //~ auth
        Self { router: self.router.nest("/users", users), ..self }
    }

    fn with_pages(self) -> Self {
        Self { router: self.router.route("/pages", get(show)), ..self } //~ pages
    }

    fn build(self) -> HttpServer {
        HttpServer { router: Mutex::new(self.router) }
    }
}

fn servers(pages: bool) -> Vec<Box<dyn Server>> {
    let mut builder = Builder::new().with_users();
    if pages {
        builder = builder.with_pages();
    }
    let server = builder.build();
    vec![Box::new(server)]
}

#[tokio::main]
async fn main() {
    for server in &mut servers(true) {
        server.start("[::]:80").await;
    }
}
"#,
        )],
        &[
            "GET /users @users list [auth]",
            "GET /pages @pages show",
            "GET /health @health health",
        ],
    ),
];
