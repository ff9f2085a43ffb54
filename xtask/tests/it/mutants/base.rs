//! The workspace that mutants are made of, and what its routes owe to each of its layers.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::Path;

use super::copies;
use super::mutant::{At, Expect, Mutant, Want};
use super::source::{Chain, Kind, Segment, Source};
use crate::scan::{self, Files, Key, Table};

pub(crate) struct Base {
    pub(crate) files: Files,
    pub(crate) sources: Vec<Source>,
    pub(crate) table: Table,
    /// Routes that are gone without a registration, by file and start of its segment.
    through: BTreeMap<(String, usize), BTreeSet<Key>>,
}

/// What a layer is to the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Class {
    Guard,
    Headers,
    Limit,
}

pub(crate) const REGISTRATIONS: &[&str] = &["route", "nest", "merge"];
pub(crate) const LAYERS: &[&str] = &["layer", "route_layer"];

/// Functions of the twins by what they are to the policy.
pub(crate) const CLASSES: &[(&str, Class)] = &[
    ("require_user", Class::Guard),
    ("require_staff", Class::Guard),
    ("require_signature", Class::Guard),
    ("set_headers", Class::Headers),
    ("limit_callers", Class::Limit),
];

impl Base {
    /// The raw twin of a sample app: a workspace of it and what the twins share. It has to be green.
    pub(crate) fn twin(app: &str) -> Self {
        let folder = format!("apps/{app}/");
        let mut files = twin_files();
        files.retain(|file, _| !file.starts_with("apps/") || file.starts_with(&folder));
        // What an app does not mount is not part of its workspace, or it would be dead code.
        let unused = match app {
            "api" => &["assets", "sign_in"][..],
            "site" => &["sign_in"],
            _ => &[],
        };
        for name in unused {
            files.remove(&format!("crates/web/src/{name}.rs")).unwrap();
            let lib = files.get_mut("crates/web/src/lib.rs").unwrap();
            *lib = lib.replace(&format!("pub mod {name};\n"), "");
        }
        let policy = files.remove(&format!("{folder}xtask.toml")).unwrap();
        files.insert("xtask.toml".to_owned(), policy);
        let dir = tempfile::tempdir().unwrap();
        scan::write(dir.path(), &files);
        let scanned = scan::scan(dir.path()).unwrap();
        assert_eq!(scanned.code, 0, "{:#?}", scanned.table.findings);
        // What is shared is broken where it is used most.
        let shared = match app {
            "api" => &["auth"][..],
            "client" => &["assets", "headers", "health", "limit", "sign_in"][..],
            _ => &[],
        };
        let is_broken = |file: &str| {
            let name = file
                .strip_prefix("crates/web/src/")
                .and_then(|name| name.strip_suffix(".rs"));
            file.starts_with(&folder) || name.is_some_and(|name| shared.contains(&name))
        };
        let mut base = Self {
            sources: sources(&files, is_broken),
            files,
            table: scanned.table,
            through: BTreeMap::new(),
        };
        let registrations: Vec<(String, usize, String)> = base
            .segments(Kind::Router)
            .filter(|(_, _, segment)| REGISTRATIONS.contains(&segment.name.as_str()))
            .map(|(source, _, segment)| {
                let without = source.edited(&[(segment.range.clone(), String::new())]);
                (source.file.clone(), segment.range.start, without)
            })
            .collect();
        let keys = base.table.keys();
        let gone = copies::on_copies(&base.files, &registrations, |dir, (file, _, text)| {
            let changed = Files::from([(file.clone(), text.clone())]);
            let left = copies::scan_changed(dir, &base.files, &changed).unwrap();
            &keys - &left.table.keys()
        });
        base.through = registrations
            .into_iter()
            .zip(gone)
            .map(|((file, start, _), gone)| ((file, start), gone))
            .collect();
        base
    }

    /// Every call in every chain of a kind.
    pub(crate) fn segments(&self, kind: Kind) -> impl Iterator<Item = (&Source, &Chain, &Segment)> {
        self.chains(kind).flat_map(|(source, chain)| {
            chain
                .segments
                .iter()
                .map(move |segment| (source, chain, segment))
        })
    }

    pub(crate) fn chains(&self, kind: Kind) -> impl Iterator<Item = (&Source, &Chain)> {
        self.sources.iter().flat_map(move |source| {
            let chains = source.chains.iter().filter(move |chain| chain.kind == kind);
            chains.map(move |chain| (source, chain))
        })
    }

    /// Every layer on a router or on the methods of a path.
    pub(crate) fn layers(&self) -> impl Iterator<Item = (&Source, &Chain, &Segment)> {
        self.segments(Kind::Router)
            .chain(self.segments(Kind::Methods))
            .filter(|(_, _, segment)| LAYERS.contains(&segment.name.as_str()))
    }

    pub(crate) fn classes(source: &Source, chain: &Chain, segment: &Segment) -> BTreeSet<Class> {
        let text = source.bound(chain, &segment.args[0]);
        CLASSES
            .iter()
            .filter(|(name, _)| text.contains(name))
            .map(|(_, class)| *class)
            .collect()
    }

    /// The routes that a layer stands before.
    pub(crate) fn covered(&self, source: &Source, layer: &Segment) -> BTreeSet<Key> {
        let place = source.place(layer.line);
        let rows = self
            .table
            .routes
            .iter()
            .filter(|row| row.covered_by.contains(&place));
        rows.map(scan::Row::key).collect()
    }

    /// The routes that a registration brings in.
    pub(crate) fn through(&self, source: &Source, segment: &Segment) -> BTreeSet<Key> {
        self.through[&(source.file.clone(), segment.range.start)].clone()
    }

    /// One file changed.
    pub(crate) fn mutant(
        operator: &'static str,
        source: &Source,
        at: &Range<usize>,
        edits: &[(Range<usize>, String)],
        expect: Expect,
    ) -> Mutant {
        let what: Vec<&str> = source.at(at).split_whitespace().collect();
        let what: String = what.join(" ").chars().take(60).collect();
        Mutant {
            operator,
            place: format!("{} {what}", source.place(source.lines(at).start)),
            changed: Files::from([(source.file.clone(), source.edited(edits))]),
            expect,
        }
    }

    pub(crate) fn here(source: &Source, range: &Range<usize>) -> At {
        At::Lines(source.file.clone(), source.lines(range))
    }
}

/// All twins, each with its policy beside its manifest.
pub(crate) fn twin_files() -> Files {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/mutants/twins");
    copies::read_files(&root, |_| true)
}

/// What has to be said where routes are no longer behind layers of these classes.
pub(crate) fn lost(
    classes: &BTreeSet<Class>,
    routes: &BTreeSet<Key>,
    guard: &'static str,
) -> Expect {
    if classes.is_empty() {
        return Expect::Same("the policy asks for no such layer");
    }
    let wants = classes.iter().map(|class| {
        let rule = match class {
            Class::Guard => guard,
            Class::Headers => "RG006",
            Class::Limit => "RG001",
        };
        Want::new(rule, At::Routes(routes.clone()))
    });
    Expect::Red(wants.collect())
}

fn sources(files: &Files, is_wanted: impl Fn(&str) -> bool) -> Vec<Source> {
    let rust = files
        .iter()
        .filter(|(file, _)| is_rust(file) && is_wanted(file));
    rust.map(|(file, text)| Source::read(file, text)).collect()
}

pub(crate) fn is_rust(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|end| end == "rs")
}
