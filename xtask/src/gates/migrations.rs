//! Migration files keep their rules, apply on both engines, and make the committed schema.

use anyhow::{Context as _, Result};
use sqlx::Connection as _;

use super::{Cache, Gate, Input, Plant, Platform, Rule, Tier, minutes};
use crate::cx::{Cx, Postgres, write_atomic};
use crate::environment;
use crate::migrations::apply::{self, Refused};
use crate::migrations::{Engine, files, snapshot};
use crate::repo;
use crate::report::{Finding, NotRun, Report, text};
use crate::runner::tree::Tree;

pub(super) const GATE: Gate = Gate {
    id: "migrations",
    about: "a migration edited after merge, misnamed, out of order, that fails to apply, or a stale schema",
    tier: Tier::Pull,
    needs: &[],
    locks: &[],
    inputs: &[
        Input::Files("migrations/**"),
        Input::Git,
        Input::Tool("postgres"),
        Input::Env("XTASK_REQUIRE_POSTGRES"),
    ],
    cache: Cache::Never,
    platforms: Platform::ALL,
    timeout: minutes(5),
    rules: &[
        Rule::error("migrations/name", "a file that the migrator would skip"),
        Rule::error("migrations/duplicate", "two migrations of one version"),
        Rule::error("migrations/unpaired", "a version that only one engine has"),
        Rule::error("migrations/edited", "a merged migration was edited"),
        Rule::error(
            "migrations/removed",
            "a merged migration was removed or renamed",
        ),
        Rule::error(
            "migrations/late",
            "a new migration that is not newer than trunk's newest",
        ),
        Rule::error("migrations/apply", "a database refuses it"),
        Rule::error(
            "migrations/snapshot",
            "the committed schema is not what the migrations make",
        ),
    ],
    check,
    fix: Some(fix),
    plants: &[
        Plant {
            rule: "migrations/name",
            plant: |tree| tree.write("migrations/sqlite/2026-11-21_planted.sql", "select 1;\n"),
        },
        Plant {
            rule: "migrations/duplicate",
            plant: |tree| {
                let newest = newest(tree)?;
                let name = newest.rsplit('/').next().unwrap_or_default();
                let stamp = name.split('_').next().unwrap_or_default();
                tree.write(
                    &format!("migrations/sqlite/{stamp}_zz_planted.sql"),
                    "select 1;\n",
                )
            },
        },
        Plant {
            rule: "migrations/unpaired",
            plant: |tree| {
                tree.write(
                    "migrations/sqlite/29990101000000_planted.sql",
                    "select 1;\n",
                )
            },
        },
        Plant {
            rule: "migrations/edited",
            plant: |tree| tree.append(&newest(tree)?, "-- planted\n"),
        },
        Plant {
            rule: "migrations/removed",
            plant: |tree| tree.remove(&newest(tree)?),
        },
        Plant {
            rule: "migrations/late",
            plant: |tree| {
                tree.write(
                    "migrations/postgres/20000101000000_planted.sql",
                    "select 1;\n",
                )?;
                tree.write(
                    "migrations/sqlite/20000101000000_planted.sql",
                    "select 1;\n",
                )
            },
        },
        Plant {
            rule: "migrations/apply",
            plant: |tree| {
                tree.write(
                    "migrations/postgres/29990101000000_planted.sql",
                    "select 1;\n",
                )?;
                tree.write(
                    "migrations/sqlite/29990101000000_planted.sql",
                    "select * from planted;\n",
                )
            },
        },
        Plant {
            rule: "migrations/snapshot",
            plant: |tree| tree.append(Engine::Sqlite.snapshot(), "-- planted\n"),
        },
    ],
};

fn newest(tree: &Tree) -> Result<String> {
    let is_migration = |file: &String| file.rsplit('/').next().and_then(files::version).is_some();
    tree.find("migrations/sqlite/", ".sql")
        .into_iter()
        .rfind(is_migration)
        .context("no migration to plant over")
}

/// The replayed schema of an engine, or why there is none.
enum Replayed {
    Schema(String),
    Refused(Refused),
    NoServer(String),
}

fn replay(cx: &Cx, engine: Engine) -> Result<Replayed> {
    let folder = cx.root.join(engine.folder());
    match engine {
        Engine::Sqlite => cx.block_on(async {
            let scratch = cx.tmp().join("replay.db");
            let mut connection = apply::open_sqlite(&scratch).await?;
            if let Err(refused) = apply::run(&folder, &mut connection).await? {
                return Ok(Replayed::Refused(refused));
            }
            let schema = snapshot::sqlite(&mut connection).await?;
            connection.close().await?;
            Ok(Replayed::Schema(schema))
        }),
        Engine::Postgres => {
            let cluster = match cx.postgres()? {
                Postgres::Running(cluster) => cluster,
                Postgres::Absent(why) => return Ok(Replayed::NoServer(why)),
            };
            cx.block_on(async {
                let database = cluster
                    .handle()
                    .empty_database()
                    .await
                    .context("failed to create a scratch database")?;
                let mut connection = apply::open_postgres(&database.url).await?;
                if let Err(refused) = apply::run(&folder, &mut connection).await? {
                    return Ok(Replayed::Refused(refused));
                }
                let schema = snapshot::postgres(&mut connection).await?;
                connection.close().await?;
                Ok(Replayed::Schema(schema))
            })
        }
    }
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    let listed = files::list(cx)?;
    report.findings.clone_from(&listed.findings);
    match repo::open(&cx.root)? {
        Some(repo) => {
            let base = repo::base(&repo, &cx.policy.branch.trunk)?;
            let changed = files::against_base(cx, &repo, &base, &listed)?;
            report.findings.extend(changed);
            report.note(format!("against {}", base.how));
        }
        None => report.not_run.push(NotRun {
            what: "comparison with trunk".to_owned(),
            reason: "this is not a git repository".to_owned(),
            required_by: "XTASK_REQUIRE_GIT".to_owned(),
            required: environment::requires("XTASK_REQUIRE_GIT"),
            help: "git init, or clone instead of unpacking".to_owned(),
            hides: Vec::new(),
        }),
    }
    report.count("files", listed.migrations.len());
    for engine in Engine::ALL {
        let of_engine = listed
            .migrations
            .iter()
            .filter(|migration| migration.engine == engine)
            .count();
        // A migrator stops at a malformed name, and of two files with one version no database
        // could tell which it has.
        let is_ambiguous = listed.findings.iter().any(|finding| {
            let file = finding.file.as_deref().unwrap_or_default();
            let malformed = finding.rule == "migrations/name"
                && std::path::Path::new(file)
                    .extension()
                    .is_some_and(|e| e == "sql");
            file.starts_with(engine.folder())
                && (malformed || finding.rule == "migrations/duplicate")
        });
        if of_engine == 0 || is_ambiguous {
            continue;
        }
        match replay(cx, engine)? {
            Replayed::Schema(schema) => {
                report.count(&format!("applied-{}", engine.name()), of_engine);
                report.findings.extend(stale(cx, engine, &schema)?);
            }
            Replayed::Refused(refused) => {
                report
                    .findings
                    .push(refused.finding(&cx.root, engine, &listed.migrations));
            }
            Replayed::NoServer(help) => report.not_run.push(NotRun {
                what: format!("{} on PostgreSQL", text::plural(of_engine, "migration")),
                reason: "no PostgreSQL server was found".to_owned(),
                required_by: "XTASK_REQUIRE_POSTGRES".to_owned(),
                required: environment::requires("XTASK_REQUIRE_POSTGRES"),
                help,
                hides: vec!["applied-postgres".to_owned()],
            }),
        }
    }
    Ok(report)
}

fn stale(cx: &Cx, engine: Engine, schema: &str) -> Result<Option<Finding>> {
    let file = engine.snapshot();
    let committed = if cx.root.join(file).is_file() {
        cx.read(file)?
    } else {
        String::new()
    };
    Ok((committed != schema).then(|| {
        Finding::error(
            "migrations/snapshot",
            format!("`{file}` is not the schema that the migrations make"),
        )
        .at(file, text::first_difference(&committed, schema))
        .fix(text::diff(file, &committed, schema))
    }))
}

/// Writes the schema snapshots of the engines that are here.
fn fix(cx: &Cx) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for engine in Engine::ALL
        .into_iter()
        .filter(|engine| cx.root.join(engine.folder()).is_dir())
    {
        if let Replayed::Schema(schema) = replay(cx, engine)?
            && stale(cx, engine, &schema)?.is_some()
        {
            write_atomic(&cx.root.join(engine.snapshot()), schema)?;
            done.push(format!("wrote `{}`", engine.snapshot()));
        }
    }
    Ok(done)
}
