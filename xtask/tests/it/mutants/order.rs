//! Operators on the order of calls: layers that are gone, early, late or twice.

use std::ops::Range;

use super::base::{Base, Class, LAYERS, REGISTRATIONS, lost};
use super::mutant::{At, Expect, Mutant, Want};
use super::source::{Chain, Kind, Segment, Source};

pub(crate) fn mutants(base: &Base) -> Vec<Mutant> {
    let mut all = Vec::new();
    drop_layer(base, &mut all);
    permute(base, &mut all);
    rename_layer(base, &mut all);
    twice(base, &mut all);
    unmount(base, &mut all);
    all
}

pub(crate) fn is_layer(segment: &Segment) -> bool {
    LAYERS.contains(&segment.name.as_str())
}

fn is_registration(segment: &Segment) -> bool {
    REGISTRATIONS.contains(&segment.name.as_str())
}

fn drop_layer(base: &Base, all: &mut Vec<Mutant>) {
    for (source, chain, layer) in base.layers() {
        let classes = Base::classes(source, chain, layer);
        let expect = lost(&classes, &base.covered(source, layer), "RG001");
        let edits = [(layer.range.clone(), String::new())];
        all.push(Base::mutant(
            "drop a layer",
            source,
            &layer.range,
            &edits,
            expect,
        ));
    }
    for (source, chain, inner) in base.segments(Kind::ServiceBuilder) {
        let (_, _, outer) = base
            .layers()
            .find(|(other, _, outer)| {
                other.file == source.file && outer.range.contains(&inner.range.start)
            })
            .unwrap();
        let expect = lost(
            &Base::classes(source, chain, inner),
            &base.covered(source, outer),
            "RG001",
        );
        let edits = [(inner.range.clone(), String::new())];
        all.push(Base::mutant(
            "drop a layer of a ServiceBuilder",
            source,
            &inner.range,
            &edits,
            expect,
        ));
    }
}

/// The calls of a chain in another order, where each fills the other's slot.
fn reordered(source: &Source, chain: &Chain, order: &[usize]) -> Vec<(Range<usize>, String)> {
    let slots = chain.segments.iter();
    slots
        .zip(order)
        .map(|(slot, from)| {
            (
                slot.range.clone(),
                source.at(&chain.segments[*from].range).to_owned(),
            )
        })
        .collect()
}

/// Moves a registration behind a layer that covers it; a layer past a layer.
fn permute(base: &Base, all: &mut Vec<Mutant>) {
    for (source, chain) in base.chains(Kind::Router) {
        let segments = &chain.segments;
        for (n, layer) in segments
            .iter()
            .enumerate()
            .filter(|(_, segment)| is_layer(segment))
        {
            for (m, moved) in segments[..n].iter().enumerate() {
                let mut order: Vec<usize> = (0..segments.len()).collect();
                let taken = order.remove(m);
                order.insert(n, taken);
                let edits = reordered(source, chain, &order);
                let span = moved.range.start..layer.range.end;
                if is_registration(moved) {
                    let operator = if m + 1 == n {
                        "swap layer and registration"
                    } else {
                        "move registration behind layer"
                    };
                    // All layers between the old place and the new one are passed.
                    let passed = segments[m..=n].iter().filter(|segment| is_layer(segment));
                    let mut wants = Vec::new();
                    for passed in passed {
                        let routes = &base.through(source, moved) & &base.covered(source, passed);
                        if let Expect::Red(more) =
                            lost(&Base::classes(source, chain, passed), &routes, "RG002")
                        {
                            wants.extend(more);
                        }
                    }
                    let nothing_before = !order[..n]
                        .iter()
                        .any(|from| is_registration(&segments[*from]));
                    let is_empty = source.at(&chain.root).starts_with("Router::new")
                        || chain.segments[0].receiver.start > chain.range.start;
                    if layer.name == "route_layer" && nothing_before && is_empty {
                        wants = vec![Want::new("RG011", Base::here(source, &chain.range))];
                    }
                    let expect = if wants.is_empty() {
                        Expect::Same("the policy asks for no such layer")
                    } else {
                        Expect::Red(wants)
                    };
                    all.push(Base::mutant(operator, source, &span, &edits, expect));
                } else if is_layer(moved) && m + 1 == n {
                    let expect = swapped(source, chain, moved, layer);
                    all.push(Base::mutant(
                        "swap two layers",
                        source,
                        &span,
                        &edits,
                        expect,
                    ));
                }
            }
        }
    }
    for (source, chain) in base.chains(Kind::ServiceBuilder) {
        for n in 1..chain.segments.len() {
            let mut order: Vec<usize> = (0..chain.segments.len()).collect();
            order.swap(n - 1, n);
            let [outer, inner] = [&chain.segments[n - 1], &chain.segments[n]];
            let span = outer.range.start..inner.range.end;
            // The whole builder is one layer, placed where it is put on.
            let line = source.lines(&chain.range).start - 1;
            let expect = match swapped(source, chain, inner, outer) {
                Expect::Red(_) => Expect::Red(vec![Want::new(
                    "RG006",
                    At::Lines(source.file.clone(), line..line + 1),
                )]),
                same => same,
            };
            all.push(Base::mutant(
                "swap two layers",
                source,
                &span,
                &reordered(source, chain, &order),
                expect,
            ));
        }
    }
}

/// What is inside comes outside.
fn swapped(source: &Source, chain: &Chain, inner: &Segment, outer: &Segment) -> Expect {
    let headers = Base::classes(source, chain, outer).contains(&Class::Headers);
    let answers = !Base::classes(source, chain, inner).is_empty();
    if headers && answers {
        let span = inner.range.start.min(outer.range.start)..inner.range.end.max(outer.range.end);
        Expect::Red(vec![Want::new("RG006", Base::here(source, &span))])
    } else {
        Expect::Same("one of the two answers nothing by itself")
    }
}

fn rename_layer(base: &Base, all: &mut Vec<Mutant>) {
    for (source, chain, layer) in base
        .segments(Kind::Router)
        .filter(|(_, _, segment)| is_layer(segment))
    {
        let classes = Base::classes(source, chain, layer);
        let (operator, name) = match layer.name.as_str() {
            "layer" => (".layer → .route_layer", "route_layer"),
            _ => (".route_layer → .layer", "layer"),
        };
        let last_merged = ["apps/client/src/router.rs", "apps/admin/src/router.rs"];
        let expect = if name == "route_layer" && classes.contains(&Class::Headers) {
            Expect::Red(vec![Want::new(
                "RG006",
                At::Saying("unknown paths".to_owned()),
            )])
        } else if name == "layer" && source.file == last_merged[1] {
            // Its 404 is the one that stays, because it is merged last.
            Expect::Told(vec![Want::new("RG013", Base::here(source, &chain.range))])
        } else if name == "layer" {
            Expect::Same("the 404 of a router that is nested, or not merged last, answers nothing")
        } else {
            Expect::Same("the policy asks for this layer before routes only")
        };
        let edits = [(layer.name_range.clone(), name.to_owned())];
        all.push(Base::mutant(operator, source, &layer.range, &edits, expect));
    }
    for (source, _, layer) in base
        .segments(Kind::Methods)
        .filter(|(_, _, segment)| is_layer(segment))
    {
        let name = if layer.name == "layer" {
            "route_layer"
        } else {
            "layer"
        };
        let edits = [(layer.name_range.clone(), name.to_owned())];
        let expect = Expect::Same("they differ in the 405 only");
        all.push(Base::mutant(
            "layer ↔ route_layer of methods",
            source,
            &layer.range,
            &edits,
            expect,
        ));
    }
}

/// axum stops the program where a method of a path is registered twice.
fn twice(base: &Base, all: &mut Vec<Mutant>) {
    for (source, chain, route) in base
        .segments(Kind::Router)
        .filter(|(_, _, segment)| segment.name == "route")
    {
        let edits = [(
            route.range.end..route.range.end,
            source.at(&route.range).trim().to_owned(),
        )];
        let expect = Expect::Red(vec![Want::new("RG011", Base::here(source, &chain.range))]);
        // The variables that make up a route are used up by the first.
        if source.at(&route.args[1]).contains('(') {
            all.push(Base::mutant(
                "register a route twice",
                source,
                &route.range,
                &edits,
                expect,
            ));
        }
    }
}

/// What nothing mounts any more is dead code that looks alive.
fn unmount(base: &Base, all: &mut Vec<Mutant>) {
    for (source, _, mount) in base.segments(Kind::Router) {
        if !is_registration(mount) || mount.name == "route" {
            continue;
        }
        let gone = base.through(source, mount);
        let left: Vec<String> = base
            .table
            .routes
            .iter()
            .filter(|row| !gone.contains(&row.key()))
            .map(crate::scan::Row::place)
            .collect();
        let rows = base
            .table
            .routes
            .iter()
            .filter(|row| gone.contains(&row.key()));
        let dead: Vec<_> = rows
            .filter(|row| !left.contains(&row.place()) && row.file != source.file)
            .collect();
        if dead.is_empty() {
            continue;
        }
        let wants = dead
            .iter()
            .map(|row| Want::new("RG011", At::Lines(row.file.clone(), row.line..row.line + 1)));
        let edits = [(mount.range.clone(), String::new())];
        all.push(Base::mutant(
            "unmount a router",
            source,
            &mount.range,
            &edits,
            Expect::Red(wants.collect()),
        ));
    }
}
