//! Every statement of the apps stands in a registry, and each engine takes it.

use anyhow::{Context as _, Result};

use super::{Cache, Gate, Input, Lock, Plant, Platform, Rule, Tier, minutes};
use crate::cx::{Cx, write_atomic};
use crate::environment;
use crate::exit::{Code, Problem};
use crate::migrations::Engine;
use crate::migrations::queries::{self, FILE, Query, Registry, outside};
use crate::migrations::replay::{self, Replayed};
use crate::report::{Finding, NotRun, Report, text};
use crate::runner::tree::{Spot, Tree};

pub(super) const GATE: Gate = Gate {
    id: "queries",
    about: "SQL that the freshly migrated database of an engine refuses, or that stands where no check sees it",
    tier: Tier::Pull,
    needs: &["typecheck", "migrations"],
    locks: &[Lock::DevBuild],
    inputs: &[
        Input::Crates,
        Input::Files("migrations/**"),
        Input::Tool("postgres"),
        Input::Env("XTASK_REQUIRE_POSTGRES"),
    ],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(20),
    rules: &[
        Rule::error(
            "queries/refused",
            "a statement that the freshly migrated database refuses",
        ),
        Rule::error("queries/unpaired", "a statement that one engine alone has"),
        Rule::error("queries/outside", "SQL that stands outside of the registry"),
        Rule::error(
            "queries/stale",
            "the committed registry is not what the apps describe",
        ),
    ],
    check,
    fix: Some(fix),
    plants: &[
        Plant {
            rule: "queries/refused",
            plant: |tree| plant(tree, |name| format!("{name} = \"planted ")),
        },
        Plant {
            rule: "queries/unpaired",
            plant: |tree| plant(tree, |name| format!("PLANTED = \"SELECT 1\";\n{name} = \"")),
        },
        Plant {
            rule: "queries/outside",
            plant: |tree| tree.append(&tree.leaf()?, "const _: &str = \"SELECT 1\";\n"),
        },
        Plant {
            rule: "queries/stale",
            plant: |tree| tree.append(FILE, "planted\n"),
        },
    ],
};

/// Puts something else where a statement for SQLite begins on the line of its name.
fn plant(tree: &Tree, instead: impl Fn(&str) -> String) -> Result<Spot> {
    let registry = Registry::parse(&tree.read(FILE)?)?;
    let start = |query: &Query| format!("\n{} = \"", query.name);
    let begins =
        |query: &&Query| (tree.read(&query.file)).is_ok_and(|text| text.contains(&start(query)));
    let query = registry.of(Engine::Sqlite).find(begins);
    let query = query.context("no statement to plant in")?;
    let planted = format!("\n{}", instead(&query.name));
    let before = tree.replace(&query.file, &start(query), &planted)?;
    let line = before.line.map(|line| line + 1);
    Ok(Spot { line, ..before })
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    let registry = Registry::described(cx)?;
    let scanned = outside::scan(cx, &registry)?;
    report.count("sources", scanned.sources);
    report.findings.extend(scanned.findings);
    for query in registry.unpaired() {
        let Query { name, engine, .. } = query;
        let message = format!("`{name}` is there for {engine} only");
        report
            .findings
            .push(query.finding(cx, "queries/unpaired", message));
    }
    for engine in Engine::ALL {
        let statements = registry.of(engine).count();
        if statements > 0 {
            prepare(cx, engine, &registry, &mut report)?;
        }
    }
    report.findings.extend(stale(cx, &registry)?);
    Ok(report)
}

/// Prepares the statements of an engine on a database with all migrations.
fn prepare(cx: &Cx, engine: Engine, registry: &Registry, report: &mut Report) -> Result<()> {
    let statements = registry.of(engine).count();
    let folder = cx.root.join(engine.folder());
    let prepared = replay::with(cx, engine, &folder, async |scratch| {
        queries::refused(scratch, registry.of(engine)).await
    })?;
    match prepared {
        Replayed::Done(refused) => {
            report.count(&format!("prepared-{}", engine.name()), statements);
            for (query, why) in refused {
                let message = format!("{} refuses `{}`: {why}", engine.title(), query.name);
                report
                    .findings
                    .push(query.finding(cx, "queries/refused", message));
            }
        }
        Replayed::Refused(refused) => {
            let message = format!(
                "{} refuses a migration: {}",
                engine.title(),
                refused.message()
            );
            let problem = Problem::new(Code::Red, message);
            return Err(problem.help("cargo xtask ci migrations").into());
        }
        Replayed::NoServer(help) => report.not_run.push(NotRun {
            what: format!("{} on PostgreSQL", text::plural(statements, "statement")),
            reason: "no PostgreSQL server was found".to_owned(),
            required_by: "XTASK_REQUIRE_POSTGRES".to_owned(),
            required: environment::requires("XTASK_REQUIRE_POSTGRES"),
            help,
            hides: vec!["prepared-postgres".to_owned()],
        }),
    }
    Ok(())
}

fn committed(cx: &Cx) -> Result<String> {
    if cx.root.join(FILE).is_file() {
        cx.read(FILE)
    } else {
        Ok(String::new())
    }
}

fn stale(cx: &Cx, registry: &Registry) -> Result<Option<Finding>> {
    let (committed, wanted) = (committed(cx)?, registry.render()?);
    // Without an app to ask, there is nothing to keep.
    if committed == wanted || registry.queries.is_empty() && committed.is_empty() {
        return Ok(None);
    }
    let message = format!("`{FILE}` is not what the apps describe");
    let line = text::first_difference(&committed, &wanted);
    let finding = Finding::error("queries/stale", message).at(FILE, line);
    Ok(Some(finding.fix(text::diff(FILE, &committed, &wanted))))
}

fn fix(cx: &Cx) -> Result<Vec<String>> {
    let registry = Registry::described(cx)?;
    if stale(cx, &registry)?.is_none() {
        return Ok(Vec::new());
    }
    write_atomic(&cx.root.join(FILE), registry.render()?)?;
    Ok(vec![format!("wrote `{FILE}`")])
}
