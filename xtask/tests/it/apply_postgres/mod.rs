//! `cargo xtask migrate` on a real PostgreSQL: killed, run by several at once, refused.

mod backfill;
mod ended;
mod index;
mod kill;
mod lost;
mod proxy;
mod refuse;
mod run;
mod session;

use std::process::Command;

use pgscratch::Database;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

use crate::sandbox::{Ran, Sandbox, run};

/// Tables, an index that is built outside of a transaction, rows that change, an index that goes.
const MIGRATIONS: &[(&str, &str)] = &[
    (
        "20260201000000_orders.sql",
        "create table orders (id bigint primary key, state text not null, total int not null);
         insert into orders select n, 'placed', n % 97 from generate_series(1, 20000) n;",
    ),
    (
        "20260201000100_by_total.sql",
        "-- no-transaction\ncreate index concurrently orders_total on orders (total, id);",
    ),
    (
        "20260201000200_states.sql",
        "-- heavy: there are few orders
         create table states (name text primary key);
         insert into states select distinct state from orders;
         alter table orders add column note text;",
    ),
    (
        "20260201000300_by_state.sql",
        "-- no-transaction\ncreate unique index concurrently orders_state on orders (state, id);",
    ),
    (
        "20260201000400_no_totals.sql",
        "-- no-transaction\ndrop index concurrently orders_total;",
    ),
    (
        "20260201000500_notes.sql",
        "update orders set note = 'n' || id where total = 5;",
    ),
];

/// A workspace with [`MIGRATIONS`], and a marked database of its own.
struct Bench {
    sandbox: Sandbox,
    server: pgscratch::Handle,
    tokio: tokio::runtime::Runtime,
}

impl Bench {
    /// `None` where there is no PostgreSQL.
    fn new() -> Option<Self> {
        let server = pgscratch::for_tests()?;
        let sandbox = Sandbox::new();
        for (name, sql) in MIGRATIONS {
            sandbox.write(&format!("migrations/postgres/{name}"), sql);
        }
        let tokio = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Some(Self {
            sandbox,
            server,
            tokio,
        })
    }

    fn empty(&self) -> Database {
        self.tokio.block_on(self.server.empty_database()).unwrap()
    }

    /// A database that is marked `dev`.
    fn database(&self) -> Database {
        let database = self.empty();
        self.ask(&database, async |connection| {
            let options: PgConnectOptions = database.url.parse().unwrap();
            let server = marker::postgres::server(&options, None);
            marker::postgres::write(connection, server.as_deref(), marker::Environment::Dev)
                .await
                .unwrap();
        });
        database
    }

    fn ask<T>(&self, database: &Database, work: impl AsyncFnOnce(&mut PgConnection) -> T) -> T {
        self.tokio.block_on(async {
            let mut connection = PgConnection::connect(&database.url).await.unwrap();
            let done = work(&mut connection).await;
            connection.close().await.unwrap();
            done
        })
    }

    fn texts(&self, database: &Database, sql: &str) -> Vec<String> {
        self.ask(database, async |connection| {
            sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
                .fetch_all(connection)
                .await
                .unwrap()
        })
    }

    fn execute(&self, database: &Database, sql: &str) {
        self.ask(database, async |connection| {
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))
                .execute(connection)
                .await
                .unwrap();
        });
    }

    fn command(&self, database: &Database, args: &[&str]) -> Command {
        let mut command = self.sandbox.xtask_command(&["migrate"]);
        command.args(args).env("DATABASE_URL", &database.url);
        command
    }

    fn migrate(&self, database: &Database, args: &[&str]) -> Ran {
        run(self.command(database, args))
    }

    /// Catalog and rows, and what migrators believe of them.
    fn digest(&self, database: &Database) -> Vec<String> {
        let mut digest = self.texts(
            database,
            "select format('%s.%s %s %s', c.relname, a.attname, a.atttypid::regtype, a.attnotnull)
             from pg_class c join pg_attribute a on a.attrelid = c.oid
             where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and a.attnum > 0
             order by 1",
        );
        digest.extend(self.texts(
            database,
            "select pg_get_indexdef(indexrelid) || indisvalid || indisready || indislive
             from pg_index where indexrelid >= 16384 and indrelid::regclass::text !~ '^pg_' order by 1",
        ));
        for table in ["orders", "states"] {
            digest.extend(self.texts(
                database,
                &format!("select md5(string_agg(md5(t::text), '' order by t::text)) || count(*) from {table} t"),
            ));
        }
        digest.extend(self.texts(
            database,
            "select version || encode(checksum, 'hex') || success from _sqlx_migrations order by version",
        ));
        digest.extend(self.texts(
            database,
            "select version || state from _migration_journal order by version",
        ));
        digest
    }

    /// What an undisturbed run makes.
    fn undisturbed(&self) -> Vec<String> {
        let database = self.database();
        self.migrate(&database, &[]).expect(0);
        let digest = self.digest(&database);
        assert!(digest.len() > 20, "{digest:#?}");
        digest
    }
}
