//! Mutants of the sample apps themselves: a policy per route, and a committed `routes.lock`.
//!
//! All mutants of an app are scanned at once, as packages of one workspace beside the app.

mod around;
mod routes;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use super::copies;
use super::mutant::{Expect, Mutant};
use crate::sandbox;
use crate::scan::{self, Files, Table};

/// Mutants that are scanned at once.
const GROUP: usize = 30;

/// Sources, manifests and lock files of this workspace, without its tests.
pub(crate) fn workspace() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut files = Files::new();
    for folder in ["apps", "crates"] {
        let wanted = |file: &str| {
            let is_read = [".rs", "Cargo.toml", "routes.lock"]
                .iter()
                .any(|end| file.ends_with(end));
            is_read && !file.contains("/tests/") && !file.contains("/target/")
        };
        let below = copies::read_files(&root.join(folder), wanted);
        files.extend(
            below
                .into_iter()
                .map(|(file, text)| (format!("{folder}/{file}"), text)),
        );
    }
    for file in ["Cargo.toml", "Cargo.lock", "xtask.toml"] {
        files.insert(
            file.to_owned(),
            std::fs::read_to_string(root.join(file)).unwrap(),
        );
    }
    files
}

/// Adds a package that is a copy of an app under another name, with some files changed.
fn add_copy(files: &mut Files, app: &str, copy: &str, changed: &Files) {
    let folder = format!("apps/{app}/");
    let of_app: Vec<_> = files
        .iter()
        .filter(|(file, _)| file.starts_with(&folder))
        .map(|(file, text)| (file.clone(), text.clone()))
        .collect();
    for (file, text) in of_app {
        let mut text = changed.get(&file).cloned().unwrap_or(text);
        // The bodies of handlers are read once, in the app itself.
        let is_read = ["router.rs", "lib.rs", "main.rs", ".toml", ".lock"]
            .iter()
            .any(|end| file.ends_with(end));
        if !is_read && !text.contains("const PATH") {
            text.clear();
        }
        if file.ends_with("Cargo.toml") {
            // Its binary still calls its library by the app's name.
            text = text.replacen(
                &format!("name = \"{app}\""),
                &format!("name = \"{copy}\""),
                1,
            );
            let _ = write!(text, "\n[lib]\nname = \"{app}\"\n");
        }
        files.insert(file.replacen(&folder, &format!("apps/{copy}/"), 1), text);
    }
    let lock = files.get_mut("Cargo.lock").unwrap();
    let start = lock
        .find(&format!("[[package]]\nname = \"{app}\"\n"))
        .unwrap();
    let end = lock[start..]
        .find("\n\n")
        .map_or(lock.len(), |end| start + end);
    let package = lock[start..end].replacen(&format!("\"{app}\""), &format!("\"{copy}\""), 1);
    let _ = writeln!(lock, "\n{package}");
}

/// Breaks an app in every way, scans all mutants, and says how each one fared.
pub(crate) fn results(app: &str) -> (Vec<Mutant>, Vec<Result<(), String>>) {
    let mut files = workspace();
    let committed = files[&format!("apps/{app}/routes.lock")].clone();
    let mutants = routes::mutants(&files, app);
    for mutant in &mutants {
        mutant.assert_changes(&files);
    }
    for other in ["api", "client", "admin", "site"]
        .iter()
        .filter(|other| **other != app)
    {
        files.retain(|file, _| !file.starts_with(&format!("apps/{other}/")));
    }
    // The time of a scan grows faster than the number of functions of one name.
    let groups: Vec<(usize, &[Mutant])> = mutants.chunks(GROUP).enumerate().collect();
    let results = copies::on_copies(&Files::new(), &groups, |dir, (_, group)| {
        let dir = dir.join("group");
        let mut files = files.clone();
        let names: Vec<String> = (0..group.len()).map(|n| format!("{app}-m{n}")).collect();
        for (mutant, name) in group.iter().zip(&names) {
            add_copy(&mut files, app, name, &mutant.changed);
        }
        scan::write(&dir, &files);
        let accepted = sandbox::run(sandbox::routes(&dir, &["accept"]));
        let scanned = scan::scan(&dir).unwrap();
        assert_eq!(accepted.code, Some(scanned.code), "{}", accepted.stderr);
        let read = |name: &str| {
            std::fs::read_to_string(dir.join(format!("apps/{name}/routes.lock"))).unwrap()
        };
        assert_eq!(read(app), committed, "the app itself is as committed");
        let base = part(&scanned.table, app, app);
        let results = group.iter().zip(&names).map(|(mutant, copy)| {
            let lock = read(copy).replace(&format!("`{copy}`"), &format!("`{app}`"));
            let table = part(&scanned.table, app, copy);
            check(mutant, &base, &table, &committed, &lock)
        });
        let results: Vec<_> = results.collect();
        std::fs::remove_dir_all(&dir).unwrap();
        results
    });
    (mutants, results.into_iter().flatten().collect())
}

/// What the table says of one copy, by the names of the app.
fn part(table: &Table, app: &str, copy: &str) -> Table {
    let folder = format!("apps/{copy}/");
    let renamed = |text: &str| {
        text.replace(&folder, &format!("apps/{app}/"))
            .replace(&format!("`{copy}`"), &format!("`{app}`"))
    };
    let mut part = table.clone();
    part.findings.retain(|finding| {
        let file = finding.file.as_deref().unwrap_or_default();
        file.starts_with(&folder) || finding.message.contains(&format!("`{copy}`"))
    });
    for finding in &mut part.findings {
        finding.file = finding.file.as_deref().map(renamed);
        finding.message = renamed(&finding.message);
    }
    part
}

fn check(
    mutant: &Mutant,
    base: &Table,
    table: &Table,
    committed: &str,
    lock: &str,
) -> Result<(), String> {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
    let changed: Vec<String> = lines(committed)
        .symmetric_difference(&lines(lock))
        .cloned()
        .collect();
    let shows = |route: &String| {
        changed
            .iter()
            .any(|line| line.starts_with(&format!("{route} ")))
    };
    let red = || {
        let mut findings = table.findings.iter();
        findings.any(|finding| finding.severity == "error")
    };
    let findings = || {
        let told = table.findings.iter().take(3);
        let told = told.map(|finding| {
            format!(
                "\n    got {} {}: {}",
                finding.rule,
                finding.place(),
                finding.message
            )
        });
        format!("{}\n    lock: {changed:?}", told.collect::<String>())
    };
    match &mutant.expect {
        Expect::Red(wants) => {
            for want in wants {
                want.check(table)
                    .map_err(|why| format!("    {why}{}", findings()))?;
            }
            if red() {
                Ok(())
            } else {
                Err(format!("    not red{}", findings()))
            }
        }
        Expect::Lock(route) if shows(route) => Ok(()),
        Expect::Lock(route) => Err(format!(
            "    the lock does not show `{route}`{}",
            findings()
        )),
        Expect::RedOrLock(route) if shows(route) || red() => Ok(()),
        Expect::RedOrLock(route) => Err(format!(
            "    neither red nor `{route}` in the lock{}",
            findings()
        )),
        Expect::Same(_) if changed.is_empty() && table.rules() == base.rules() => Ok(()),
        Expect::Same(_) => Err(format!("    told as a change{}", findings())),
        Expect::Told(_) => unreachable!("no mutant of the apps only warns"),
    }
}
