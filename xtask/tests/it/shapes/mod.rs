//! The catalogue of shapes: how people write axum routes, and what the scan says of each.
//!
//! A shape is a small workspace that is scanned and never built. Where a line of it matters it
//! carries a marker, `//~ name`, and the expectation speaks of lines by these names. A shape that
//! cannot be resolved has to be a finding: silence would let a route pass unseen.
#![expect(
    clippy::needless_raw_string_hashes,
    reason = "all fixtures are written one way, quotes in them or not"
)]

mod bindings;
mod branches;
mod builders;
mod callers;
mod closed;
mod conditions;
mod crates;
mod documents;
mod elsewhere;
mod expansions;
mod files;
mod friends;
mod functions;
mod generics;
mod grpc;
mod guarding;
mod handlers;
mod joins;
mod jumps;
mod layers;
mod lent;
mod list_orders;
mod lists;
mod macros;
mod manifests;
mod modules;
mod names;
mod nesting;
mod openapi;
mod outside;
mod paths;
mod places;
mod references;
mod registration;
mod returns;
mod roots;
mod servers;
mod services;
mod tables;
mod test_code;
mod texts;
mod traits;
mod twins;
mod twins_of_types;
mod variants;
mod ways;
mod wiring;
mod workspace;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::scan::{self, Table};

/// A workspace and what the scan has to say of it.
pub(crate) struct Shape {
    name: &'static str,
    source: Source,
    /// One line per route, `METHOD /path @marker handler [markers of the layers around it]`, and
    /// per finding, `RG008 @marker`. The handler `-` is any; `app: ` in front says which package
    /// serves the route. A `{?}` in a path is what is not known of it, which is RG008 by itself.
    ///
    /// A layer whose marker begins with `auth` is the guard. With a `?` behind it, a layer guards
    /// nothing: it is there on some ways only, or is not what it is called. `access:name` among
    /// them is the extractor or the policy that lets people in; all but `access:public` guard. A
    /// route without a guard is not guarded.
    expect: &'static [&'static str],
}

enum Source {
    /// The text of `src/app.rs`, whose `app()` is served.
    App(&'static str),
    /// Paths and texts; manifests are made where there are none.
    Files(&'static [(&'static str, &'static str)]),
}

impl Shape {
    const fn app(name: &'static str, text: &'static str, expect: &'static [&'static str]) -> Self {
        Self {
            name,
            source: Source::App(text),
            expect,
        }
    }

    const fn files(
        name: &'static str,
        files: &'static [(&'static str, &'static str)],
        expect: &'static [&'static str],
    ) -> Self {
        Self {
            name,
            source: Source::Files(files),
            expect,
        }
    }
}

/// Scans each shape; says of all that are wrong what is missing and what is too much.
#[track_caller]
fn check(shapes: &[Shape]) {
    let mut wrong = String::new();
    for shape in shapes {
        let files = workspace::files(&shape.source);
        let table = scan::table(&files);
        let expected: Vec<Line> = shape.expect.iter().map(|line| Line::read(line)).collect();
        if let Err(difference) = compare(&expected, &table, &markers(&files)) {
            let _ = write!(wrong, "\n{}:\n{difference}", shape.name);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// One line of an expectation.
struct Line {
    text: String,
    app: Option<String>,
    method: String,
    path: String,
    marker: String,
    handler: String,
    covered_by: BTreeSet<String>,
    access: Option<String>,
    is_guarded: bool,
}

impl Line {
    fn read(text: &str) -> Self {
        let (rest, layers) = match text.split_once('[') {
            Some((rest, layers)) => (rest, layers.trim_end_matches(']')),
            None => (text, ""),
        };
        let (app, rest) = match rest.split_once(": ") {
            Some((app, rest)) => (Some(app.to_owned()), rest),
            None => (None, rest),
        };
        // A path may hold spaces, a marker or handler never.
        let (route, place) = rest.split_once('@').unwrap();
        let (method, path) = route.trim().split_once(' ').unwrap_or((route.trim(), ""));
        let (access, layers): (Vec<&str>, Vec<&str>) =
            (layers.split_whitespace()).partition(|layer| layer.starts_with("access:"));
        let access = access
            .first()
            .map(|access| access["access:".len()..].to_owned());
        let (marker, handler) = place.trim().split_once(' ').unwrap_or((place.trim(), "-"));
        Self {
            text: text.to_owned(),
            app,
            method: method.to_owned(),
            path: path.to_owned(),
            marker: marker.to_owned(),
            handler: handler.to_owned(),
            covered_by: (layers.iter())
                .map(|layer| layer.trim_end_matches('?').to_owned())
                .collect(),
            is_guarded: !path.contains("{?}")
                && (access.as_ref().is_some_and(|access| access != "public")
                    || (layers.iter())
                        .any(|layer| layer.starts_with("auth") && !layer.ends_with('?'))),
            access,
        }
    }
}

/// `file:line` of each marker.
fn markers(files: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut markers = BTreeMap::new();
    for (file, text) in files {
        for (n, line) in text.lines().enumerate() {
            let Some((_, names)) = line.split_once("//~ ") else {
                continue;
            };
            for name in names.split_whitespace() {
                let before = markers.insert(name.to_owned(), format!("{file}:{}", n + 1));
                assert_eq!(before, None, "marker `{name}` is there twice");
            }
        }
    }
    markers
}

fn compare(
    expected: &[Line],
    table: &Table,
    markers: &BTreeMap<String, String>,
) -> Result<(), String> {
    let place = |marker: &String| {
        let known = markers.get(marker);
        known
            .unwrap_or_else(|| panic!("no line is marked `{marker}`"))
            .clone()
    };
    let mut missing = Vec::new();
    let mut rows: Vec<_> = table.routes.iter().collect();
    let mut findings: BTreeSet<(String, String)> = (table.findings.iter())
        // Whether a route may be open is the policy's question, not that of its shape.
        .filter(|finding| matches!(finding.rule.as_str(), "RG008" | "RG011"))
        .map(|finding| (finding.rule.clone(), finding.place()))
        .collect();
    let unresolved: BTreeSet<String> = (findings.iter())
        .filter(|(rule, _)| rule == "RG008")
        .map(|(_, place)| place.clone())
        .collect();
    for line in expected {
        let at = place(&line.marker);
        if line.method.starts_with("RG") {
            if !findings.remove(&(line.method.clone(), at)) {
                missing.push(line);
            }
            continue;
        }
        let covered_by: BTreeSet<String> = line.covered_by.iter().map(place).collect();
        let found = rows.iter().position(|row| {
            row.method == line.method
                && is_path(&row.path, &line.path)
                && row.place() == at
                && line.app.as_ref().is_none_or(|app| row.app == *app)
                && (line.handler == "-" || row.handler.rsplit("::").next() == Some(&line.handler))
                && row.covered_by.iter().cloned().collect::<BTreeSet<_>>() == covered_by
                && (line.access.is_none() || row.access == line.access)
                && row.is_guarded() == line.is_guarded
        });
        match found {
            Some(at) if !line.path.contains("{?}") || unresolved.contains(&place(&line.marker)) => {
                rows.swap_remove(at);
                if line.path.contains("{?}") {
                    findings.remove(&("RG008".to_owned(), place(&line.marker)));
                }
            }
            _ => missing.push(line),
        }
    }
    // What stands in the table for something unresolved has no defined form, but is never guarded.
    rows.retain(|row| row.is_guarded() || !unresolved.contains(&row.place()));
    if missing.is_empty() && rows.is_empty() && findings.is_empty() {
        return Ok(());
    }
    let names: BTreeMap<_, _> = markers.iter().map(|(name, place)| (place, name)).collect();
    let name = |place: &String| {
        names
            .get(place)
            .map_or_else(|| place.clone(), |name| format!("@{name}"))
    };
    let mut text = String::new();
    for line in missing {
        let _ = writeln!(text, "  expected {}", line.text);
    }
    for row in rows {
        let layers: Vec<String> = row.covered_by.iter().map(name).collect();
        let _ = writeln!(
            text,
            "  got      {}: {} {} {} {} [{}] {}",
            row.app,
            row.method,
            row.path,
            name(&row.place()),
            row.handler,
            layers.join(" "),
            row.verdict
        );
    }
    for (rule, place) in findings {
        let finding = (table.findings.iter())
            .find(|finding| finding.rule == rule && finding.place() == place)
            .map(|finding| finding.message.as_str());
        let _ = writeln!(
            text,
            "  got      {rule} {}: {}",
            name(&place),
            finding.unwrap_or_default()
        );
    }
    Err(text)
}

/// Whether a path is the expected one, in which `{?}` stands for what is not known.
fn is_path(path: &str, expected: &str) -> bool {
    match expected.split_once("{?}") {
        None => path == expected,
        Some((start, end)) => path.starts_with(start) && path.ends_with(end),
    }
}
