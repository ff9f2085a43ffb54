//! What the guards cost: the same handler on a bare axum route and behind the whole stack, side by
//! side over loopback TCP, in rounds that take turns, so that a busy machine slows both.
//!
//! `cargo bench -p guard` prints requests per second of both, their ratio, and what the guards add
//! to the median latency, for a handler that reads the menu from SQLite, as the sample does, public
//! and behind an access token; and for one that answers from memory, which is the worst case.
//! Logs are formatted and written (to where nothing is kept), metrics recorded. The clients run
//! in the same process and share its cores.
#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot start has no result"
)]
#![expect(clippy::print_stderr, reason = "its result is what it prints")]
#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the bare route is what the guarded one is held against"
)]

use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::State;
use axum::http::Request;
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use guard::{
    ClientAddr, Deny, GuardedRouter, Guards, Identity, Role, SignedTokens, public, signed_in,
};
use serde::Serialize;
use settings::{AppEnv, Settings as _, SiteSettings, Surface};
use store::{Environment, PageOf, Store};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tower::Service;

const KEY: &str = "a-key-that-nothing-but-a-benchmark-knows";
/// Tells the process that measures from the one that starts it.
const MEASURE: &str = "--measure";
const CONNECTIONS: usize = 8;
const ROUND: Duration = Duration::from_secs(1);
const ROUNDS: usize = 10;

#[derive(Clone, Serialize)]
struct Meal {
    id: i64,
    name: String,
    description: String,
    price_cents: i32,
}

/// As the handler of `api` does it.
async fn from_sqlite(State(store): State<Store>) -> Json<Vec<Meal>> {
    let page = PageOf {
        after: None,
        limit: 20,
    };
    let meals = store.menu(page).await.unwrap();
    let wire = |meal: store::Meal| Meal {
        id: meal.id,
        name: meal.name,
        description: meal.description,
        price_cents: meal.price_cents,
    };
    Json(meals.into_iter().map(wire).collect())
}

async fn from_memory() -> Json<[Meal; 3]> {
    Json(["Dal tadka", "Ramen", "Shakshuka"].map(|name| Meal {
        id: 1,
        name: name.to_owned(),
        description: "Yellow lentils, cumin, garlic, rice".to_owned(),
        price_cents: 890,
    }))
}

/// Gives each request another address, as a server on the internet sees it: one address alone
/// would be over its limit at once.
#[derive(Clone)]
struct Addressed<S>(S, Arc<AtomicU32>);

impl<S: Service<Request<Body>>> Service<Request<Body>> for Addressed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), S::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<Body>) -> S::Future {
        let n = self.1.fetch_add(1, Ordering::Relaxed) % 5_000;
        let addr = ClientAddr(n.to_be_bytes().into());
        request.extensions_mut().insert(addr);
        self.0.call(request)
    }
}

async fn serve<S>(service: S) -> SocketAddr
where
    S: Service<Request<Body>, Response = Response, Error = std::convert::Infallible>
        + Clone
        + Send
        + Sync
        + 'static,
    S::Future: Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, tower::make::Shared::new(service)).await });
    addr
}

/// One round: requests per second, and the median latency in microseconds.
async fn round(addr: SocketAddr, requests: &Arc<[String]>) -> (f64, f64) {
    let since = Instant::now();
    let clients: Vec<_> = (0..CONNECTIONS)
        .map(|n| tokio::spawn(client(addr, Arc::clone(requests), n, since + ROUND)))
        .collect();
    let mut latencies = Vec::new();
    for client in clients {
        latencies.extend(client.await.unwrap());
    }
    let answered = u32::try_from(latencies.len()).unwrap();
    let rps = f64::from(answered) / since.elapsed().as_secs_f64();
    (rps, median(latencies))
}

/// Sends one request after the other on one connection. All answers of a route are of one length,
/// so that reading them costs the same however many headers there are.
async fn client(
    addr: SocketAddr,
    requests: Arc<[String]>,
    offset: usize,
    until: Instant,
) -> Vec<f64> {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut buffer = vec![0; 16 * 1024];
    let mut latencies = Vec::with_capacity(16 * 1024);
    let mut requests = requests
        .iter()
        .cycle()
        .skip(offset * requests.len() / CONNECTIONS);
    let mut length = None;
    while Instant::now() < until {
        let request = requests.next().unwrap();
        let sent = Instant::now();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut read = stream.read(&mut buffer).await.unwrap();
        let length = *length.get_or_insert_with(|| length_of(&buffer[..read]));
        while read < length {
            read += stream.read(&mut buffer[read..]).await.unwrap();
        }
        assert!(read == length && buffer.starts_with(b"HTTP/1.1 200"));
        latencies.push(sent.elapsed().as_secs_f64() * 1e6);
    }
    latencies
}

/// The length of an answer, by its head.
fn length_of(answer: &[u8]) -> usize {
    let text = std::str::from_utf8(answer).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let (_, length) = head.split_once("content-length: ").unwrap();
    let length: usize = length.split("\r\n").next().unwrap().parse().unwrap();
    head.len() + 4 + length
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn compare(what: &str, bare: SocketAddr, guarded: SocketAddr, path: &str, tokens: &[String]) {
    let requests: Arc<[String]> = tokens
        .iter()
        .map(|token| {
            format!(
                "GET {path} HTTP/1.1\r\nhost: kitchen.example\r\n\
                 authorization: Bearer {token}\r\n\r\n"
            )
        })
        .collect();
    let (mut bares, mut guardeds, mut ratios, mut added) = (vec![], vec![], vec![], vec![]);
    for n in 0..=ROUNDS {
        let (rps_bare, p50_bare) = round(bare, &requests).await;
        let (rps_guarded, p50_guarded) = round(guarded, &requests).await;
        // The first pair warms up.
        if n > 0 {
            bares.push(rps_bare);
            guardeds.push(rps_guarded);
            ratios.push(rps_guarded / rps_bare);
            added.push(p50_guarded - p50_bare);
        }
    }
    eprintln!(
        "{what:<20} bare {:>7.0} rps   guarded {:>7.0} rps   cost {:>5.1} %   p50 {:>+6.1} µs",
        median(bares),
        median(guardeds),
        100.0 * (1.0 - median(ratios)),
        median(added)
    );
}

/// Logs go to standard output, as in the product: so the measuring is done by a process of its own
/// whose output goes nowhere, and which tells its results on standard error.
fn main() {
    if std::env::args().any(|arg| arg == MEASURE) {
        measure();
        return;
    }
    let measuring = Command::new(std::env::current_exe().unwrap())
        .arg(MEASURE)
        .stdout(Stdio::null())
        .status();
    assert!(measuring.unwrap().success());
}

fn measure() {
    let settings = SiteSettings::from_source(&|name| match name {
        "APP_ENV" => Some("preview".to_owned()),
        "API_URL" => Some("http://127.0.0.1:1".to_owned()),
        _ => None,
    });
    telemetry::init(&settings.unwrap().common, Surface::Site).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        tokio::spawn(async {
            loop {
                tokio::time::sleep(Duration::from_secs(1)).await;
                telemetry::metrics::upkeep();
            }
        });
        let database = testkit::sqlite().await;
        database
            .execute(include_str!("../../../migrations/seed.sql"))
            .await;
        let store = Store::connect(database.url(), Environment::Dev)
            .await
            .unwrap();
        let signed = SignedTokens::new(&[KEY.into()]);
        // So many that nobody is over the limit.
        let tokens: Vec<String> = (0..5_000)
            .map(|n| {
                let customer = Identity {
                    subject: format!("{n:032x}"),
                    role: Role::Customer,
                    session: Some(format!("{n:032x}")),
                };
                signed.issue(&customer, Duration::from_hours(1)).unwrap()
            })
            .collect();
        let bare = Router::new()
            .route("/menu", get(from_sqlite))
            .route("/orders", get(from_sqlite))
            .route("/memory", get(from_memory))
            .with_state(store.clone());
        let app = GuardedRouter::new()
            .get("/menu", public("a benchmark"), from_sqlite)
            .get("/orders", signed_in(), from_sqlite)
            .get("/memory", public("a benchmark"), from_memory)
            .with_state(&store)
            .finish(Guards::new(Deny::Problem, AppEnv::Production).authenticator(signed));
        let bare = serve(bare).await;
        let guarded = serve(Addressed(app, Arc::default())).await;
        compare("sqlite, public", bare, guarded, "/menu", &tokens).await;
        compare("sqlite, signed in", bare, guarded, "/orders", &tokens).await;
        compare("memory, public", bare, guarded, "/memory", &tokens).await;
    });
}
