//! `setup` prepares and can be repeated; `doctor` and `test` say what they found.

use std::os::unix::fs::PermissionsExt as _;

use sqlx::{ConnectOptions as _, Connection as _, Row as _};

use crate::sandbox::Sandbox;

#[test]
fn setup_prepares_once_and_keeps_what_is_there() {
    let sandbox = Sandbox::new();
    sandbox
        .xtask(&["setup"])
        .expect(0)
        .says("done  `.env.local`: wrote WEB_KEY")
        .says("done  database marked `dev`");
    let first = sandbox.read(".env.local");
    let key = first
        .lines()
        .find_map(|line| line.strip_prefix("WEB_KEY="))
        .unwrap();
    assert!(
        key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit()),
        "{key}"
    );
    assert_eq!(
        std::fs::metadata(sandbox.dir.join(".env.local"))
            .unwrap()
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    assert_eq!(marker(&sandbox), "dev");

    let again = sandbox.xtask(&["setup"]);
    again
        .expect(0)
        .says("ok    `.env.local` has every secret")
        .says("ok    database marked `dev`");
    assert!(!again.stdout.contains("done"), "{}", again.stdout);
    assert_eq!(sandbox.read(".env.local"), first);
    // A file of before there was this secret; its last line is not ended.
    sandbox.write(".env.local", "# mine\nWEB_KEY=");
    sandbox
        .xtask(&["setup"])
        .expect(0)
        .says("done  `.env.local`: wrote WEB_KEY");
    let text = sandbox.read(".env.local");
    assert!(text.starts_with("# mine\nWEB_KEY=\nWEB_KEY="), "{text}");
    let other = Sandbox::new();
    other.xtask(&["setup"]).expect(0);
    assert_ne!(
        other.read(".env.local"),
        first,
        "two checkouts share a secret"
    );
    assert!(
        !sandbox
            .xtask(&["ci", "env"])
            .stdout
            .contains("env/committed")
    );
}

#[test]
fn a_sqlite_url_names_the_file_that_the_apps_open() {
    let sandbox = Sandbox::new();
    let setup = |url: &str| sandbox.xtask_with(&["setup"], &[("DATABASE_URL", url)]);
    setup("sqlite:data/a%20b%3F.db?mode=rwc").expect(0);
    assert!(sandbox.dir.join("data/a b?.db").is_file());
    for url in ["sqlite:a%ff.db", "sqlite:a.db?mod=rwc"] {
        setup(url).expect(3).says("DATABASE_URL cannot be read");
    }
    for url in [
        "sqlite:",
        "sqlite://",
        "sqlite::memory:",
        "sqlite:a?mode=memory",
    ] {
        setup(url)
            .expect(3)
            .says("DATABASE_URL names no SQLite file");
    }
}

#[test]
fn setup_keeps_away_from_anything_but_a_local_database() {
    let sandbox = Sandbox::new();
    sandbox
        .xtask_with(&["setup"], &[("APP_ENV", "production")])
        .expect(3)
        .says("setup is for `local`");
    assert!(!sandbox.dir.join(".env.local").exists());
    sandbox.xtask(&["setup"]).expect(0);
    mark_as(&sandbox, "prod");
    sandbox
        .xtask(&["setup"])
        .expect(3)
        .says("it is marked `prod`, `dev` is expected");
    assert_eq!(marker(&sandbox), "prod");
    // Not even what is pending is applied to a database of another environment.
    sandbox.write(
        "migrations/sqlite/20270101000000_later.sql",
        "create table later (id integer);\n",
    );
    sandbox
        .xtask(&["setup"])
        .expect(3)
        .says("it is marked `prod`");
    execute(&sandbox, "create table later (id integer)");
    sandbox
        .sh
        .remove_path("migrations/sqlite/20270101000000_later.sql")
        .unwrap();
    execute(&sandbox, "drop table _env_marker");
    sandbox
        .xtask(&["setup"])
        .expect(3)
        .says("it has no environment marker, `dev` is expected")
        .says("cargo xtask db mark dev");
    sandbox.write(
        "data/local.db",
        "this is no database, but long enough to be looked at as one".repeat(200),
    );
    sandbox
        .xtask(&["setup"])
        .expect(3)
        .says("file is not a database")
        .says("help: ");
    sandbox
        .xtask_with(&["setup"], &[("DATABASE_URL", "mysql://x")])
        .expect(3)
        .says("neither `sqlite:` nor `postgres:`");
}

fn database<T>(sandbox: &Sandbox, work: impl AsyncFnOnce(&mut sqlx::SqliteConnection) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let options =
            sqlx::sqlite::SqliteConnectOptions::new().filename(sandbox.dir.join("data/local.db"));
        let mut connection = options.connect().await.unwrap();
        let done = work(&mut connection).await;
        connection.close().await.unwrap();
        done
    })
}

fn marker(sandbox: &Sandbox) -> String {
    database(sandbox, async |connection| {
        sqlx::query("select env from _env_marker")
            .fetch_one(connection)
            .await
            .unwrap()
            .get(0)
    })
}

fn mark_as(sandbox: &Sandbox, environment: &str) {
    database(sandbox, async |connection| {
        let environment = environment.parse().unwrap();
        marker::sqlite::write(connection, environment)
            .await
            .unwrap();
    });
}

fn execute(sandbox: &Sandbox, sql: &'static str) {
    database(sandbox, async |connection| {
        sqlx::query(sql).execute(connection).await.unwrap();
    });
}

#[test]
fn doctor_gives_each_problem_its_mend() {
    let sandbox = Sandbox::new();
    let ran = sandbox.xtask(&["doctor"]);
    // Whether the disk is full is the machine's affair; whatever it is, the exit code says so.
    let problems: Vec<&str> = (ran.stdout.lines())
        .filter(|line| line.starts_with("problem"))
        .collect();
    let on_disk = |line: &&str| line.starts_with("problem  disk");
    assert!(problems.iter().all(on_disk), "{}", ran.stdout);
    ran.expect(if problems.is_empty() { 0 } else { 3 })
        .says("advice   secrets")
        .says("fix: cargo xtask setup");
    let json = sandbox
        .xtask_with(
            &["doctor", "--format", "json"],
            &[("RUSTFLAGS", "-Dwarnings")],
        )
        .json();
    let flags = json
        .as_array()
        .unwrap()
        .iter()
        .find(|check| check["what"] == "flags")
        .unwrap();
    assert_eq!(flags["status"], "advice");
    let bare = Sandbox::bare();
    bare.xtask(&["doctor"])
        .expect(3)
        .says("problem  repository")
        .says("not a git repository");
    let lost = sandbox.xtask_with(&["doctor"], &[("PATH", "/nonexistent")]);
    lost.expect(4).says("fix: install Rust with rustup");
}

#[test]
fn test_ends_with_the_closing_line_of_the_runner() {
    let sandbox = Sandbox::new();
    let ran = sandbox.xtask(&["test"]);
    ran.expect(0);
    assert!(
        ran.stdout.ends_with("\n4 passed, 0 failed\n"),
        "{}",
        ran.stdout
    );
    let one = sandbox.xtask(&["test", "--package", "web"]);
    one.expect(0);
    assert!(
        one.stdout.ends_with("\n2 passed, 0 failed\n"),
        "{}",
        one.stdout
    );
    let later = format!("\n#[test]\n#[{}]\nfn later() {{}}\n", "ignore");
    sandbox.append("apps/web/src/lib.rs", &later);
    sandbox.xtask(&["test"]).expect(1).says("later` never runs");
}
