//! A database per test, from a template that is made once.

use std::fs;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use pgscratch::{Cluster, Error, Handle, server_for_tests};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::helper::{one, prepare, template};
use crate::tools::own_tmp;

/// A key no other test of a shared cluster uses.
fn key(name: &str) -> String {
    format!("{name}_{}", process::id())
}

async fn databases(handle: &Handle) -> Vec<String> {
    let mut connection = PgConnection::connect(&handle.url("postgres"))
        .await
        .unwrap();
    let sql = "SELECT datname::text FROM pg_database";
    sqlx::query_scalar(sql)
        .fetch_all(&mut connection)
        .await
        .unwrap()
}

#[tokio::test]
async fn eight_callers_make_the_template_once() {
    let Some(handle) = pgscratch::for_tests() else {
        return;
    };
    let prepared = Arc::new(AtomicUsize::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let (handle, prepared) = (handle.clone(), Arc::clone(&prepared));
        callers.spawn(async move {
            let count = || _ = prepared.fetch_add(1, Ordering::SeqCst);
            handle
                .database(&key("once"), |url| prepare(url, count))
                .await
                .unwrap()
        });
    }
    let copies = callers.join_all().await;
    assert_eq!(prepared.load(Ordering::SeqCst), 1);
    for copy in &copies {
        assert_eq!(one(copy).await, 1);
    }
    let names: std::collections::BTreeSet<&str> = copies.iter().map(|d| d.name.as_str()).collect();
    assert_eq!(names.len(), 8);

    // Each is its own, and goes when dropped, even with a connection into it.
    let mut connection = PgConnection::connect(&copies[0].url).await.unwrap();
    sqlx::raw_sql("INSERT INTO one VALUES (2)")
        .execute(&mut connection)
        .await
        .unwrap();
    assert_eq!((one(&copies[0]).await, one(&copies[1]).await), (2, 1));
    let name = copies[0].name.clone();
    assert!(databases(&handle).await.contains(&name));
    drop(copies);
    assert!(!databases(&handle).await.contains(&name));
}

#[test]
fn several_processes_make_the_template_once() {
    let Some(server) = server_for_tests() else {
        return;
    };
    let cluster = Cluster::start(&server).unwrap();
    let tmp = own_tmp();
    let notes = tmp.path().join("notes");
    let mut callers: Vec<process::Child> = (0..4)
        .map(|_| {
            template("processes", &notes)
                .envs(cluster.env())
                .spawn()
                .unwrap()
        })
        .collect();
    for caller in &mut callers {
        assert!(caller.wait().unwrap().success());
    }
    assert_eq!(fs::read_to_string(notes).unwrap(), "prepared\n");
}

#[test]
fn a_template_that_failed_or_crashed_half_way_is_made_anew() {
    let Some(server) = server_for_tests() else {
        return;
    };
    let cluster = Cluster::start(&server).unwrap();
    let crashed = crate::helper::command("abort half")
        .envs(cluster.env())
        .output()
        .unwrap();
    assert!(!crashed.status.success());
    crate::helper::block_on(async {
        let handle = cluster.handle();
        assert!(databases(&handle).await.contains(&"b_half".to_owned()));
        let failed = handle.database("half", async |_| Err("out of flour")).await;
        let error = failed.expect_err("the preparation failed");
        assert_eq!(
            error.to_string(),
            "failed to prepare the template database `half`"
        );
        let copy = handle
            .database("half", |url| prepare(url, || ()))
            .await
            .unwrap();
        assert_eq!(one(&copy).await, 1);
        assert!(!databases(&handle).await.contains(&"b_half".to_owned()));
    });
}

#[tokio::test]
async fn a_key_is_a_plain_name() {
    let Some(handle) = pgscratch::for_tests() else {
        return;
    };
    for key in [
        "",
        "A",
        "a-b",
        "a\"; DROP DATABASE postgres",
        &"a".repeat(49),
    ] {
        let result = handle.database(key, |url| prepare(url, || ())).await;
        assert!(matches!(result, Err(Error::Key(_))), "{key}");
    }
}

/// What is made inside of a runtime may be dropped after its end.
#[test]
fn a_database_is_removed_where_no_runtime_is() {
    let Some(handle) = pgscratch::for_tests() else {
        return;
    };
    let runtime = || {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
    };
    let database = runtime()
        .unwrap()
        .block_on(handle.empty_database())
        .unwrap();
    let name = database.name.clone();
    drop(database);
    let left = runtime().unwrap().block_on(databases(&handle));
    assert!(!left.contains(&name), "{left:?}");
}
