//! The registries hold every statement, and the schema has what each of them needs.

use sqlx::{Connection as _, Executor as _, PgConnection, SqlSafeStr as _, SqliteConnection};
use store::sql::{postgres, sqlite};

#[tokio::test]
async fn every_sqlite_statement_prepares() {
    let db = testkit::sqlite().await;
    let mut connection = SqliteConnection::connect(db.url()).await.unwrap();
    for (name, sql) in sqlite::ALL {
        let prepared = connection.prepare(sql.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

#[tokio::test]
async fn every_postgres_statement_prepares() {
    let Some(db) = testkit::postgres().await else {
        return;
    };
    let mut connection = PgConnection::connect(db.url()).await.unwrap();
    for (name, sql) in postgres::ALL {
        let prepared = connection.prepare(sql.into_sql_str()).await;
        assert!(prepared.is_ok(), "{name}: {:?}", prepared.err());
    }
}

#[test]
fn both_registries_list_every_statement() {
    let names = |all: &[(&'static str, &str)]| all.iter().map(|(n, _)| *n).collect::<Vec<_>>();
    assert_eq!(names(sqlite::ALL), names(postgres::ALL));
    for source in [
        include_str!("../../src/sql/sqlite.rs"),
        include_str!("../../src/sql/postgres.rs"),
    ] {
        // One that stands beside the list would not be in it.
        assert_eq!(source.matches("const ").count(), 0);
        let written = |name: &&str| source.contains(&format!("\n{name} = "));
        assert_eq!(
            names(sqlite::ALL)
                .iter()
                .filter(|name| written(name))
                .count(),
            sqlite::ALL.len()
        );
    }
}
