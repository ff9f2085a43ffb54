//! Operators that add something behind a layer: a method, a route, a merge, a fallback.

use std::collections::BTreeSet;

use super::base::{Base, Class, lost};
use super::mutant::{Expect, Mutant, Want};
use super::order::is_layer;
use super::source::Kind;

/// A handler that every twin can reach.
const HANDLER: &str = "web::health::ready";

pub(crate) fn mutants(base: &Base) -> Vec<Mutant> {
    let mut all = Vec::new();
    chain_verb(base, &mut all);
    verb_after_layer(base, &mut all);
    insert(base, &mut all);
    all
}

fn chain_verb(base: &Base, all: &mut Vec<Mutant>) {
    let layers = base
        .segments(Kind::Methods)
        .filter(|(_, _, segment)| is_layer(segment));
    for (source, chain, layer) in layers {
        let end = layer.range.end..layer.range.end;
        for verb in ["put", "options"] {
            let edits = [(end.clone(), format!(".{verb}({HANDLER})"))];
            let expect = Expect::Red(vec![Want::new("RG003", Base::here(source, &chain.range))]);
            all.push(Base::mutant(
                "chain a verb after a layer",
                source,
                &layer.range,
                &edits,
                expect,
            ));
        }
        // `any` and a fallback are what a layer on the routes of one path does not reach.
        let start = chain.root.start..chain.root.start;
        let edits = [
            (start.clone(), format!("axum::routing::any({HANDLER}).")),
            (layer.name_range.clone(), "route_layer".to_owned()),
        ];
        let expect = Expect::Red(vec![Want::new("RG004", Base::here(source, &chain.range))]);
        all.push(Base::mutant(
            "any before route_layer",
            source,
            &layer.range,
            &edits,
            expect,
        ));
        for place in [layer.range.start, layer.range.end] {
            let edits = [
                (place..place, format!(".fallback({HANDLER})")),
                (layer.name_range.clone(), "route_layer".to_owned()),
            ];
            let rule = if place == layer.range.start {
                "RG004"
            } else {
                "RG003"
            };
            let expect = Expect::Red(vec![Want::new(rule, Base::here(source, &chain.range))]);
            all.push(Base::mutant(
                "fallback of a path's methods",
                source,
                &layer.range,
                &edits,
                expect,
            ));
        }
    }
}

/// `route("/x", get(a).post(b)).route_layer(l)` → `route("/x", get(a)).route_layer(l).route("/x", post(b))`.
fn verb_after_layer(base: &Base, all: &mut Vec<Mutant>) {
    for (source, chain, verb) in base
        .segments(Kind::Methods)
        .filter(|(_, _, segment)| !is_layer(segment))
    {
        let Some((around, route)) =
            base.segments(Kind::Router)
                .find_map(|(other, around, route)| {
                    let is_in = other.file == source.file
                        && route
                            .args
                            .get(1)
                            .is_some_and(|arg| arg.contains(&verb.range.start));
                    is_in.then_some((around, route))
                })
        else {
            continue;
        };
        for layer in around
            .segments
            .iter()
            .filter(|layer| is_layer(layer) && layer.range.start > route.range.start)
        {
            let passed = around.segments.iter().filter(|passed| {
                is_layer(passed) && (route.range.end..layer.range.end).contains(&passed.range.start)
            });
            let classes = passed
                .flat_map(|passed| Base::classes(source, around, passed))
                .collect();
            let method = verb.name.to_uppercase();
            let path = source.at(&route.args[0]);
            let routes: BTreeSet<_> = base
                .through(source, route)
                .into_iter()
                .filter(|(_, known, _)| *known == method)
                .collect();
            let routes = &routes & &base.covered(source, layer);
            let late = format!(
                ".route({path}, axum::routing::{}({}))",
                verb.name,
                source.at(&verb.args[0])
            );
            let edits = [
                (verb.range.clone(), String::new()),
                (layer.range.end..layer.range.end, late),
            ];
            all.push(Base::mutant(
                "register a verb after a layer",
                source,
                &chain.range,
                &edits,
                lost(&classes, &routes, "RG002"),
            ));
        }
    }
}

/// A route, a merge or a fallback where it is late.
fn insert(base: &Base, all: &mut Vec<Mutant>) {
    let layers = base
        .segments(Kind::Router)
        .filter(|(_, _, segment)| is_layer(segment));
    for (source, chain, layer) in layers {
        let classes = Base::classes(source, chain, layer);
        let here = || Base::here(source, &chain.range);
        let end = layer.range.end..layer.range.end;
        let wants = classes.iter().map(|class| match class {
            Class::Guard => Want::new("RG002", here()),
            Class::Headers => Want::new("RG006", here()),
            Class::Limit => Want::new("RG001", here()),
        });
        let mut wants: Vec<Want> = wants.collect();
        let is_guarded_later = source.file.contains("admin") && classes.is_empty();
        if !classes.contains(&Class::Guard) && !is_guarded_later {
            wants.push(Want::new("RG001", here()));
        }
        let expect = || if wants.is_empty() { None } else { Some(()) };
        if expect().is_some() {
            let route = format!(".route(\"/mutant\", axum::routing::get({HANDLER}))");
            all.push(Base::mutant(
                "add a route after a layer",
                source,
                &layer.range,
                &[(end.clone(), route)],
                Expect::Red(wants),
            ));
        }
        let fallback = format!(".fallback({HANDLER})");
        if classes.contains(&Class::Headers) {
            let empty = [(end.clone(), ".merge(axum::Router::new())".to_owned())];
            let expect = Expect::Red(vec![Want::new("RG007", here())]);
            all.push(Base::mutant(
                "merge an empty router after headers",
                source,
                &layer.range,
                &empty,
                expect,
            ));
            let expect = Expect::Red(vec![Want::new("RG006", here()), Want::new("RG004", here())]);
            all.push(Base::mutant(
                "fallback after a layer",
                source,
                &layer.range,
                &[(end.clone(), fallback.clone())],
                expect,
            ));
        }
        if classes.contains(&Class::Guard) {
            let is_nested_twice = ["accounts", "kitchen", "payments"]
                .iter()
                .any(|name| source.file.contains(name));
            for at in [layer.range.start, layer.range.end] {
                let edits = [(at..at, fallback.clone())];
                let expect = if is_nested_twice {
                    Expect::Same("a fallback below two nests is dropped by axum 0.8")
                } else {
                    Expect::Red(vec![Want::new("RG004", here())])
                };
                all.push(Base::mutant(
                    "fallback beside route_layer",
                    source,
                    &layer.range,
                    &edits,
                    expect,
                ));
            }
        }
    }
}
