//! Operators on names: what is called something else is the same; what is something else is not.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::base::{Base, CLASSES, Class, is_rust, lost};
use super::mutant::{At, Expect, Mutant, Want};
use super::source::Source;
use crate::scan::{Files, Key};

pub(crate) fn mutants(base: &Base) -> Vec<Mutant> {
    let mut all = Vec::new();
    alias(base, &mut all);
    rename(base, &mut all);
    replace(base, &mut all);
    move_guard(base, &mut all);
    pass(base, &mut all);
    all
}

/// The routes behind layers that name a function.
fn behind(base: &Base, name: &str, within: Option<&str>) -> BTreeSet<Key> {
    let mut routes = BTreeSet::new();
    for (source, chain, layer) in base.layers() {
        let text = source.bound(chain, &layer.args[0]);
        if words(&text, name).next().is_some() && within.is_none_or(|file| source.file == file) {
            routes.extend(base.covered(source, layer));
        }
    }
    routes
}

/// Where a name stands as a word of its own.
fn words<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name).filter_map(move |(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        let is_whole = !before.is_some_and(is_word) && !after.is_some_and(is_word);
        is_whole.then_some(at..at + name.len())
    })
}

/// Uses of an import in its file.
fn uses(source: &Source, name: &str) -> Vec<Range<usize>> {
    let firsts = source.paths.iter().map(|[first, ..]| first);
    firsts
        .filter(|first| source.at(first) == name)
        .cloned()
        .collect()
}

const ALIASED: Expect = Expect::Same("an alias is the same function");

fn alias(base: &Base, all: &mut Vec<Mutant>) {
    for source in &base.sources {
        for import in &source.imports {
            let (krate, _) = import.path.split_once("::").unwrap_or_default();
            let name = source.at(&import.range).to_owned();
            if !matches!(krate, "axum" | "web" | "tower" | "crate") || name == "self" {
                continue;
            }
            let alias = if name.starts_with(char::is_uppercase) {
                "Renamed"
            } else {
                "renamed"
            };
            let mut edits: Vec<_> = uses(source, &name)
                .into_iter()
                .map(|at| (at, alias.to_owned()))
                .collect();
            edits.push((import.range.clone(), format!("{name} as {alias}")));
            // Attributes and macros are tokens, which are left alone here.
            if edits.len() > 1 {
                all.push(Base::mutant(
                    "alias an import",
                    source,
                    &import.range,
                    &edits,
                    ALIASED,
                ));
            }
        }
        for (name, _) in CLASSES {
            let calls = source.paths.iter().filter(|[first, last, _]| {
                source.at(last) == *name && source.at(first) != *name && source.at(first) == "web"
            });
            for [_, _, path] in calls {
                let import = format!("use {} as renamed;\n", source.at(path));
                let first = source.text.find("\nuse ").unwrap() + 1;
                let edits = [(first..first, import), (path.clone(), "renamed".to_owned())];
                all.push(Base::mutant(
                    "alias an import",
                    source,
                    path,
                    &edits,
                    ALIASED,
                ));
            }
        }
        for import in source
            .imports
            .iter()
            .filter(|import| is_class(source.at(&import.range)))
        {
            let name = source.at(&import.range).to_owned();
            let other = other_than(&import.path);
            let edits = [(import.range.clone(), format!("{other} as {name}"))];
            let (_, class) = CLASSES.iter().find(|(known, _)| *known == name).unwrap();
            let routes = behind(base, &name, Some(&source.file));
            let expect = lost(&BTreeSet::from([*class]), &routes, "RG001");
            all.push(Base::mutant(
                "give another function the name",
                source,
                &import.range,
                &edits,
                expect,
            ));
        }
    }
}

fn is_class(name: &str) -> bool {
    CLASSES.iter().any(|(known, _)| *known == name)
}

/// A function of the same module that turns nobody away, by its name there.
fn other_than(path: &str) -> &'static str {
    match path {
        path if path.contains("headers") => "name_build",
        path if path.contains("limit") => "count_callers",
        _ => "note_user",
    }
}

/// Renamed where it is defined and used: the policy names nothing any more.
fn rename(base: &Base, all: &mut Vec<Mutant>) {
    for (name, class) in CLASSES {
        let mut changed = Files::new();
        for (file, text) in base.files.iter().filter(|(file, _)| is_rust(file)) {
            let mut renamed = text.clone();
            let places: Vec<_> = words(text, name).collect();
            for at in places.into_iter().rev() {
                renamed.insert_str(at.end, "_now");
            }
            if renamed != *text {
                changed.insert(file.clone(), renamed);
            }
        }
        let routes = behind(base, name, None);
        let Expect::Red(mut wants) = lost(&BTreeSet::from([*class]), &routes, "RG001") else {
            continue;
        };
        if routes.is_empty() {
            continue;
        }
        wants.push(Want::new("RG009", At::File("xtask.toml")));
        all.push(Mutant {
            operator: "rename a function of the policy",
            place: (*name).to_owned(),
            changed,
            expect: Expect::Red(wants),
        });
    }
}

/// Another function in the place of one that the policy names.
fn replace(base: &Base, all: &mut Vec<Mutant>) {
    let others: BTreeMap<Class, &[&str]> = BTreeMap::from([
        (
            Class::Guard,
            &[
                "web::auth::note_user",
                "crate::no_such::guard",
                "(|request: axum::extract::Request, next: axum::middleware::Next| next.run(request))",
            ][..],
        ),
        (Class::Headers, &["web::headers::name_build"][..]),
        (Class::Limit, &["web::headers::name_build"][..]),
    ]);
    for source in &base.sources {
        for [_, last, path] in &source.paths {
            let name = source.at(last);
            let Some((_, class)) = CLASSES.iter().find(|(known, _)| *known == name) else {
                continue;
            };
            let function = source
                .functions
                .iter()
                .find(|function| function.range.contains(&path.start))
                .unwrap();
            let routes: BTreeSet<Key> = base
                .layers()
                .filter(|(other, chain, layer)| {
                    other.file == source.file
                        && function.range.contains(&layer.range.start)
                        && source.bound(chain, &layer.args[0]).contains(name)
                })
                .flat_map(|(source, _, layer)| base.covered(source, layer))
                .collect();
            let mut others = others[class].to_vec();
            if name == "require_staff" {
                others.push("web::auth::require_user");
            }
            for other in others {
                let expect = lost(&BTreeSet::from([*class]), &routes, "RG001");
                let edits = [(path.clone(), other.to_owned())];
                all.push(Base::mutant(
                    "replace a function of the policy",
                    source,
                    path,
                    &edits,
                    expect,
                ));
            }
        }
    }
    let Some(audit) = base
        .sources
        .iter()
        .find(|source| source.file == "apps/admin/src/audit.rs")
    else {
        return;
    };
    let route = BTreeSet::from([("admin".to_owned(), "GET".to_owned(), "/audit".to_owned())]);
    for other in [
        "Option<Staff>",
        "Result<Staff, axum::http::StatusCode>",
        "web::auth::Visitor",
    ] {
        let argument = words(&audit.text, "Staff").last().unwrap();
        let edits = [(argument.clone(), other.to_owned())];
        let expect = Expect::Red(vec![Want::new("RG001", At::Routes(route.clone()))]);
        all.push(Base::mutant(
            "replace a guarding argument",
            audit,
            &argument,
            &edits,
            expect,
        ));
    }
}

/// The same functions, defined elsewhere and handed on under their old names.
fn move_guard(base: &Base, all: &mut Vec<Mutant>) {
    if base.table.routes.iter().all(|row| row.verdict != "guarded") {
        return;
    }
    let auth = &base.files["crates/web/src/auth.rs"];
    let lib = &base.files["crates/web/src/lib.rs"];
    for reexport in [
        "pub use crate::doors::*;\n",
        "pub use crate::doors::{Keys, Staff, User, note_user, require_staff, require_user};\n",
    ] {
        all.push(Mutant {
            operator: "move the guards to another module",
            place: reexport.trim_end().to_owned(),
            changed: Files::from([
                ("crates/web/src/doors.rs".to_owned(), auth.clone()),
                ("crates/web/src/auth.rs".to_owned(), reexport.to_owned()),
                (
                    "crates/web/src/lib.rs".to_owned(),
                    format!("{lib}mod doors;\n"),
                ),
            ]),
            expect: Expect::Same("the name of the policy still leads to the same function"),
        });
    }
}

/// A guard that lets some requests through unasked.
fn pass(base: &Base, all: &mut Vec<Mutant>) {
    for source in &base.sources {
        for function in source.functions.iter().filter(|function| function.has_next) {
            let is_guard = CLASSES
                .iter()
                .any(|(name, class)| *name == function.name && *class == Class::Guard);
            if !is_guard {
                continue;
            }
            let start = function.body.start + 1;
            let answer = "Ok(next.run(request).await)";
            for early in [
                format!(
                    "\n    if request.uri().path().starts_with(\"/open\") {{\n        return {answer};\n    }}"
                ),
                format!(
                    "\n    if std::env::var_os(\"OPEN\").is_some() {{\n        return {answer};\n    }}"
                ),
            ] {
                let edits = [(start..start, early)];
                let expect =
                    Expect::Told(vec![Want::new("RG012", Base::here(source, &function.body))]);
                all.push(Base::mutant(
                    "let requests pass a guard",
                    source,
                    &function.range,
                    &edits,
                    expect,
                ));
            }
        }
    }
}
