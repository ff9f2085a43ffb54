//! Backups of real databases, made, damaged, verified and restored through the binary.

use std::path::PathBuf;

use serde_json::Value;
use sqlx::{ConnectOptions as _, Connection as _};

use crate::sandbox::{Ran, Sandbox};

/// A marked staging database of its own, and a sandbox whose folder for backups is outside of it.
struct Staging {
    sandbox: Sandbox,
    database: pgscratch::Database,
    folder: PathBuf,
}

impl Staging {
    /// `None` where PostgreSQL is not installed.
    fn new(sql: &str) -> Option<Self> {
        let server = pgscratch::for_tests()?;
        let database = block_on(server.empty_database()).unwrap();
        let sandbox = Sandbox::new();
        let folder = sandbox.dir.join("data/backups");
        let staging = Self {
            sandbox,
            database,
            folder,
        };
        staging.xtask(&["db", "mark", "staging"]).expect(0);
        staging.execute(sql);
        Some(staging)
    }

    fn xtask(&self, args: &[&str]) -> Ran {
        self.xtask_at(args, &self.database.url)
    }

    fn xtask_at(&self, args: &[&str], url: &str) -> Ran {
        (self.sandbox).xtask_with(args, &[("APP_ENV", "staging"), ("DATABASE_URL", url)])
    }

    fn execute(&self, sql: &str) {
        execute(&self.database.url, sql);
    }

    /// Makes a backup; its manifest, and where it is.
    fn backup(&self) -> (PathBuf, Value) {
        let made = self.xtask(&["db", "backup", "--format", "json"]);
        let made = made.expect(0).json();
        let path = PathBuf::from(made["path"].as_str().unwrap());
        (path, made["manifest"].clone())
    }

    /// Names of the files in the folder of the environment.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.join("staging"));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.unwrap().block_on(work)
}

fn execute(url: &str, sql: &str) {
    block_on(async {
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()));
        sql.execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
}

const KITCHEN: &str = "
create table meals (id bigint generated always as identity primary key, name text not null unique);
create table orders (id bigserial primary key, meal_id bigint not null references meals, at timestamptz default now(), price float8, note text);
create schema \"odd place\";
create table \"odd place\".\"a \"\"table\"\"\" (\"t\" text, \"the row\" text, raw bytea);
insert into meals (name) select 'meal ' || n from generate_series(1, 20) n;
insert into orders (meal_id, price, note) select 1 + n % 20, n / 7.0, repeat('x', n % 50) from generate_series(1, 500) n;
insert into \"odd place\".\"a \"\"table\"\"\" values (null, '', 'x'), ('', null, '\\x00ff'), ('ä', 'b,c', null);
create view cheap as select * from orders where price < 10;";

#[test]
fn postgres_a_backup_is_proven_and_its_manifest_says_what_it_holds() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let (path, manifest) = staging.backup();
    assert_eq!(manifest["environment"], "staging");
    assert_eq!(
        manifest["identity"]["database"],
        staging.database.name.as_str()
    );
    let tables = manifest["content"]["tables"].as_object().unwrap();
    assert_eq!(tables["public.orders"]["rows"], 500);
    assert_eq!(tables["odd place.a \"table\""]["rows"], 3);
    assert_eq!(tables["public._env_marker"]["rows"], 1);
    assert_eq!(
        manifest["content"]["sequences"]["public.orders_id_seq"]["last"],
        500
    );
    assert_eq!(staging.files().len(), 3, "{:?}", staging.files());
    (staging
        .xtask(&["db", "verify", path.to_str().unwrap()])
        .expect(0))
    .says("restored and compared");
}
