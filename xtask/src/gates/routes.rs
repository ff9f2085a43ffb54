//! No route reaches a handler without the guard: the scan finds what goes round it, and what it sees
//! registered is what the apps say they registered.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;

use super::{Cache, Gate, Input, Lock, Plant, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::report::{Finding, Report};
use crate::routes;
use crate::runner::tree::{Spot, Tree};

pub(super) const GATE: Gate = Gate {
    id: "routes",
    about: "a route that bypasses the guard, a public route without a reason",
    tier: Tier::Pull,
    needs: &["typecheck"],
    locks: &[Lock::DevBuild],
    inputs: &[Input::Crates, Input::Files("xtask.toml")],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(20),
    rules: &[
        Rule::error("routes/bypass", "a registration that goes round the guard"),
        Rule::error("routes/reason", "a public route without a reason"),
        Rule::error(
            "routes/unregistered",
            "a registration in the source that no app makes",
        ),
        Rule::error(
            "routes/unseen",
            "a route an app serves that the scan does not see",
        ),
        Rule::error("routes/unparsable", "a source file that does not parse"),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "routes/bypass",
            plant: |tree| tree.append(&tree.leaf()?, "pub type Planted = axum::Router;\n"),
        },
        Plant {
            rule: "routes/reason",
            plant: plant_reason,
        },
        Plant {
            rule: "routes/unregistered",
            plant: |tree| {
                let text = "#[cfg(any())]\nfn planted(router: GuardedRouter) -> R {\n    router.get(\"/planted\", policy, handler)\n}\n";
                let spot = tree.append(&tree.leaf()?, text)?;
                Ok(Spot {
                    line: spot.line.map(|line| line + 2),
                    ..spot
                })
            },
        },
        Plant {
            rule: "routes/unseen",
            plant: plant_unseen,
        },
        Plant {
            rule: "routes/unparsable",
            plant: |tree| tree.append(&tree.leaf()?, "fn planted() -> {}\n"),
        },
    ],
};

/// Empties the reason of an app's first public route.
fn plant_reason(tree: &Tree) -> Result<Spot> {
    for file in tree.find("apps/", "/src/router.rs") {
        let text = tree.read(&file)?;
        if let Some((_, rest)) = text.split_once("public(\"") {
            let reason = rest.split('"').next().unwrap_or_default();
            return tree.replace(&file, &format!("public(\"{reason}\")"), "public(\"\")");
        }
    }
    anyhow::bail!("no app has a public route to plant over")
}

/// Registers a route through a macro, which `syn` cannot look into.
fn plant_unseen(tree: &Tree) -> Result<Spot> {
    const NEW: &str = "GuardedRouter::new()\n";
    const MACRO: &str = "macro_rules! planted {\n    ($router:expr) => {\n        \
        $router.get(\"/planted\", guard::public(\"planted\"), || async { \"\" })\n    };\n}\n";
    for file in tree.find("apps/", "/src/router.rs") {
        let text = tree.read(&file)?;
        if text.contains(NEW) {
            // A macro is defined above its use, below the file's own documentation.
            let docs: usize = text
                .lines()
                .take_while(|line| line.starts_with("//!") || line.is_empty())
                .map(|line| line.len() + 1)
                .sum();
            let (head, body) = text.split_at(docs);
            tree.write(
                &file,
                &format!(
                    "{head}{MACRO}{}",
                    body.replacen(NEW, "planted!(GuardedRouter::new())\n", 1)
                ),
            )?;
            return Ok(Spot::file(&file));
        }
    }
    anyhow::bail!("no app has a router to plant in")
}

/// What `<app> describe routes` prints.
#[derive(Debug, Deserialize)]
struct Described {
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
struct Route {
    method: String,
    path: String,
    file: String,
    line: usize,
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    let mut registered: BTreeSet<(String, usize)> = BTreeSet::new();
    let apps = format!("{}/", cx.policy.apps.dir);
    for member in cargo::members(cx)? {
        // The runner serves nothing; it talks about routes all day.
        if member.dir == "xtask" {
            continue;
        }
        let sources = sources(cx, &member.dir)?;
        let mut names = axum_names(cx, &member.dir)?;
        for (_, text) in &sources {
            routes::aliases(text, &mut names);
        }
        let is_guard = cx.policy.apps.guard_crates.contains(&member.dir);
        for (file, text) in &sources {
            let scan = match routes::scan(text, &names) {
                Ok(scan) => scan,
                Err(error) => {
                    let at = error.span().start();
                    let finding =
                        Finding::error("routes/unparsable", error.to_string()).at(file, at.line);
                    report.findings.push(finding.column(at.column + 1));
                    continue;
                }
            };
            report.count("files", 1);
            registered.extend(
                scan.registrations
                    .into_iter()
                    .map(|line| ((*file).to_owned(), line)),
            );
            for line in scan.unreasoned {
                let finding = Finding::error("routes/reason", "a public route without a reason")
                    .at(file, line);
                report
                    .findings
                    .push(finding.help("say why anybody may call it: public(\"…\")"));
            }
            // Library crates have their own reasons to lift a ban; an app has none.
            let counts = |bypass: &routes::Bypass| {
                !is_guard && (!bypass.is_lifted_ban || member.dir.starts_with(&apps))
            };
            for bypass in scan.bypasses.into_iter().filter(counts) {
                report.findings.push(
                    Finding::error("routes/bypass", bypass.what)
                        .at(file, bypass.line)
                        .column(bypass.column)
                        .help("register it on `guard::GuardedRouter` with a policy"),
                );
            }
        }
    }
    if report
        .findings
        .iter()
        .any(|finding| finding.rule == "routes/unparsable")
    {
        return Ok(report);
    }
    let is_red = !report.findings.is_empty();
    match compare(cx, registered, &mut report) {
        // What is red already may not build; the findings say more than the compiler.
        Err(_) if is_red => {}
        compared => compared?,
    }
    Ok(report)
}

/// Every source of a member but its tests, examples and benches, with its text.
fn sources<'a>(cx: &'a Cx, dir: &str) -> Result<Vec<(&'a str, String)>> {
    let below = if dir.is_empty() {
        String::new()
    } else {
        format!("{dir}/")
    };
    let is_served = |file: &&str| {
        file.strip_prefix(&below).is_some_and(|rest| {
            !["tests/", "examples/", "benches/"]
                .iter()
                .any(|folder| rest.starts_with(folder))
        })
    };
    let files = cx.files_with(".rs")?.into_iter().filter(is_served);
    files.map(|file| Ok((file, cx.read(file)?))).collect()
}

/// Holds the scan against the recorders of the apps, by place of registration.
fn compare(cx: &Cx, mut registered: BTreeSet<(String, usize)>, report: &mut Report) -> Result<()> {
    let mut seen: BTreeMap<(String, usize), String> = BTreeMap::new();
    for (app, described) in cargo::describe::<Described>(cx, "routes")? {
        report.count("routes", described.routes.len());
        for route in described.routes {
            seen.insert(
                (route.file, route.line),
                format!("{} {} of `{}`", route.method, route.path, app.name),
            );
        }
    }
    for (place, route) in seen {
        if !registered.remove(&place) {
            let message = format!("{route} is served, but the scan sees no registration here");
            let finding = Finding::error("routes/unseen", message).at(&place.0, place.1);
            report
                .findings
                .push(finding.help("register it with a plain call, not through a macro"));
        }
    }
    for (file, line) in registered {
        let finding = Finding::error("routes/unregistered", "no app serves this registration")
            .at(&file, line);
        report
            .findings
            .push(finding.help("mount it in an app's `router.rs`, or remove it"));
    }
    Ok(())
}

/// `axum`, and what the manifests call it: `web = { package = "axum" }`, here or in the workspace.
fn axum_names(cx: &Cx, dir: &str) -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::from(["axum".to_owned()]);
    let own = if dir.is_empty() {
        "Cargo.toml".to_owned()
    } else {
        format!("{dir}/Cargo.toml")
    };
    for (file, table) in [(own.as_str(), None), ("Cargo.toml", Some("workspace"))] {
        let manifest: toml_edit::DocumentMut = cx.read(file)?.parse()?;
        let root = table.map_or(Some(manifest.as_item()), |table| manifest.get(table));
        let dependencies = root.and_then(|root| root.get("dependencies")?.as_table_like());
        for (name, item) in dependencies
            .into_iter()
            .flat_map(toml_edit::TableLike::iter)
        {
            if item.get("package").and_then(|package| package.as_str()) == Some("axum") {
                names.insert(name.replace('-', "_"));
            }
        }
    }
    Ok(names)
}
