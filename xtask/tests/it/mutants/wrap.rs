//! Operators that put something around code: macros nobody can read, conditions, other arms.

use std::ops::Range;

use super::base::{Base, REGISTRATIONS, lost};
use super::mutant::{At, Expect, Mutant, Want};
use super::source::{Chain, Kind, Segment, Source};

pub(crate) fn mutants(base: &Base) -> Vec<Mutant> {
    let mut all = Vec::new();
    macros(base, &mut all);
    for (source, chain, layer) in base.layers() {
        conditions(base, source, chain, layer, &mut all);
    }
    arms(base, &mut all);
    all
}

fn wrapped(source: &Source, range: &Range<usize>, name: &str) -> [(Range<usize>, String); 1] {
    [(range.clone(), format!("{name}({})", source.at(range)))]
}

fn macros(base: &Base, all: &mut Vec<Mutant>) {
    let registrations = base.segments(Kind::Router);
    let registrations =
        registrations.filter(|(_, _, segment)| REGISTRATIONS.contains(&segment.name.as_str()));
    for (source, chain, segment) in registrations {
        for name in ["opaque!", "web::opaque!"] {
            let arg = segment.args.last().unwrap();
            let expect = Expect::Red(vec![Want::new("RG008", Base::here(source, &segment.range))]);
            all.push(Base::mutant(
                "opaque macro around an argument",
                source,
                arg,
                &wrapped(source, arg, name),
                expect,
            ));
        }
        if segment.name != "merge" {
            // Below a nest it is the path of each route that is not known.
            let path = &segment.args[0];
            let expect = Expect::Red(vec![Want::new(
                "RG008",
                At::Saying(format!("opaque!({})", source.at(path))),
            )]);
            all.push(Base::mutant(
                "opaque macro around a path",
                source,
                path,
                &wrapped(source, path, "opaque!"),
                expect,
            ));
        }
        // `chain!(receiver => .route(…))`: the registration itself is in the macro.
        if segment.receiver.start == chain.range.start {
            let all_of = chain.range.start..segment.range.end;
            let expect = Expect::Red(vec![Want::new("RG008", Base::here(source, &chain.range))]);
            let edits = wrapped(source, &all_of, "opaque!");
            all.push(Base::mutant(
                "opaque macro around a registration",
                source,
                &segment.range,
                &edits,
                expect,
            ));
        }
    }
    for (source, chain, layer) in base.layers() {
        let classes = Base::classes(source, chain, layer);
        let arg = &layer.args[0];
        let expect = lost(&classes, &base.covered(source, layer), "RG001");
        all.push(Base::mutant(
            "opaque macro around a layer",
            source,
            arg,
            &wrapped(source, arg, "opaque!"),
            expect,
        ));
    }
    for source in base
        .sources
        .iter()
        .filter(|source| source.file.ends_with("main.rs"))
    {
        let serve = source
            .paths
            .iter()
            .find(|[_, last, _]| source.at(last) == "serve")
            .unwrap();
        let call =
            serve[2].start..source.text[serve[2].start..].find(".await").unwrap() + serve[2].start;
        let expect = Expect::Red(vec![Want::new("RG008", Base::here(source, &call))]);
        all.push(Base::mutant(
            "opaque macro around serve",
            source,
            &call,
            &wrapped(source, &call, "opaque!"),
            expect,
        ));
    }
}

/// The layer is there sometimes, or on a router that nobody serves.
fn conditions(base: &Base, source: &Source, chain: &Chain, layer: &Segment, all: &mut Vec<Mutant>) {
    let classes = Base::classes(source, chain, layer);
    let covered = base.covered(source, layer);
    let is_statement = layer.receiver.start != chain.range.start;
    let start = if is_statement {
        layer.receiver.start
    } else {
        chain.root.start
    };
    let receiver = source.at(&(start..layer.range.start));
    let call = source.at(&layer.range).trim();
    let arg = source.at(&layer.args[0]);
    let name = &layer.name;
    let open = "std::env::var_os(\"OPEN\").is_none()";
    let forms: [(&'static str, &'static str, String); 11] = [
        (
            "layer under `if`",
            "RG005",
            format!("if {open} {{ inner{call} }} else {{ inner }}"),
        ),
        (
            "layer under `if`",
            "RG005",
            format!("match {open} {{ true => inner{call}, false => inner }}"),
        ),
        (
            "layer under `if`",
            "RG005",
            format!("if cfg!(debug_assertions) {{ inner }} else {{ inner{call} }}"),
        ),
        (
            "layer under `if`",
            "RG005",
            format!("let mut inner = inner; if {open} {{ inner = inner{call}; }} inner"),
        ),
        (
            "layer under `if`",
            "RG005",
            format!(
                "let mut inner = inner; for _ in 0..std::env::args().len() {{ inner = inner{call}; }} inner"
            ),
        ),
        (
            "layer in one cfg arm",
            "RG005",
            format!("#[cfg(feature = \"guarded\")] let inner = inner{call}; inner"),
        ),
        (
            "layer in one cfg arm",
            "RG005",
            format!(
                "#[cfg(feature = \"guarded\")] {{ inner{call} }} #[cfg(not(feature = \"guarded\"))] {{ inner }}"
            ),
        ),
        (
            "layer in one cfg arm",
            "RG005",
            format!(
                "#[cfg(feature = \"open\")] {{ inner }} #[cfg(not(feature = \"open\"))] {{ inner{call} }}"
            ),
        ),
        (
            "layer of Option",
            "RG005",
            format!("inner.{name}(tower::util::option_layer({open}.then(|| {arg})))"),
        ),
        (
            "layer on a clone",
            "RG001",
            format!("let _ = inner.clone(){call}; inner"),
        ),
        (
            "layer on a clone",
            "RG001",
            format!("let layered = inner.clone(){call}; drop(layered); inner"),
        ),
    ];
    for (operator, rule, form) in forms {
        let edits = [(
            start..layer.range.end,
            format!("({{ let inner = {receiver}; {form} }})"),
        )];
        let expect = lost(&classes, &covered, rule);
        all.push(Base::mutant(operator, source, &layer.range, &edits, expect));
    }
    let both = [
        format!("if {open} {{ inner{call} }} else {{ inner{call} }}"),
        format!("match {open} {{ true => inner{call}, false => inner{call} }}"),
    ];
    for form in both {
        let edits = [(
            start..layer.range.end,
            format!("({{ let inner = {receiver}; {form} }})"),
        )];
        let expect = Expect::Same("it is there on every way");
        all.push(Base::mutant(
            "layer in both branches",
            source,
            &layer.range,
            &edits,
            expect,
        ));
    }
    // A way out of the function before the layer is met.
    let Some(function) = source
        .functions
        .iter()
        .find(|function| function.range.contains(&start))
    else {
        return;
    };
    let is_tail = source.text[chain.range.end..function.body.end].trim() == "}";
    if is_tail
        && !is_statement
        && chain
            .segments
            .last()
            .is_some_and(|last| last.range == layer.range)
    {
        let early = format!("let inner = {receiver}; if !{open} {{ return inner; }} inner{call}");
        let edits = [(start..layer.range.end, early)];
        all.push(Base::mutant(
            "return before the layer",
            source,
            &layer.range,
            &edits,
            lost(&classes, &covered, "RG005"),
        ));
    }
}

/// The guard's function is another one in another arm.
fn arms(base: &Base, all: &mut Vec<Mutant>) {
    for source in &base.sources {
        for function in &source.functions {
            let text = source.at(&function.range);
            let layers = base.layers().filter(|(other, _, layer)| {
                other.file == source.file && function.range.contains(&layer.range.start)
            });
            for (_, chain, layer) in layers {
                let classes = Base::classes(source, chain, layer);
                let at = layer.range.start - function.range.start
                    ..layer.range.end - function.range.start;
                let mut without = text.to_owned();
                without.replace_range(at, "");
                let both = format!(
                    "#[cfg(feature = \"guarded\")]\n{text}\n\n#[cfg(not(feature = \"guarded\"))]\n{without}"
                );
                let edits = [(function.range.clone(), both)];
                // Two functions are two registrations: one of them has no layer at all.
                let expect = lost(&classes, &base.covered(source, layer), "RG001");
                let expect = either(expect, "RG001", "RG005");
                all.push(Base::mutant(
                    "layer in one of two functions",
                    source,
                    &layer.range,
                    &edits,
                    expect,
                ));
                let both = format!(
                    "#[cfg(feature = \"guarded\")]\n{text}\n\n#[cfg(not(feature = \"guarded\"))]\n{text}"
                );
                let edits = [(function.range.clone(), both)];
                let expect = Expect::Same("it is there on every way");
                all.push(Base::mutant(
                    "layer in both of two functions",
                    source,
                    &layer.range,
                    &edits,
                    expect,
                ));
            }
        }
    }
}

/// Whichever of two rules tells it: `RG001` for a route that is open, `RG005` for sometimes open.
fn either(expect: Expect, first: &'static str, second: &'static str) -> Expect {
    match expect {
        Expect::Red(wants) => Expect::Red(
            wants
                .into_iter()
                .map(|want| {
                    if want.rule == first {
                        Want::either(first, second, want.at)
                    } else {
                        want
                    }
                })
                .collect(),
        ),
        same => same,
    }
}
