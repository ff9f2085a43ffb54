//! Backups of real databases, made, damaged, verified and restored through the binary.

mod damage;
mod failures;
#[cfg(target_os = "linux")]
mod lies;
mod password;
mod recovery;
mod retention;
mod sqlite;

use std::path::{Path, PathBuf};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::sandbox::{Ran, Sandbox};

/// A marked staging database of its own, and a sandbox with its backups.
struct Staging {
    sandbox: Sandbox,
    server: pgscratch::Handle,
    database: pgscratch::Database,
}

impl Staging {
    /// `None` where PostgreSQL is not installed.
    fn new(sql: &str) -> Option<Self> {
        let server = pgscratch::for_tests()?;
        let staging = Self {
            sandbox: Sandbox::new(),
            database: block_on(server.empty_database()).unwrap(),
            server,
        };
        staging.xtask(&["db", "mark", "staging"]).expect(0);
        execute(&staging.database.url, sql);
        Some(staging)
    }

    fn xtask(&self, args: &[&str]) -> Ran {
        self.xtask_with(args, &[])
    }

    fn xtask_with(&self, args: &[&str], env: &[(&str, &str)]) -> Ran {
        let mut all = vec![
            ("APP_ENV", "staging"),
            ("DATABASE_URL", &*self.database.url),
        ];
        all.extend(env);
        self.sandbox.xtask_with(args, &all)
    }

    fn execute(&self, sql: &str) {
        execute(&self.database.url, sql);
    }

    /// Makes a backup; its manifest.
    #[track_caller]
    fn backup(&self) -> Backup {
        let made = self.xtask(&["db", "backup", "--format", "json"]);
        Backup::made(&made)
    }

    #[track_caller]
    fn verify(&self, backup: &Backup) -> Ran {
        self.xtask(&["db", "verify", backup.path()])
    }

    fn folder(&self) -> PathBuf {
        self.sandbox.dir.join("data/backups/staging")
    }

    /// Names of the files in the folder, but those of locks.
    fn files(&self) -> Vec<String> {
        files(&self.folder())
    }
}

fn files(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.starts_with(".lock"))
        .collect();
    names.sort();
    names
}

/// A manifest on the disk.
struct Backup {
    path: PathBuf,
    manifest: Value,
}

impl Backup {
    #[track_caller]
    fn made(made: &Ran) -> Self {
        let json = made.expect(0).json();
        Self {
            path: PathBuf::from(json["path"].as_str().unwrap()),
            manifest: json["manifest"].clone(),
        }
    }

    fn path(&self) -> &str {
        self.path.to_str().unwrap()
    }

    fn dump(&self) -> PathBuf {
        self.path
            .with_file_name(self.manifest["dump"]["file"].as_str().unwrap())
    }

    fn text(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap()
    }

    /// Replaces in the manifest, whose digest then no longer fits.
    fn edit(&self, from: &str, to: &str) {
        let text = self.text();
        assert!(text.contains(from), "`{from}` is not in:\n{text}");
        std::fs::write(&self.path, text.replace(from, to)).unwrap();
    }

    /// Replaces, and makes the digest fit: the work of somebody who means it, or of another clock.
    fn reseal(&self, from: &str, to: &str) {
        self.edit(from, to);
        let text = self.text();
        let begin = text.find('{').unwrap() + 1;
        let begin = begin + text[begin..].find('{').unwrap();
        let end = text.rfind(",\n  \"digest\"").unwrap();
        let compact: String = (text[begin..end].lines())
            .map(|line| line.trim_start().replacen("\": ", "\":", 1))
            .collect();
        let digest = marker::hex(&Sha256::digest(compact));
        let text = format!("{},\n  \"digest\": \"{digest}\"\n}}\n", &text[..end]);
        std::fs::write(&self.path, text).unwrap();
    }

    /// Says that it was made so many hours before or after it was.
    fn shift(&self, hours: i64) {
        let text: Value = serde_json::from_str(&self.text()).unwrap();
        let old = text["manifest"]["created_at"].as_str().unwrap();
        let made: jiff::Timestamp = (self.manifest["created_at"].as_str().unwrap())
            .parse()
            .unwrap();
        let new = made + jiff::SignedDuration::from_hours(hours);
        self.reseal(old, &new.to_string());
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

fn count(url: &str, sql: &'static str) -> i64 {
    block_on(async {
        let options: sqlx::postgres::PgConnectOptions = url.parse().unwrap();
        let mut connection = options.connect().await.unwrap();
        sqlx::query_scalar(sql)
            .fetch_one(&mut connection)
            .await
            .unwrap()
    })
}

const KITCHEN: &str = r#"
create table meals (id bigint generated always as identity primary key, name text not null unique);
create table orders (id bigserial primary key, meal_id bigint not null references meals,
    at timestamptz default now(), price float8, note text);
create schema "odd place";
create table "odd place"."a ""table""" (t text, "t.*" text, raw bytea);
insert into meals (name) select 'meal ' || n from generate_series(1, 20) n;
insert into orders (meal_id, price, note)
    select 1 + n % 20, n / 7.0, repeat('x', n % 50) from generate_series(1, 500) n;
insert into "odd place"."a ""table""" values (null, '', 'x'), ('', null, '\x00ff'), ('ä', 'b,c', null);
create view cheap as select * from orders where price < 10;"#;

/// About as many bytes as rows times 1,000, which no compression makes fewer.
fn noise(rows: u32) -> String {
    format!(
        "create table if not exists noise (id bigserial primary key, bytes text);
        insert into noise (bytes) select (select string_agg(gen_random_uuid()::text, '') from generate_series(1, 45) m where n > 0)
            from generate_series(1, {rows}) n;"
    )
}

#[test]
fn postgres_a_backup_is_proven_and_its_manifest_says_what_it_holds() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let backup = staging.backup();
    let manifest = &backup.manifest;
    assert_eq!(manifest["environment"], "staging");
    assert_eq!(manifest["identity"]["database"], &*staging.database.name);
    let tables = manifest["content"]["tables"].as_object().unwrap();
    assert_eq!(tables["public.orders"]["rows"], 500);
    assert_eq!(tables["odd place.a \"table\""]["rows"], 3);
    assert_eq!(tables["public._env_marker"]["rows"], 1);
    let sequences = &manifest["content"]["sequences"];
    assert_eq!(sequences["public.orders_id_seq"]["last"], 500);
    assert_eq!(manifest["release"].as_str().unwrap().len(), 40);
    assert_eq!(staging.files().len(), 2, "{:?}", staging.files());
    staging
        .verify(&backup)
        .expect(0)
        .says("restored and compared");
    assert_eq!(staging.files().len(), 2, "{:?}", staging.files());
}

/// Rows that come while it is made are in the dump and in the counts, or in neither.
#[test]
fn postgres_a_backup_is_of_one_moment_while_others_write() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    let url = &staging.database.url;
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut written = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                execute(url, "insert into orders (meal_id) values (1); delete from orders where id % 50 = 3; update meals set name = name || '.'");
                written += 1;
            }
            written
        });
        let made: Vec<Ran> = (0..3).map(|_| staging.xtask(&["db", "backup"])).collect();
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(writer.join().unwrap() > 3);
        for made in made {
            made.expect(0);
        }
    });
}

/// What belongs to an extension is made by it, and is in no dump.
#[test]
fn postgres_what_an_extension_brings_is_not_compared() {
    let Some(staging) = Staging::new(KITCHEN) else {
        return;
    };
    staging.execute(
        "create sequence brought; select nextval('brought'); create table bring (n int);
        alter extension plpgsql add sequence brought; alter extension plpgsql add table bring;",
    );
    let content = &staging.backup().manifest["content"];
    assert!(
        content["sequences"]["public.brought"].is_null(),
        "{content:#}"
    );
    assert!(content["tables"]["public.bring"].is_null(), "{content:#}");
    assert_eq!(content["sequences"]["public.orders_id_seq"]["last"], 500);
}

/// The scratch server knows UTF-8 and no roles; neither makes a difference.
#[test]
fn postgres_a_database_of_another_encoding_with_policies_is_compared_all_the_same() {
    let Some(staging) = Staging::new("") else {
        return;
    };
    let (server, name) = (staging.server.url("postgres"), &staging.database.name);
    let (name, role) = (format!("latin_{name}"), format!("owner_{name}"));
    execute(&server, &format!("create role {role}"));
    execute(
        &server,
        &format!("create database {name} encoding latin1 locale 'C' template template0"),
    );
    let url = staging.server.url(&name);
    let at = [("DATABASE_URL", &*url)];
    (staging.xtask_with(&["db", "mark", "staging"], &at)).expect(0);
    execute(
        &url,
        &format!(
            "create table words (word text, price money, class regclass, at timestamptz, span interval);
            insert into words values ('k\u{e4}se', 1234.5, 'words', '2026-01-02 03:04:05.678901+06', '1 mon 2 days');
            create table parts (n int) partition by range (n);
            create table low partition of parts for values from (0) to (10);
            create table high partition of parts for values from (10) to (20);
            insert into parts select * from generate_series(0, 19);
            create table child () inherits (words);
            insert into child select * from words;
            alter table words enable row level security, force row level security, owner to {role};
            create policy none on words using (false);
            alter database {name} set datestyle to 'german';"
        ),
    );
    let backup = Backup::made(&staging.xtask_with(&["db", "backup", "--format", "json"], &at));
    let tables = &backup.manifest["content"]["tables"];
    for (table, rows) in [("words", 1), ("child", 1), ("low", 10), ("high", 10)] {
        assert_eq!(
            tables[&format!("public.{table}")]["rows"],
            rows,
            "{tables:#}"
        );
    }
    (staging.xtask_with(&["db", "verify", backup.path()], &at)).expect(0);
    execute(&server, &format!("drop database {name}"));
    execute(&server, &format!("drop role {role}"));
}
