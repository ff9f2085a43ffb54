//! Operators around a guarded router: names, what is added to it elsewhere, what is served beside it.

use std::fmt::Write as _;
use std::ops::Range;

use crate::mutants::mutant::{At, Expect, Mutant, Want};
use crate::mutants::source::Source;
use crate::scan::Files;

pub(super) fn aliases(source: &Source, all: &mut Vec<Mutant>) {
    for import in &source.imports {
        let name = source.at(&import.range).to_owned();
        let uses = source
            .paths
            .iter()
            .filter(|[first, ..]| source.at(first) == name);
        let mut edits: Vec<_> = uses
            .map(|[first, ..]| (first.clone(), "Renamed".to_owned()))
            .collect();
        edits.push((import.range.clone(), format!("{name} as Renamed")));
        // The lock names a handler by its module as it is written.
        let is_guards = import.path.starts_with("guard::");
        if edits.len() > 1 && is_guards {
            all.push(Mutant {
                operator: "alias an import",
                place: format!("{} {name}", source.place(source.lines(&import.range).start)),
                changed: Files::from([(source.file.clone(), source.edited(&edits))]),
                expect: Expect::Same("an alias is the same function"),
            });
        }
    }
}

/// Changes around the router: what is added to it elsewhere, and what is served beside it.
pub(super) fn around(
    files: &Files,
    app: &str,
    source: &Source,
    chain: Range<usize>,
    all: &mut Vec<Mutant>,
) {
    let text = source.at(&chain);
    let route = |path: &str| format!(".get(\"{path}\", guard::public(\"mutant\"), crate::mutant)");
    let open = "std::env::var_os(\"OPEN\").is_some()";
    let bodies = [
        (
            "route under a condition",
            format!(
                "let inner = {text};\n    if {open} {{ inner{} }} else {{ inner }}",
                route("/mutant")
            ),
        ),
        (
            "route under a condition",
            format!(
                "let mut inner = {text};\n    if {open} {{ inner = inner{}; }}\n    inner",
                route("/mutant")
            ),
        ),
        (
            "route under a condition",
            format!(
                "#[cfg(feature = \"debug\")]\n    {{ {text}{} }}\n    #[cfg(not(feature = \"debug\"))]\n    {{ {text} }}",
                route("/mutant")
            ),
        ),
        (
            "route in a loop",
            format!(
                "let mut inner = {text};\n    for path in [\"/mutant\"] {{ inner = inner.get(path, guard::public(\"mutant\"), crate::mutant); }}\n    inner"
            ),
        ),
        ("route in a function", format!("more({text})")),
        ("opaque macro around the router", format!("opaque!({text})")),
    ];
    for (operator, body) in bodies {
        let mut new = source.edited(&[(chain.clone(), body)]);
        let _ = write!(
            new,
            "\nfn more<S>(inner: guard::GuardedRouter<S>) -> guard::GuardedRouter<S> {{\n    inner{}\n}}\n",
            route("/mutant")
        );
        let lines = source.lines(&chain).start..new.lines().count();
        let expect = if operator.starts_with("opaque") {
            Expect::Red(vec![Want::new(
                "RG008",
                At::Lines(source.file.clone(), lines),
            )])
        } else {
            Expect::Lock("GET /mutant".to_owned())
        };
        all.push(Mutant {
            operator,
            place: source.file.clone(),
            changed: Files::from([(source.file.clone(), new)]),
            expect,
        });
    }
    let lib = format!("apps/{app}/src/lib.rs");
    let main = format!("apps/{app}/src/main.rs");
    let late = files[&lib].replace(
        "router::routes(health)",
        &format!("router::routes(health){}", route("/late")),
    );
    all.push(Mutant {
        operator: "route added behind the map",
        place: lib.clone(),
        changed: Files::from([(lib.clone(), late)]),
        expect: Expect::Lock("GET /late".to_owned()),
    });
    let raw = "\n\npub async fn debug() -> std::io::Result<()> {\n    let listener = tokio::net::TcpListener::bind(\"0.0.0.0:9000\").await?;\n    axum::serve(listener, axum::Router::new().route(\"/debug\", axum::routing::get(|| async { \"\" }))).await\n}\n";
    for file in [&lib, &main] {
        let text = format!("{}{raw}", files[file]);
        let lines = text.lines().count();
        all.push(Mutant {
            operator: "raw router served beside",
            place: file.clone(),
            changed: Files::from([(file.clone(), text)]),
            expect: Expect::Red(vec![Want::new(
                "RG001",
                At::Lines(file.clone(), lines - 3..lines + 1),
            )]),
        });
    }
}
