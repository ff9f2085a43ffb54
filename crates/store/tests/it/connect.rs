//! Which database is accepted, and what is said of one that is not.

use std::error::Error as _;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use sqlx::Connection as _;
use store::{Engine, Environment, Refusal, Store, StoreError};
use testkit::{Database, on_each_engine};

use crate::kitchen::{ALL, CHEF, new_meal};

/// An error with its causes, in both of the ways it may end up in a log.
fn full_text(error: &StoreError) -> String {
    let mut text = format!("{error}\n{error:?}");
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}\n{error}\n{error:?}");
        cause = error.source();
    }
    text
}

on_each_engine!(the_expected_marker_is_accepted);
async fn the_expected_marker_is_accepted(db: &Database) {
    let store = Store::connect(db.url(), Environment::Dev).await.unwrap();
    assert_eq!(store.engine().to_string(), db.engine());
    store.ping().await.unwrap();
    store.close().await;
    assert!(matches!(
        store.ping().await,
        Err(StoreError::Unavailable { query: "PING", .. })
    ));
}

on_each_engine!(another_environment_is_refused);
async fn another_environment_is_refused(db: &Database) {
    let error = Store::connect(db.url(), Environment::Prod)
        .await
        .unwrap_err();
    let found = Environment::Dev;
    assert!(
        matches!(&error, StoreError::Refused { refusal: Refusal::Wrong { found: is, .. }, .. } if *is == found)
    );
    let text = error.to_string();
    assert!(
        text.contains("is marked `dev`, `prod` is expected\nhelp: "),
        "{text}"
    );
}

on_each_engine!(a_database_without_a_marker_is_refused);
async fn a_database_without_a_marker_is_refused(db: &Database) {
    // A row that is gone was taken away by hand: that makes no new database of it.
    db.execute("DELETE FROM _env_marker").await;
    let error = Store::connect(db.url(), Environment::Dev)
        .await
        .unwrap_err();
    assert!(refused(&error, |why| *why == Refusal::Edited), "{error:?}");
    db.execute("DROP TABLE _env_marker").await;
    for (expected, help) in [
        (Environment::Dev, "\nhelp: `cargo xtask setup` prepares"),
        (Environment::Staging, "`cargo xtask db mark staging`"),
    ] {
        let error = Store::connect(db.url(), expected).await.unwrap_err();
        assert!(
            refused(&error, |why| *why == Refusal::Unmarked { expected }),
            "{error:?}"
        );
        assert!(error.to_string().contains(help), "{error}");
    }
}

fn refused(error: &StoreError, is: impl Fn(&Refusal) -> bool) -> bool {
    matches!(error, StoreError::Refused { refusal, .. } if is(refusal))
}

#[tokio::test]
async fn a_copied_sqlite_file_is_refused() {
    let db = testkit::sqlite().await;
    let path = db.url().trim_start_matches("sqlite://");
    let copy = format!("{path}.copy");
    std::fs::copy(path, &copy).unwrap();
    let url = format!("sqlite://{copy}");
    let error = Store::connect(&url, Environment::Dev).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains(&format!("it was marked `dev` as `{path}`, and is `{copy}`")),
        "{text}"
    );
}

#[tokio::test]
async fn a_cloned_postgres_database_is_refused() {
    let Some((cluster, db)) = testkit::postgres_alone().await else {
        return;
    };
    // Every test has a database copied from a template: one that is not marked again is a clone.
    let original = db.url().to_owned();
    let made = cluster
        .handle()
        .database("clone", |url| async move {
            let options: sqlx::postgres::PgConnectOptions = original.parse()?;
            let server = marker::postgres::server(&options, None);
            let mut template = sqlx::PgConnection::connect(&url).await?;
            marker::postgres::write(&mut template, server.as_deref(), Environment::Prod).await?;
            template.close().await
        })
        .await;
    let clone = made.unwrap();
    for expected in [Environment::Prod, Environment::Staging, Environment::Dev] {
        let error = Store::connect(&clone.url, expected).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("it is a copy: it was marked `prod` as "),
            "{text}"
        );
    }
}

on_each_engine!(a_marker_edited_by_hand_is_refused);
async fn a_marker_edited_by_hand_is_refused(db: &Database) {
    db.execute("UPDATE _env_marker SET env = 'prod'").await;
    for expected in [Environment::Prod, Environment::Dev] {
        let error = Store::connect(db.url(), expected).await.unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("its environment marker was edited by hand"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_missing_sqlite_file_is_refused_and_not_created() {
    let db = testkit::sqlite().await;
    for url in [format!("{}x", db.url()), format!("{}x?mode=rwc", db.url())] {
        let error = Store::connect(&url, Environment::Dev).await.unwrap_err();
        assert!(matches!(error, StoreError::Connect { .. }), "{error:?}");
        assert!(error.to_string().contains("test.dbx"), "{error}");
    }
    assert!(!std::fs::exists(format!("{}x", db.url().trim_start_matches("sqlite://"))).unwrap());
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let began = Instant::now();
    let url = format!("postgres://cook:sup3rs3cret@127.0.0.1:{port}/kitchen");
    let error = Store::connect(&url, Environment::Dev).await.unwrap_err();
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    let expected = format!("failed to connect to the database `kitchen at 127.0.0.1:{port}`");
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_refused_connection_says_so_at_once() {
    let began = Instant::now();
    let error = Store::connect("postgres://127.0.0.1:1/kitchen", Environment::Dev)
        .await
        .unwrap_err();
    assert!(
        began.elapsed() < Duration::from_secs(1),
        "{:?}",
        began.elapsed()
    );
    assert!(full_text(&error).contains("refused"), "{error:?}");
}

async fn assert_secretive(url: &str) {
    let error = Store::connect(url, Environment::Dev).await.unwrap_err();
    let text = full_text(&error);
    assert!(!text.contains("sup3rs3cret"), "{url}:\n{text}");
}

#[tokio::test]
async fn a_password_is_never_in_an_error() {
    for url in [
        "sqlite://data/app.db?sup3rs3cret=sup3rs3cret",
        "postgres://cook@127.0.0.1:1/kitchen?sup3rs3cret=sup3rs3cret",
        "postgres://cook:sup3rs3cret@127.0.0.1:1/kitchen",
        "postgres://cook:sup3rs3cret@127.0.0.1:notaport/kitchen",
        "postgres://cook:sup3rs3cret@[::/kitchen",
        "postgres://127.0.0.1:1/kitchen?password=sup3rs3cret",
        "postgres://cook:sup3rs3cret@127.0.0.1:1/kitchen?sslmode=perhaps",
        "mysql://cook:sup3rs3cret@127.0.0.1/kitchen",
        "cook:sup3rs3cret@127.0.0.1/kitchen",
        "sup3rs3cret:x",
        "sup3rs3cret",
        "sqlite:/nonexistent/kitchen.db?key=sup3rs3cret",
    ] {
        assert_secretive(url).await;
    }
}

#[tokio::test]
async fn a_password_is_never_in_an_error_of_postgres() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    assert_secretive(&db.url().replace("postgres@", "nobody:sup3rs3cret@")).await;
    let known = db.url().replace("postgres@", "postgres:sup3rs3cret@");
    assert_secretive(&known.replace('?', "x?")).await;
}

#[test]
fn an_engine_is_known_by_its_scheme() {
    assert_eq!(
        Engine::of_url("sqlite:data/app.db").unwrap(),
        Engine::Sqlite
    );
    assert_eq!(Engine::of_url("postgres://h/d").unwrap(), Engine::Postgres);
    assert_eq!(
        Engine::of_url("postgresql://h/d").unwrap(),
        Engine::Postgres
    );
    let error = Engine::of_url("mysql://h/d").unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("database url scheme `mysql` is not supported\nhelp: ")
    );
    assert!("production".parse::<Environment>().is_err());
    for marker in [Environment::Dev, Environment::Staging, Environment::Prod] {
        assert_eq!(marker.to_string().parse::<Environment>().unwrap(), marker);
    }
}

#[tokio::test]
async fn a_connection_that_is_led_to_another_database_later_is_refused() {
    let Some((cluster, db)) = testkit::postgres_alone().await else {
        return;
    };
    let store = Store::connect(db.url(), Environment::Dev).await.unwrap();
    store.ping().await.unwrap();
    let server = cluster.handle();
    // As a failover or a recovery does it: the connections break, and the name leads elsewhere.
    let name = db.url().split(['/', '?']).nth(3).unwrap();
    let replace = async |by: &str| {
        let mut other = sqlx::PgConnection::connect(&server.url("postgres"))
            .await
            .unwrap();
        for sql in [
            format!(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
            ),
            by.to_owned(),
        ] {
            let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql));
            sql.execute(&mut other).await.unwrap();
        }
        other.close().await.unwrap();
    };

    // Restored from a copy under the old name: each row is there, the marker's too.
    replace(&format!("alter database {name} rename to original")).await;
    replace(&format!("create database {name} template original")).await;
    let error = store.menu(ALL).await.unwrap_err();
    assert!(
        refused(&error, |why| matches!(why, Refusal::Copy { .. })),
        "{error:?}"
    );
    let error = (store.add_meal(&CHEF, &new_meal("soup")).await).unwrap_err();
    assert!(
        refused(&error, |why| matches!(why, Refusal::Copy { .. })),
        "{error:?}"
    );

    // An empty one that was made anew.
    replace(&format!("drop database {name}")).await;
    replace(&format!("create database {name}")).await;
    let error = store.menu(ALL).await.unwrap_err();
    assert!(
        refused(&error, |why| matches!(why, Refusal::Unmarked { .. })),
        "{error:?}"
    );

    // Back to the one that was marked: it is served again.
    replace(&format!("drop database {name}")).await;
    replace(&format!("alter database original rename to {name}")).await;
    store.menu(ALL).await.unwrap();
}

on_each_engine!(each_new_connection_is_checked);
async fn each_new_connection_is_checked(db: &Database) {
    let store = Store::connect(db.url(), Environment::Dev).await.unwrap();
    store.ping().await.unwrap();
    while store.pool_state().idle == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    db.execute("UPDATE _env_marker SET env = 'prod'").await;
    // One takes the connection that is there, the other needs a new one.
    let (old, new) = tokio::join!(store.menu(ALL), store.menu(ALL));
    assert!(old.is_ok(), "{old:?}");
    let error = new.unwrap_err();
    assert!(refused(&error, |why| *why == Refusal::Edited), "{error:?}");
}

#[tokio::test]
async fn a_marker_in_another_schema_is_not_believed() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    db.execute(
        "CREATE SCHEMA decoy;
        ALTER TABLE _env_marker SET SCHEMA decoy;
        DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = decoy, public', current_database()); END $$",
    )
    .await;
    let expected = Environment::Dev;
    let error = Store::connect(db.url(), expected).await.unwrap_err();
    assert!(
        refused(&error, |why| *why == Refusal::Unmarked { expected }),
        "{error:?}"
    );
}
