//! Each test gets a migrated database of its own.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod browser;
mod served;

use std::path::Path;

use testkit::{Database, on_each_engine};

on_each_engine!(databases_are_migrated_marked_and_apart);
async fn databases_are_migrated_marked_and_apart(db: &Database) {
    // Fails unless the tables and the marker are there.
    db.execute("UPDATE _env_marker SET env = 'staging' WHERE id = 1")
        .await;
    let soup = "INSERT INTO meals (name, price_cents) VALUES ('soup', 450)";
    db.execute(soup).await;
    // The same name again: what another test has is not in this one's database.
    let other = match db.engine() {
        "sqlite" => testkit::sqlite().await,
        _ => testkit::postgres().await.unwrap(),
    };
    other.execute(soup).await;
}

#[tokio::test]
async fn a_sqlite_database_goes_with_its_owner() {
    let db = testkit::sqlite().await;
    let path = db.url().trim_start_matches("sqlite://").to_owned();
    assert!(Path::new(&path).exists());
    drop(db);
    assert!(!Path::new(&path).parent().unwrap().exists());
}
