//! Migration files keep their rules, apply on both engines, and make the committed schema.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};

use super::{Cache, Gate, Input, Platform, Rule, Tier, minutes};
use crate::cx::{Cx, Postgres, write_atomic};
use crate::database::{Link, Scratch};
use crate::environment;
use crate::migrations::contract::Released;
use crate::migrations::files::{Listed, Migration};
use crate::migrations::lint::measure::{self, Statement};
use crate::migrations::lint::{self, Sql};
use crate::migrations::plants::PLANTS;
use crate::migrations::queries::{self, Query};
use crate::migrations::replay::{self, Replayed};
use crate::migrations::schema::{self, logical::Logical, page};
use crate::migrations::{Engine, files};
use crate::repo;
use crate::report::{Finding, NotRun, Report, text};

pub(super) const GATE: Gate = Gate {
    id: "migrations",
    about: "a migration edited after merge, misnamed, out of order, that loses or blocks something without saying so, that fails to apply, a stale schema, or engines that differ",
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
        Rule::error(
            "migrations/unnamed",
            "an index that is built outside of a transaction and has no name",
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
        Rule::error(
            "migrations/parity",
            "what one engine has and the other has not, as far as an app can tell",
        ),
        Rule::error(
            "migrations/contract",
            "a new migration takes away what a query of the last release uses",
        ),
    ],
    check,
    fix: Some(fix),
    plants: PLANTS,
};

/// What the migrations of an engine make.
struct Schema {
    /// To be committed.
    text: String,
    logical: Logical,
    /// What it refuses of the last release's queries, and why.
    refused: Vec<(Query, String)>,
}

fn replay(cx: &Cx, engine: Engine, released: Option<&Released>) -> Result<Replayed<Schema>> {
    replay::with(
        cx,
        engine,
        &cx.root.join(engine.folder()),
        async |scratch| {
            Ok(Schema {
                text: schema::read(scratch).await?,
                logical: Logical::read(scratch).await?,
                refused: match released {
                    Some(released) => released.refused(engine, scratch).await?,
                    None => Vec::new(),
                },
            })
        },
    )
}

/// What the server says of new statements, where there is one.
fn measured(cx: &Cx, sources: &[Sql], fresh: &[Statement]) -> Result<Vec<Finding>> {
    if fresh.is_empty() {
        return Ok(Vec::new());
    }
    if let Postgres::Absent(_) = cx.postgres()? {
        return Ok(Vec::new());
    }
    cx.block_on(async {
        let scratch = Scratch::new(cx, Engine::Postgres).await?;
        Link::with(scratch.target(), async |link| match link {
            Link::Postgres { connection, .. } => measure::measure(connection, sources, fresh)
                .await
                .map(|measured| measured.findings),
            Link::Sqlite { .. } => Ok(Vec::new()),
        })
        .await
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
    let mut released = None;
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
                let is_new = |migration: &Migration| !history.contains(&migration.file);
                if listed.migrations.iter().any(is_new) {
                    released = Some((Released::read(cx, &repo, commit)?, repo));
                }
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
    if let Some((
        Released {
            name,
            registry: None,
            ..
        },
        _,
    )) = &released
    {
        report.note(format!(
            "{name} has no `{}`: whether its queries still work is not known",
            queries::FILE
        ));
    }
    let mut meanings = Vec::new();
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
        match replay(cx, engine, released.as_ref().map(|(released, _)| released))? {
            Replayed::Done(schema) => {
                report.count(&format!("applied-{}", engine.name()), of_engine);
                for (file, wanted) in generated(engine, &schema) {
                    report.findings.extend(stale(cx, file, &wanted)?);
                }
                if let Some((released, repo)) = &released {
                    let broken = released.broken(cx, repo, engine, &schema.refused, &sources)?;
                    report.findings.extend(broken);
                }
                meanings.push(schema.logical);
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
                    "migrations/parity".to_owned(),
                    "migrations/contract".to_owned(),
                ],
            }),
        }
    }
    if let [postgres, sqlite] = meanings.as_slice() {
        let unlike = schema::parity(postgres, sqlite, &sources);
        report.findings.extend(unlike);
    }
    Ok(report)
}

/// The files that follow from an engine's schema, and their text.
fn generated(engine: Engine, schema: &Schema) -> Vec<(&'static str, String)> {
    let mut files = vec![(engine.snapshot(), schema.text.clone())];
    // Its types say more.
    if engine == Engine::Postgres {
        files.push((page::FILE, page::page(&schema.logical)));
    }
    files
}

fn stale(cx: &Cx, file: &str, wanted: &str) -> Result<Option<Finding>> {
    let committed = if cx.root.join(file).is_file() {
        cx.read(file)?
    } else {
        String::new()
    };
    Ok(schema::drift(file, &committed, wanted).map(|diff| {
        Finding::error(
            "migrations/snapshot",
            format!("`{file}` is not the schema that the migrations make"),
        )
        .at(file, text::first_difference(&committed, wanted))
        .fix(diff)
    }))
}

/// Writes what is committed of the schemas of the engines that are here.
fn fix(cx: &Cx) -> Result<Vec<String>> {
    let mut done = Vec::new();
    for engine in Engine::ALL
        .into_iter()
        .filter(|engine| cx.root.join(engine.folder()).is_dir())
    {
        let Replayed::Done(schema) = replay(cx, engine, None)? else {
            continue;
        };
        for (file, wanted) in generated(engine, &schema) {
            if stale(cx, file, &wanted)?.is_some() {
                write_atomic(&cx.root.join(file), wanted)?;
                done.push(format!("wrote `{file}`"));
            }
        }
    }
    Ok(done)
}
