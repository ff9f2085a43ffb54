//! Real files with tokens deleted, doubled, swapped and replaced: hundreds of them in one scan.

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::{MANIFEST, Workspace};
use crate::mutants;

/// Cases in all, and in one workspace.
const CASES: usize = 400;
const BATCH: usize = 100;

/// What happens to one token, and to which, as a share of all.
#[derive(Clone, Debug)]
enum Change {
    Delete(prop::sample::Index),
    Double(prop::sample::Index),
    Swap(prop::sample::Index, prop::sample::Index),
    Replace(prop::sample::Index, prop::sample::Index),
    Insert(prop::sample::Index, &'static str),
}

const ODD: &[&str] = &[
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "<",
    ">",
    ",",
    ";",
    ".",
    "::",
    "?",
    "!",
    "#",
    "'a",
    "=>",
    "->",
    "&",
    "|",
    "..",
    "_",
    "fn",
    "mod",
    "use",
    "impl",
    "macro_rules",
    "async",
    "self",
    "Self",
    "super",
    "crate",
    "Router",
    ".route(\"/x\", get(h))",
    ".layer(l)",
    ".nest(\"/\", Router::new())",
    "#[cfg(test)]",
    "#[path = \"main.rs\"]",
    "0",
    "\"/{a}/{a}\"",
    "r#\"\"#",
];

fn change() -> impl Strategy<Value = Change> {
    let index = any::<prop::sample::Index>;
    prop_oneof![
        index().prop_map(Change::Delete),
        index().prop_map(Change::Double),
        (index(), index()).prop_map(|(a, b)| Change::Swap(a, b)),
        (index(), index()).prop_map(|(a, b)| Change::Replace(a, b)),
        (index(), prop::sample::select(ODD)).prop_map(|(at, text)| Change::Insert(at, text)),
    ]
}

/// Words, numbers and single signs; spaces stay with what is before them.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    for c in text.chars() {
        match tokens.last_mut() {
            Some(last) if c.is_whitespace() || is_word(c) && last.chars().all(is_word) => {
                last.push(c);
            }
            _ => tokens.push(c.to_string()),
        }
    }
    tokens
}

fn apply(tokens: &mut Vec<String>, change: &Change) {
    let count = tokens.len();
    match change {
        Change::Delete(at) => drop(tokens.remove(at.index(count))),
        Change::Double(at) => {
            let at = at.index(count);
            tokens.insert(at, tokens[at].clone());
        }
        Change::Swap(a, b) => tokens.swap(a.index(count), b.index(count)),
        Change::Replace(a, b) => {
            let new = tokens[b.index(count)].clone();
            tokens[a.index(count)] = new;
        }
        Change::Insert(at, text) => tokens.insert(at.index(count), format!(" {text} ")),
    }
}

/// The packages that are broken: what maps or serves routes, here and in the twins.
fn packages() -> Vec<Vec<(String, String)>> {
    let mut packages = Vec::new();
    for files in [mutants::workspace_files(), mutants::twin_files()] {
        for app in ["api", "client", "admin", "site"] {
            let folder = format!("apps/{app}/src/");
            let of_app = files.iter().filter_map(|(file, text)| {
                let name = file.strip_prefix(&folder)?;
                Some((format!("src/{name}"), text.clone()))
            });
            packages.push(of_app.collect());
        }
    }
    packages
}

#[test]
fn no_change_of_tokens_stops_the_scan() {
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let packages = packages();
    let strategy = (
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        prop::collection::vec(change(), 1..6),
    );
    for batch in 0..CASES / BATCH {
        let workspace = Workspace::empty();
        for files in [mutants::workspace_files(), mutants::twin_files()] {
            for (file, text) in &files {
                let is_used = [
                    "crates/guard/",
                    "crates/serve/",
                    "crates/bff/",
                    "crates/web/",
                ];
                if is_used.iter().any(|folder| file.starts_with(folder)) {
                    workspace.write(file, text);
                }
            }
        }
        let mut written = Vec::new();
        for n in 0..BATCH {
            let (package, file, changes) = strategy.new_tree(&mut runner).unwrap().current();
            let package = package.get(&packages);
            let chosen = file.index(package.len());
            let folder = format!("apps/p{n}");
            let manifest = MANIFEST.replace("\"app\"", &format!("\"p{n}\""));
            let used = "guard = \"0\"\nserve = \"0\"\nbff = \"0\"\nweb = \"0\"\n";
            let lib = package.iter().any(|(name, _)| name == "src/lib.rs");
            let lib = if lib { "\n[lib]\nname = \"app\"\n" } else { "" };
            workspace.write(
                &format!("{folder}/Cargo.toml"),
                format!("{manifest}{used}{lib}"),
            );
            for (m, (name, text)) in package.iter().enumerate() {
                if m == chosen {
                    let mut broken = tokens(text);
                    for change in &changes {
                        apply(&mut broken, change);
                    }
                    workspace.write(&format!("{folder}/{name}"), broken.concat());
                } else {
                    workspace.write(&format!("{folder}/{name}"), text);
                }
            }
            written.push((folder, changes));
        }
        let ran = workspace.scan();
        // Open routes and files that are not there: nothing of this is green.
        ran.expect(1);
        let json = ran.json();
        assert!(
            json["counts"]["seen"].as_u64().unwrap() > 0,
            "batch {batch}"
        );
        // Its routes, or why they are not known: no package drops out in silence.
        for (folder, changes) in &written {
            let told = ran.stdout.contains(&format!("{folder}/"));
            assert!(
                told,
                "batch {batch}: nothing is said of {folder}: {changes:?}"
            );
        }
    }
}
