//! `cargo xtask bench --migrate`: a thousand migrations validated and applied to a new database, and
//! its schema read; beside `sqlx migrate run` where sqlx-cli is installed. The server waits for the
//! disk at each commit, as one does that keeps its data.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};
use marker::Environment;
use pgscratch::Cluster;

use super::{Figure, measure};
use crate::cli::{say, say_json};
use crate::cx::Cx;
use crate::database::{AppEnv, Link, Target};
use crate::exit::{Code, Problem};
use crate::migrations::{Engine, schema};

const FILES: usize = 1000;

pub(super) fn run(cx: &Cx, runs: u32, json: bool) -> Result<Code> {
    let root = cx.tmp().join("bench");
    write(&root)?;
    let with_sqlx = Command::new("sqlx")
        .arg("--version")
        .stdout(Stdio::null())
        .status()
        .is_ok();
    let server = pgscratch::find().map_err(|missing| {
        Problem::new(Code::ToolMissing, missing.to_string())
            .help("cargo xtask doctor says where it is looked for")
    })?;
    let cluster =
        Cluster::start_durable(&server).context("failed to start a scratch PostgreSQL")?;
    let mut figures = Vec::new();
    for engine in [Engine::Postgres, Engine::Sqlite] {
        let source = root.join(engine.folder());
        let sqlx = |_: &Target, url: &str| {
            let mut sqlx = Command::new("sqlx");
            sqlx.args(["migrate", "run", "--source"])
                .arg(&source)
                .args(["--database-url", url]);
            succeed(&mut sqlx)
        };
        let ours = |target: &Target, url: &str| ours(cx, &root, target, url);
        let mut walls = [Vec::new(), Vec::new()];
        // In turn: what else the machine does falls on both.
        for run in 0..runs.max(1) {
            walls[0].push(timed(
                cx,
                &cluster,
                engine,
                &format!("xtask-{run}.db"),
                &ours,
            )?);
            if with_sqlx {
                walls[1].push(timed(
                    cx,
                    &cluster,
                    engine,
                    &format!("sqlx-{run}.db"),
                    &sqlx,
                )?);
            }
        }
        for (who, mut walls) in ["xtask", "sqlx"].into_iter().zip(walls) {
            walls.sort_by(|a, b| a.wall_ms.total_cmp(&b.wall_ms));
            let middle = walls.len() / 2;
            figures.extend(walls.into_iter().nth(middle).map(|median| Figure {
                what: format!("{who}, {}", engine.name()),
                runs: runs.max(1),
                ..median
            }));
        }
    }
    if json {
        say_json(&figures)?;
        return Ok(Code::Done);
    }
    for Figure { what, wall_ms, .. } in &figures {
        say(format!("{FILES} migrations, {what:<16} {wall_ms:>8.0} ms"))?;
    }
    if !with_sqlx {
        say(
            "not run: sqlx; cargo install sqlx-cli --no-default-features --features postgres,sqlite",
        )?;
    }
    Ok(Code::Done)
}

/// A workspace with migrations as people write them, for both engines.
fn write(root: &Path) -> Result<()> {
    // Of its own: the repository around it ignores the folder, and no such file is ever applied.
    git2::Repository::init(root).context("failed to make a repository to measure in")?;
    for engine in Engine::ALL {
        let folder = root.join(engine.folder());
        std::fs::create_dir_all(&folder).context("failed to write the migrations to measure")?;
        for n in 0..FILES {
            let before = n.saturating_sub(1);
            let sql = format!(
                "-- Why it is needed.\nCREATE TABLE t{n} (id bigint PRIMARY KEY, name text NOT NULL UNIQUE CHECK (name <> ''));\n\
                 ALTER TABLE t{before} ADD COLUMN c{n} varchar(20) DEFAULT 'none';\n\
                 INSERT INTO t{n} (id, name) VALUES (1, 'one');\n"
            );
            let version = 20_260_101_000_000 + (n / 60) * 100 + n % 60;
            std::fs::write(folder.join(format!("{version}_t{n}.sql")), sql)
                .context("failed to write the migrations to measure")?;
        }
    }
    std::fs::write(root.join("xtask.toml"), "").context("failed to write the policy")
}

/// `work` on a new database; making it is not counted.
fn timed(
    cx: &Cx,
    cluster: &Cluster,
    engine: Engine,
    name: &str,
    work: &dyn Fn(&Target, &str) -> Result<()>,
) -> Result<Figure> {
    let (target, url, _kept) = database(cx, cluster, engine, name)?;
    measure(name, 1, || work(&target, &url))
}

/// An empty database that is marked `dev`.
fn database(
    cx: &Cx,
    cluster: &Cluster,
    engine: Engine,
    name: &str,
) -> Result<(Target, String, Option<pgscratch::Database>)> {
    let (url, kept) = match engine {
        Engine::Sqlite => (format!("sqlite://{}", cx.tmp().join(name).display()), None),
        Engine::Postgres => {
            let database = cx.block_on(async { Ok(cluster.handle().empty_database().await?) })?;
            (database.url.clone(), Some(database))
        }
    };
    let target = Target::of_url(cx, AppEnv::Local, &url)?;
    cx.block_on(Link::make(&target, async |link| {
        link.mark(Environment::Dev).await
    }))?;
    Ok((target, url, kept))
}

/// The command itself, then the schema it made.
fn ours(cx: &Cx, root: &Path, target: &Target, url: &str) -> Result<()> {
    let exe = std::env::current_exe().context("failed to find this program")?;
    let mut xtask = Command::new(exe);
    xtask
        .args(["migrate", "--quiet"])
        .current_dir(root)
        .env("DATABASE_URL", url);
    succeed(&mut xtask)?;
    cx.block_on(Link::with(target, async |link| {
        schema::read(link).await.map(drop)
    }))
}

fn succeed(command: &mut Command) -> Result<()> {
    let output = command
        .output()
        .context("failed to start what is measured")?;
    if output.status.success() {
        return Ok(());
    }
    Err(Problem::new(
        Code::Red,
        format!(
            "what is measured failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        ),
    )
    .into())
}
