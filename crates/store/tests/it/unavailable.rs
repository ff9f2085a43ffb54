//! A database that goes away while it is used.

use std::fmt::Debug;
use std::fs;
use std::future::pending;
use std::path::PathBuf;
use std::str::FromStr as _;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection as _, PgConnection, SqliteConnection};
use store::{Environment, Expected, Meal, Store, StoreError};
use testkit::Database;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, UnixStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::sleep;

use crate::kitchen::{ALL, CHEF, by, customer, new_meal, one, soup};

async fn open(url: &str) -> Store {
    Store::connect(url, Environment::Dev).await.unwrap()
}

fn assert_unavailable<T: Debug>(result: &Result<T, StoreError>) {
    assert!(
        matches!(result, Err(StoreError::Unavailable { .. })),
        "{result:?}"
    );
}

/// Asks twice; the statement must fail within `limit` seconds.
async fn assert_gone_within(limit: u64, store: &Store) {
    let began = Instant::now();
    assert!(store.ping().await.is_err());
    assert_quick(began, 2500);
    let began = Instant::now();
    assert_unavailable(&store.menu(ALL).await);
    assert_quick(began, limit * 1000);
}

#[track_caller]
fn assert_quick(began: Instant, millis: u64) {
    let took = began.elapsed();
    assert!(took < Duration::from_millis(millis), "{took:?}");
}

#[tokio::test]
async fn a_postgres_server_that_ends_is_unavailable() {
    let Some((cluster, db)) = testkit::postgres_alone().await else {
        return;
    };
    let store = open(db.url()).await;
    let (_lock, under_way) = wait_for_lock(&db, &store).await;
    drop(cluster);

    let began = Instant::now();
    assert_unavailable(&under_way.await.unwrap());
    assert_quick(began, 3000);
    assert_gone_within(3, &store).await;
    let again = Store::connect(db.url(), Environment::Dev).await;
    assert!(matches!(again, Err(StoreError::Connect { .. })));
}

#[tokio::test]
async fn a_postgres_statement_that_hangs_does_not_hold_up_closing() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let store = open(db.url()).await;
    let (_lock, under_way) = wait_for_lock(&db, &store).await;
    // As a request that is given up: the pool asks the connection whether it still works, which
    // waits for the lock like the statement did.
    under_way.abort();
    assert!(under_way.await.unwrap_err().is_cancelled());
    sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    store.close().await;
    assert_quick(began, 5000);
    assert_unavailable(&store.menu(ALL).await);
}

#[tokio::test]
async fn a_postgres_statement_that_is_given_up_is_not_done_later() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let store = open(db.url()).await;
    let (ada, bob) = (customer(&store, "ada").await, customer(&store, "bob").await);
    let order = one(&soup(&store).await);
    // What a connection has parsed once it sends as a whole: bound, run and committed in one.
    for _ in 0..20 {
        store.place_order(&by(&bob), &order).await.unwrap();
    }
    let mut other = PgConnection::connect(db.url()).await.unwrap();
    let lock = sqlx::raw_sql("BEGIN; LOCK TABLE orders");
    lock.execute(&mut other).await.unwrap();
    let given_up = store.place_order(&by(&ada), &order).await;
    assert!(
        matches!(given_up, Err(StoreError::Timeout { .. })),
        "{given_up:?}"
    );
    // The second lock stands in line behind a statement that still waits for the first.
    let unlock = sqlx::raw_sql("COMMIT; BEGIN; LOCK TABLE orders; COMMIT");
    unlock.execute(&mut other).await.unwrap();
    assert_eq!(store.orders_of(&ada.id, ALL).await.unwrap(), []);
}

#[tokio::test]
async fn a_postgres_database_that_is_dropped_is_unavailable() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let store = open(db.url()).await;
    drop(db);
    assert_gone_within(3, &store).await;
}

#[tokio::test]
async fn a_postgres_server_that_refuses_connections_is_unavailable() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let network = Network::before(&db).await;
    let store = network.open().await;
    store.menu(ALL).await.unwrap();
    drop(network);
    assert_gone_within(5, &store).await;
}

#[tokio::test]
async fn a_postgres_server_that_falls_silent_is_unavailable() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let network = Network::before(&db).await;
    let store = network.open().await;
    store.menu(ALL).await.unwrap();
    network.silent.send_replace(true);
    assert_gone_within(5, &store).await;

    network.silent.send_replace(false);
    store.menu(ALL).await.unwrap();
}

#[tokio::test]
async fn a_sqlite_file_that_cannot_be_opened_is_unavailable() {
    let db = testkit::sqlite().await;
    let store = open(db.url()).await;
    let file = db.url().trim_start_matches("sqlite://");
    let aside = format!("{file}.aside");
    fs::rename(file, &aside).unwrap();
    fs::create_dir(file).unwrap();
    // The one open connection still has the file; the second statement needs another connection.
    let (_, second) = tokio::join!(store.menu(ALL), store.menu(ALL));
    assert_unavailable(&second);

    fs::remove_dir(file).unwrap();
    fs::rename(&aside, file).unwrap();
    let (first, second) = tokio::join!(store.menu(ALL), store.menu(ALL));
    assert_eq!(first.unwrap(), second.unwrap());
}

#[tokio::test]
async fn a_sqlite_file_that_another_process_keeps_locked_is_unavailable() {
    let db = testkit::sqlite().await;
    let store = open(db.url()).await;
    let mut other = SqliteConnection::connect(db.url()).await.unwrap();
    let lock = sqlx::raw_sql("BEGIN IMMEDIATE");
    lock.execute(&mut other).await.unwrap();
    let began = Instant::now();
    assert_unavailable(&store.add_meal(&CHEF, &new_meal("soup")).await);
    assert_quick(began, 8000);
    // Whoever only reads does not wait.
    store.menu(ALL).await.unwrap();
}

/// A statement of the store that waits for as long as the connection lives, or for as long as the
/// server lets it.
async fn wait_for_lock(
    db: &Database,
    store: &Store,
) -> (PgConnection, JoinHandle<Result<Vec<Meal>, StoreError>>) {
    let mut other = PgConnection::connect(db.url()).await.unwrap();
    let lock = sqlx::raw_sql("BEGIN; LOCK TABLE meals");
    lock.execute(&mut other).await.unwrap();
    let store = store.clone();
    let under_way = tokio::spawn(async move { store.menu(ALL).await });
    sleep(Duration::from_millis(300)).await;
    assert!(!under_way.is_finished());
    (other, under_way)
}

/// A TCP address in front of the server's socket: dropped it refuses connections, and it can fall
/// silent.
struct Network {
    url: String,
    /// What the server is called in the marker: a socket, which these connections do not know.
    server_id: String,
    silent: watch::Sender<bool>,
    _connections: JoinSet<()>,
}

impl Network {
    async fn before(db: &Database) -> Network {
        let server = PgConnectOptions::from_str(db.url()).unwrap();
        let folder = server.get_socket().unwrap();
        let socket = folder.join(".s.PGSQL.5432");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "postgres://postgres@{}/{}?sslmode=disable",
            listener.local_addr().unwrap(),
            server.get_database().unwrap(),
        );
        let (silent, is_silent) = watch::channel(false);
        let mut connections = JoinSet::new();
        connections.spawn(forward(listener, socket, is_silent));
        Network {
            url,
            server_id: format!("{}:5432", folder.display()),
            silent,
            _connections: connections,
        }
    }

    async fn open(&self) -> Store {
        let expected = Expected {
            environment: Environment::Dev,
            server_id: Some(self.server_id.clone()),
        };
        Store::connect(&self.url, expected).await.unwrap()
    }
}

/// Dropping it drops the listener and every connection with it.
async fn forward(listener: TcpListener, socket: PathBuf, silent: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    while let Ok((mut client, _)) = listener.accept().await {
        let (socket, mut silent) = (socket.clone(), silent.clone());
        connections.spawn(async move {
            let mut server = UnixStream::connect(socket).await.unwrap();
            let fallen_silent = silent.wait_for(|silent| *silent);
            tokio::select! {
                _ = copy_bidirectional(&mut client, &mut server) => return,
                _ = fallen_silent => {}
            }
            pending::<()>().await;
        });
    }
}
