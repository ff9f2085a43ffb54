//! Migration files keep their rules, apply on both engines, and make the committed schema.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::Connection as _;

use super::{Cache, Gate, Input, Plant, Platform, Rule, Tier, minutes};
use crate::cx::{Cx, Postgres, write_atomic};
use crate::environment;
use crate::migrations::apply::{self, Refused};
use crate::migrations::files::Listed;
use crate::migrations::lint::measure::{self, Statement};
use crate::migrations::lint::{self, Sql};
use crate::migrations::{Engine, files, schema};
use crate::repo;
use crate::report::{Finding, NotRun, Report, text};
use crate::runner::tree::{Spot, Tree};

pub(super) const GATE: Gate = Gate {
    id: "migrations",
    about: "a migration edited after merge, misnamed, out of order, that loses or blocks something without saying so, that fails to apply, or a stale schema",
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
        Rule::error("migrations/text", "text that no migrator should be given"),
        Rule::error("migrations/syntax", "a file that is no SQL of its engine"),
        Rule::error(
            "migrations/destructive",
            "a new statement loses something, and no note says that it is meant",
        ),
        Rule::error(
            "migrations/heavy",
            "a new statement holds others up, and no note says that it is meant",
        ),
        Rule::error(
            "migrations/note",
            "a note that covers nothing, or says nothing",
        ),
        Rule::error(
            "migrations/transaction",
            "a new statement that fails or escapes in the migrator's transaction, or outside of it",
        ),
        Rule::error("migrations/sqlite", "what SQLite takes and nobody means"),
        Rule::error(
            "migrations/measured",
            "the server says otherwise than the lint what a new statement does",
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
            rule: "migrations/text",
            plant: |tree| planted(tree, Engine::Sqlite, "select 1;\nselect 2;\r\n", 2),
        },
        Plant {
            rule: "migrations/syntax",
            plant: |tree| planted(tree, Engine::Postgres, "select 1;\nselct 2;\n", 2),
        },
        Plant {
            rule: "migrations/destructive",
            plant: |tree| {
                planted(
                    tree,
                    Engine::Postgres,
                    "-- gone\nDROP TABLE env_marker;\n",
                    2,
                )
            },
        },
        Plant {
            rule: "migrations/heavy",
            plant: |tree| {
                let sql = "-- slow\nCREATE INDEX planted ON env_marker (env);\n";
                planted(tree, Engine::Postgres, sql, 2)
            },
        },
        Plant {
            rule: "migrations/note",
            plant: |tree| {
                planted(
                    tree,
                    Engine::Postgres,
                    "-- heavy: it is not\nselect 1;\n",
                    1,
                )
            },
        },
        Plant {
            rule: "migrations/transaction",
            plant: |tree| {
                let sql = "-- Too late.\n-- no-transaction\nselect 1;\n";
                planted(tree, Engine::Sqlite, sql, 2)
            },
        },
        Plant {
            rule: "migrations/sqlite",
            plant: |tree| {
                let sql = "CREATE TABLE planted (\n    id UUID PRIMARY KEY\n);\n";
                planted(tree, Engine::Sqlite, sql, 2)
            },
        },
        Plant {
            rule: "migrations/measured",
            plant: |tree| {
                let sql = "CREATE FUNCTION planted() RETURNS void LANGUAGE plpgsql AS $$\nBEGIN\n    \
                    CREATE INDEX planted ON env_marker (env);\nEND $$;\nSELECT planted();\n";
                planted(tree, Engine::Postgres, sql, 5)
            },
        },
        Plant {
            rule: "migrations/apply",
            plant: |tree| {
                planted(tree, Engine::Sqlite, "select * from planted;\n", 1)?;
                Ok(Spot::file("migrations/sqlite/29990101000000_planted.sql"))
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

/// A new version that says `sql` on one engine and nothing on the other.
fn planted(tree: &Tree, engine: Engine, sql: &str, line: usize) -> Result<Spot> {
    for other in Engine::ALL {
        let file = format!("{}/29990101000000_planted.sql", other.folder());
        tree.write(&file, if other == engine { sql } else { "select 1;\n" })?;
    }
    let file = format!("{}/29990101000000_planted.sql", engine.folder());
    Ok(Spot::line(&file, line))
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
            let schema = schema::sqlite::read(&mut connection).await?;
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
                let schema = schema::postgres::read(&mut connection).await?;
                connection.close().await?;
                Ok(Replayed::Schema(schema))
            })
        }
    }
}

/// What the server says of new statements, where there is one.
fn measured(cx: &Cx, sources: &[Sql], fresh: &[Statement]) -> Result<Vec<Finding>> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    let Postgres::Running(cluster) = cx.postgres()? else {
        return Ok(Vec::new());
    };
    cx.block_on(async {
        let database = cluster
            .handle()
            .empty_database()
            .await
            .context("failed to create a scratch database")?;
        let mut connection = apply::open_postgres(&database.url).await?;
        let measured = measure::measure(&mut connection, sources, fresh).await?;
        connection.close().await?;
        Ok(measured.findings)
    })
}

/// The well-formed migrations in the order of their versions.
fn sources(cx: &Cx, listed: &Listed, history: &BTreeSet<String>) -> Result<Vec<Sql>> {
    let mut sources = Vec::new();
    for migration in &listed.migrations {
        let file = &migration.file;
        sources.push(Sql {
            file: file.clone(),
            engine: migration.engine,
            bytes: std::fs::read(cx.root.join(file))
                .with_context(|| format!("failed to read `{file}`"))?,
            is_new: !history.contains(file),
        });
    }
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(sources)
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    let listed = files::list(cx)?;
    report.findings.clone_from(&listed.findings);
    let mut history = BTreeSet::new();
    match repo::open(&cx.root)? {
        Some(repo) => {
            let base = repo::base(&repo, &cx.policy.branch.trunk)?;
            let changed = files::against_base(cx, &repo, &base, &listed)?;
            report.findings.extend(changed);
            // What trunk has gone on from is merged, be it HEAD itself.
            let behind = base.head.filter(|head| base.tip != Some(*head));
            if let Some(commit) = behind.or(base.commit) {
                let merged = files::merged(cx, &repo, commit)?;
                history = merged.into_iter().map(|migration| migration.file).collect();
            }
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
    let sources = sources(cx, &listed, &history)?;
    let lint = lint::lint(&sources)?;
    report.count("statements", lint.statements);
    report.findings.extend(lint.findings);
    report.findings.extend(measured(cx, &sources, &lint.fresh)?);
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
                && Path::new(file).extension().is_some_and(|e| e == "sql");
            file.starts_with(engine.folder())
                && (malformed || finding.rule == "migrations/duplicate")
        });
        // Nor is a text given to a database that is none.
        let is_ambiguous = is_ambiguous
            || report.findings.iter().any(|finding| {
                let file = finding.file.as_deref().unwrap_or_default();
                finding.rule == "migrations/text" && file.starts_with(engine.folder())
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
                hides: vec![
                    "applied-postgres".to_owned(),
                    "migrations/measured".to_owned(),
                ],
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
    Ok(schema::drift(engine, &committed, schema).map(|diff| {
        Finding::error(
            "migrations/snapshot",
            format!("`{file}` is not the schema that the migrations make"),
        )
        .at(file, text::first_difference(&committed, schema))
        .fix(diff)
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
