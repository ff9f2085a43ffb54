//! Pairs of migrations, alike and not.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection as _, Executor as _};

use super::logical::Logical;
use super::parity;
use crate::migrations::Engine;
use crate::migrations::lint::Sql;

/// PostgreSQL, SQLite, and what is said of them.
const PAIRS: &[(&str, &str, &[&str])] = &[
    // What each engine does its own way.
    (
        "create type mood as enum ('a', 'b'); create domain email as text;
         create table t (id bigint generated always as identity primary key, n smallint not null default 1, b boolean default false, r double precision, d numeric(9, 2),
            at timestamptz default now(), day date, u uuid, j jsonb, m mood, e email not null, v varchar(9), bin bytea, tags text[]);
         create index on t using gin (j)",
        "create table t (id integer primary key, n integer not null, b boolean, r real, d text, at text, day date, u text, j text, m text check (m in ('a', 'b')),
            e text not null, v text, bin blob, tags text)",
        &[],
    ),
    (
        "create table a (id bigint generated always as identity primary key, x text not null unique); create table b (a bigint references a on delete cascade)",
        "create table A (ID integer primary key, X text not null); create unique index u on A (X); create table b (a integer, foreign key (a) references A on delete cascade)",
        &[],
    ),
    (
        "create table p (id bigint, at date, primary key (at, id)) partition by range (at); create table p1 partition of p default; create view w as select 1 as x",
        "create table p (id integer not null, at text not null, primary key (at, id)) without rowid; create view w as select 1; create virtual table f using fts5 (x)",
        &[],
    ),
    // What is missing.
    ("create table t (a text, b text)", "create table t (a text)", &["`t.b` is on PostgreSQL only"]),
    ("create table t (a text)", "create table t (a text, b text)", &["`t.b` is on SQLite only"]),
    ("create table t (a text); create table u (a text)", "create table t (a text)", &["the table `u` is on PostgreSQL only"]),
    ("create table t (a text)", "create table t (a text); create view w as select a from t", &["the view `w` is on SQLite only"]),
    ("create table t (a text); create index on t (a)", "create table t (a text)", &["the index of `t` (a) is on PostgreSQL only"]),
    (
        "create table t (a text, b text unique)",
        "create table t (a text, b text); create index i on t (b)",
        &["the unique index of `t` (b) is on PostgreSQL only", "the index of `t` (b) is on SQLite only"],
    ),
    (
        "create table t (a text); create unique index on t (a) where a <> ''",
        "create table t (a text); create unique index i on t (a)",
        &["the unique index of `t` (a) of some rows is on PostgreSQL only", "the unique index of `t` (a) is on SQLite only"],
    ),
    (
        "create table t (a text); create index on t (lower(a))",
        "create table t (a text)",
        &["the index of `t` ((expression)) is on PostgreSQL only"],
    ),
    (
        "create table a (id integer primary key); create table b (a integer references a on delete cascade)",
        "create table a (id integer primary key); create table b (a integer references a)",
        &[
            "the reference of `b` (a) to `a` (id) ON DELETE CASCADE ON UPDATE NO ACTION is on PostgreSQL only",
            "the reference of `b` (a) to `a` (id) ON DELETE NO ACTION ON UPDATE NO ACTION is on SQLite only",
        ],
    ),
    ("create table t (n integer check (n > 0))", "create table t (n integer)", &["`t` has 1 CHECK on PostgreSQL and 0 CHECKs on SQLite"]),
    // Traps: taken by both engines, and not the same.
    (
        "create table t (id bigserial primary key)",
        "create table t (id bigserial primary key)",
        &[
            "`t.id` is `bigint` on PostgreSQL and `bigserial` on SQLite",
            "`t.id` may be null on SQLite only",
            "`t.id` numbers itself on PostgreSQL only",
        ],
    ),
    ("create table t (id bigint generated always as identity primary key)", "create table t (id bigint not null primary key)", &["`t.id` numbers itself on PostgreSQL only"]),
    ("create table t (k text primary key)", "create table t (k text primary key)", &["`t.k` may be null on SQLite only"]),
    ("create table t (j jsonb)", "create table t (j jsonb)", &["`t.j` is `jsonb` on PostgreSQL and `jsonb` on SQLite"]),
    ("create table t (b bytea)", "create table t (b bytea)", &["`t.b` is `bytea` on PostgreSQL and `bytea` on SQLite"]),
    ("create table t (d numeric)", "create table t (d real)", &["`t.d` is `numeric` on PostgreSQL and `REAL` on SQLite"]),
    ("create table t (b boolean)", "create table t (b integer)", &["`t.b` is `boolean` on PostgreSQL and `INTEGER` on SQLite"]),
    ("create table t (a text not null)", "create table t (a text)", &["`t.a` may be null on SQLite only"]),
    ("create table t (a text)", "create table t (a text not null)", &["`t.a` may be null on PostgreSQL only"]),
    (
        "create table t (a integer, b integer generated always as (a * 2) stored)",
        "create table t (a integer, b integer)",
        &["`t.b` is computed on PostgreSQL only"],
    ),
    (
        "create table t (a integer not null, b integer not null, primary key (a, b))",
        "create table t (a integer not null, b integer not null, primary key (b, a))",
        &["the primary key of `t` is (a, b) on PostgreSQL and (b, a) on SQLite"],
    ),
];

#[tokio::test]
async fn twins_on_postgres_and_sqlite_mean_the_same_or_are_named() {
    let Some(cluster) = pgscratch::for_tests() else {
        return;
    };
    for (postgres, sqlite, says) in PAIRS {
        let database = cluster.empty_database().await.unwrap();
        let mut connection = PgConnection::connect(&database.url).await.unwrap();
        connection.execute(sqlx::raw_sql(*postgres)).await.unwrap();
        let here = Logical::postgres(&mut connection).await.unwrap();
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        connection.execute(sqlx::raw_sql(*sqlite)).await.unwrap();
        let there = Logical::sqlite(&mut connection).await.unwrap();
        let findings = parity(&here, &there, &[]);
        let said: Vec<&str> = findings.iter().map(|f| f.message.as_str()).collect();
        assert_eq!(said.len(), says.len(), "{postgres}\n{said:#?}");
        for (said, part) in said.iter().zip(*says) {
            assert!(said.starts_with(part), "{postgres}\n{said:#?}");
        }
    }
}

#[test]
fn a_difference_is_at_the_newest_file_that_names_it() {
    let file = |engine: Engine, version: u64, text: &str| Sql {
        file: format!("{}/{version}_x.sql", engine.folder()),
        engine,
        bytes: text.as_bytes().to_vec(),
        is_new: false,
    };
    let files = [
        file(Engine::Postgres, 1, "create table t (\n    a text\n);"),
        file(Engine::Postgres, 3, "select 1;\n-- t has an a\n"),
        file(
            Engine::Sqlite,
            2,
            "select 1;\nalter table T\n    add column A text;",
        ),
        file(Engine::Sqlite, 3, "select 1;"),
    ];
    let column = |name: &str| super::logical::Column {
        name: name.to_owned(),
        shown: "text".to_owned(),
        base: "text".to_owned(),
        nullable: true,
        default: None,
        numbered: false,
        computed: false,
    };
    let (mut here, there) = (Logical::default(), Logical::default());
    here.tables.entry("t".to_owned()).or_default();
    assert_eq!(place(&here, &there, &files), "migrations/sqlite/2_x.sql:2");
    let (mut both, mut less) = (Logical::default(), Logical::default());
    let columns = vec![column("a")];
    both.tables.entry("t".to_owned()).or_default().columns = columns;
    less.tables.entry("t".to_owned()).or_default();
    assert_eq!(place(&both, &less, &files), "migrations/sqlite/2_x.sql:3");
}

fn place(here: &Logical, there: &Logical, files: &[Sql]) -> String {
    let findings = parity(here, there, files);
    findings[0].place().unwrap()
}
