//! No route reaches a handler without a guard, a rate limit and the required headers: the scan
//! proves it from the source, holds `routes.lock` to it, and is held to what the apps say themselves.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Deserialize;

use super::{Cache, Gate, Input, Lock, Platform, Rule, Tier, minutes};
use crate::cargo;
use crate::cx::Cx;
use crate::report::{Finding, Report, Severity, text};
use crate::routes::source::Tree;
use crate::routes::table::{Route as Seen, Table};
use crate::routes::{self, bypass, change, lock};

pub(super) const GATE: Gate = Gate {
    id: "routes",
    about: "a route without a guard, rate limit or headers; a change of routes that `routes.lock` does not show",
    tier: Tier::Pull,
    needs: &["typecheck"],
    locks: &[Lock::DevBuild],
    inputs: &[
        Input::Crates,
        Input::Files("xtask.toml"),
        Input::Files("**/routes.lock"),
    ],
    cache: Cache::Content,
    platforms: Platform::ALL,
    timeout: minutes(20),
    rules: &[
        Rule::error(
            "routes/RG001",
            "a route without a guard, or without the required rate limit",
        ),
        Rule::error(
            "routes/RG002",
            "a route added after the guard's layer, which does not cover it",
        ),
        Rule::error(
            "routes/RG003",
            "a method chained after the guard's layer, which does not cover it",
        ),
        Rule::error(
            "routes/RG004",
            "an `any` or a fallback that the guard does not reach",
        ),
        Rule::error("routes/RG005", "a guard that is there only sometimes"),
        Rule::error(
            "routes/RG006",
            "an answer without the required headers: no header layer, or not the outermost",
        ),
        Rule::error(
            "routes/RG007",
            "a merge that replaces the 404 and its headers",
        ),
        Rule::error(
            "routes/RG008",
            "a router, path or file that cannot be evaluated",
        ),
        Rule::error(
            "routes/RG009",
            "a public route without a reason, or a stale declaration",
        ),
        Rule::error("routes/RG010", "a route that `routes!` makes of two others"),
        Rule::error(
            "routes/RG011",
            "a registration that nothing serves, or at which the program stops",
        ),
        Rule::warning(
            "routes/RG012",
            "a guard that lets requests through before it turned any away",
        ),
        Rule::warning(
            "routes/RG013",
            "a guard that stands before unknown paths as well",
        ),
        Rule::error("routes/bypass", "a registration that goes round the guard"),
        Rule::error("routes/lock", "`routes.lock` is not the table of routes"),
        Rule::error(
            "routes/unseen",
            "a route an app serves and the scan does not see, or the other way round",
        ),
    ],
    check,
    fix: None,
    plants: routes::plants::PLANTS,
};

/// What `<app> describe routes` prints.
#[derive(Debug, Deserialize)]
struct Described {
    routes: Vec<Route>,
}

#[derive(Debug, Deserialize)]
struct Route {
    method: String,
    path: String,
    access: String,
    file: String,
    line: u32,
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    let table = routes::read(&Tree::Folder(cx.root.clone()), cx.files()?, &cx.policy)?;
    report.count("files", table.files);
    report.count("routes", table.routes.len());
    for finding in &table.findings {
        let mut finding = finding.clone();
        finding.rule = format!("routes/{}", finding.rule);
        finding.fix = finding.fix.map(|fix| text::clean(&fix, text::DIFF));
        report.findings.push(finding);
    }
    bypasses(cx, &mut report)?;
    locks(cx, &table, &mut report)?;
    let is_red = report
        .findings
        .iter()
        .any(|finding| finding.severity == Severity::Error);
    match compare(cx, &table, &mut report) {
        // What is red already may not build; the findings say more than the compiler.
        Err(_) if is_red => {}
        compared => compared?,
    }
    Ok(report)
}

/// Raw routers, where a guard crate says there are to be none.
fn bypasses(cx: &Cx, report: &mut Report) -> Result<()> {
    let apps = format!("{}/", cx.policy.apps.dir);
    let members = cargo::members(cx)?;
    if !members
        .iter()
        .any(|member| cx.policy.apps.guard_crates.contains(&member.dir))
    {
        return Ok(());
    }
    for member in members {
        // The runner serves nothing; it talks about routes all day.
        if member.dir == "xtask" || cx.policy.apps.guard_crates.contains(&member.dir) {
            continue;
        }
        let sources = sources(cx, &member.dir)?;
        let mut names = axum_names(cx, &member.dir)?;
        for (_, text) in &sources {
            bypass::aliases(text, &mut names);
        }
        for (file, text) in &sources {
            // Library crates have their own reasons to lift a ban; an app has none.
            let counts =
                |bypass: &bypass::Bypass| !bypass.is_lifted_ban || member.dir.starts_with(&apps);
            for bypass in bypass::bypasses(text, &names).into_iter().filter(counts) {
                report.findings.push(
                    Finding::error("routes/bypass", bypass.what)
                        .at(file, bypass.line)
                        .column(bypass.column)
                        .help("register it on `guard::GuardedRouter` with a policy"),
                );
            }
        }
    }
    Ok(())
}

/// Holds the committed table of each app to the scanned one.
fn locks(cx: &Cx, table: &Table, report: &mut Report) -> Result<()> {
    let expected = lock::files(table);
    for (path, lock) in &expected {
        let is_there = cx.root.join(path).is_file();
        let old = if is_there {
            cx.read(path)?
        } else {
            String::new()
        };
        let new = &lock.text;
        if old == *new {
            continue;
        }
        let conflict = lock::conflict(&old);
        let changes = change::changes(&lock::parse(lock.app, &old), &lock::parse(lock.app, new));
        let message = if !is_there {
            format!("`{path}` is missing")
        } else if conflict.is_some() {
            format!("`{path}` has the conflict markers of a merge")
        } else if changes.is_empty() {
            format!("`{path}` is not current")
        } else {
            let lines: Vec<String> = changes.iter().map(change::Change::line).collect();
            format!(
                "`{path}` does not show this change of routes:\n{}",
                lines.join("\n")
            )
        };
        let line = conflict.unwrap_or_else(|| text::first_difference(&old, new));
        report.findings.push(
            Finding::error("routes/lock", message)
                .at(path, line)
                .help("cargo xtask routes accept, and commit it for review")
                .fix(text::diff(path, &old, new)),
        );
    }
    let stale = lock::stale(cx.files()?, &expected);
    for path in stale {
        report.findings.push(
            Finding::error(
                "routes/lock",
                format!("`{path}` is of no app that serves a route"),
            )
            .file(path)
            .help("cargo xtask routes accept, which removes it"),
        );
    }
    Ok(())
}

/// Holds the scan to the recorders of the apps: method, path, access and place of each route.
fn compare(cx: &Cx, table: &Table, report: &mut Report) -> Result<()> {
    for (app, described) in cargo::describe::<Described>(cx, "routes")? {
        let mut served: BTreeMap<(String, String), Route> = described
            .routes
            .into_iter()
            .map(|route| ((route.method.clone(), route.path.clone()), route))
            .collect();
        let mut read: BTreeMap<(&str, &str), Vec<&Seen>> = BTreeMap::new();
        for seen in table.routes.iter().filter(|route| route.app == app.name) {
            let key = (seen.method.as_str(), seen.path.as_str());
            read.entry(key).or_default().push(seen);
        }
        for ((method, path), mut all) in read {
            let what = format!("`{method} {path}` of `{}`", app.name);
            let route = served.remove(&(method.to_owned(), path.to_owned()));
            let is_here = |seen: &&Seen| {
                route
                    .as_ref()
                    .is_some_and(|route| (&route.file, route.line) == (&seen.file, seen.line))
            };
            // Of twins under a condition each, one is built.
            if all.iter().any(is_here) {
                all.retain(|seen| is_here(seen) || seen.condition.is_none());
            }
            for seen in all {
                let message = match &route {
                    None => format!("{what} is in the source, but the app does not register it"),
                    Some(route) if !is_here(&seen) => format!(
                        "{what} is registered at {}:{} and read here",
                        route.file, route.line
                    ),
                    Some(route) if Some(&route.access) != seen.access.as_ref() => format!(
                        "{what} has the access `{}`, and is read as `{}`",
                        route.access,
                        lock::access(seen)
                    ),
                    Some(_) => continue,
                };
                report.findings.push(
                Finding::error("routes/unseen", message)
                    .at(&seen.file, seen.line as usize)
                    .help("register it with a plain call that both the compiler and the scan read alike"),
            );
            }
        }
        for ((method, path), route) in served {
            report.findings.push(
                Finding::error(
                    "routes/unseen",
                    format!("`{method} {path}` of `{}` is served, but the scan sees no registration here", app.name),
                )
                .at(&route.file, route.line as usize)
                .help("register it with a plain call, not through a macro"),
            );
        }
    }
    Ok(())
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
