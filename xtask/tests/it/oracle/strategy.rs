//! Random programs, weighted so that most of them start.

use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::{collection, option, prop_oneof, sample};

use super::program::{
    First, Handler, Kind, Layer, Place, Program, Router, Shape, Step, Then, Verb, Verbs, Version,
};

/// Paths in the syntax of 0.8.
const PATHS: [&str; 12] = [
    "/",
    "/a",
    "/a",
    "/b",
    "/c",
    "/d",
    "/a/b",
    "/a/",
    "/{id}",
    "/a/{id}",
    "/{id}/b",
    "/b/{*rest}",
];

/// Paths that are refused at start, hide others, or mean something else on 0.7.
const ODD_PATHS: [&str; 5] = ["/{*rest}", "/{other}", "/:id", "/*rest", "a"];

const PREFIXES: [&str; 8] = ["/n", "/n", "/m", "/o", "/p", "/n/m", "/q/", "/a"];

const ODD_PREFIXES: [&str; 4] = ["/{id}", "/", "", "/:id"];

/// Apart from the others: a route beside a nested service would hide what is in it.
const SERVICE_PREFIXES: [&str; 4] = ["/s", "/s", "/t/", "/u/{id}"];

/// A program with its ids.
pub(crate) fn program(version: Version) -> impl Strategy<Value = Program> {
    (router(version), option::weighted(0.1, layer()))
        .prop_map(|(router, wrap)| Program { router, wrap }.numbered())
}

fn router(version: Version) -> impl Strategy<Value = Router> {
    let leaf = written(steps(plain_step(version), 0..4)).boxed();
    leaf.prop_recursive(3, 24, 3, move |inner| {
        let inner = prop_oneof![
            4 => (mostly(&PREFIXES, &ODD_PREFIXES), inner.clone())
                .prop_map(|(path, inner)| Step::Nest(path, inner)),
            1 => (sample::select(&SERVICE_PREFIXES[..]), inner.clone())
                .prop_map(|(path, inner)| Step::NestService(path, inner)),
            3 => inner.prop_map(Step::Merge),
        ];
        written(steps(
            prop_oneof![5 => plain_step(version), 2 => inner],
            0..7,
        ))
    })
}

/// Mostly with a route before all else: a `route_layer` on nothing is refused.
fn steps(
    step: impl Strategy<Value = Step>,
    many: std::ops::Range<usize>,
) -> impl Strategy<Value = Vec<Step>> {
    (option::weighted(0.9, route()), collection::vec(step, many))
        .prop_map(|(first, then)| first.into_iter().chain(then).collect())
}

fn route() -> BoxedStrategy<Step> {
    (mostly(&PATHS, &ODD_PATHS), verbs())
        .prop_map(|(path, verbs)| Step::Route(path, verbs))
        .boxed()
}

/// The steps, and how they are written down.
fn written(steps: impl Strategy<Value = Vec<Step>>) -> impl Strategy<Value = Router> {
    let shape = sample::select(vec![Shape::Chain, Shape::Shadow, Shape::Reassign]);
    let place = sample::select(vec![Place::Inline, Place::Binding, Place::Function]);
    let dressed = prop_oneof![3 => Just(0_usize), 1 => 1..3_usize];
    (steps, shape, place, dressed).prop_map(|(steps, shape, place, dressed)| Router {
        id: 0,
        dressed: dressed.min(steps.len()),
        steps,
        shape,
        place,
    })
}

fn mostly(
    usual: &'static [&'static str],
    odd: &'static [&'static str],
) -> impl Strategy<Value = &'static str> {
    prop_oneof![40 => sample::select(usual), 1 => sample::select(odd)]
}

fn plain_step(version: Version) -> BoxedStrategy<Step> {
    prop_oneof![
        12 => route(),
        5 => layer().prop_map(Step::Layer),
        2 => layer().prop_map(Step::RouteLayer),
        2 => handler().prop_map(Step::Fallback),
        1 => handler().prop_map(Step::MethodNotAllowedFallback),
        1 => Just(if version == Version::V08 { Step::ResetFallback } else { Step::WithState }),
        1 => Just(Step::WithState),
    ]
    .boxed()
}

fn verbs() -> BoxedStrategy<Verbs> {
    let first = prop_oneof![
        24 => (verb(), handler()).prop_map(|(verb, handler)| First::Verb(verb, handler)),
        4 => handler().prop_map(First::Any),
        2 => (verb(), verb(), handler()).prop_map(|(a, b, handler)| First::On(a, b, handler)),
        1 => Just(First::Empty),
    ];
    let then = prop_oneof![
        4 => (verb(), handler()).prop_map(|(verb, handler)| Then::Verb(verb, handler)),
        1 => (verb(), verb(), handler()).prop_map(|(a, b, handler)| Then::On(a, b, handler)),
        3 => layer().prop_map(Then::Layer),
        2 => layer().prop_map(Then::RouteLayer),
        1 => handler().prop_map(Then::Fallback),
    ];
    let leaf = (first, collection::vec(then.clone(), 0..3))
        .prop_map(|(first, then)| Verbs { first, then });
    let merged = leaf.clone().prop_map(Then::Merge);
    let after = option::weighted(0.1, then);
    (leaf, option::weighted(0.1, merged), after, any::<u8>())
        .prop_map(|(mut verbs, merged, after, sloppy)| {
            verbs.then.extend(merged);
            verbs.then.extend(after);
            if sloppy > 5 {
                distinct(&mut verbs, &mut Vec::new());
            }
            verbs
        })
        .boxed()
}

/// Without the verbs that are there already: twice the same is refused at start.
fn distinct(verbs: &mut Verbs, seen: &mut Vec<Verb>) {
    let mut fresh = |some: &[Verb]| {
        let fresh = some.iter().all(|verb| !seen.contains(verb));
        seen.extend(some);
        fresh
    };
    let first = match &verbs.first {
        First::Verb(verb, _) => fresh(&[*verb]),
        First::On(one, two, _) => fresh(&[*one, *two]),
        First::Any(_) | First::Empty => true,
    };
    if !first {
        verbs.first = First::Empty;
    }
    verbs.then.retain(|then| match then {
        Then::Verb(verb, _) => fresh(&[*verb]),
        Then::On(one, two, _) => fresh(&[*one, *two]),
        _ => true,
    });
    for then in &mut verbs.then {
        if let Then::Merge(other) = then {
            distinct(other, seen);
        }
    }
}

fn verb() -> BoxedStrategy<Verb> {
    prop_oneof![
        4 => Just(Verb::Get),
        3 => Just(Verb::Post),
        2 => Just(Verb::Put),
        2 => Just(Verb::Delete),
    ]
    .boxed()
}

fn handler() -> BoxedStrategy<Handler> {
    option::weighted(0.1, layer())
        .prop_map(|layer| Handler { id: 0, layer })
        .boxed()
}

fn layer() -> BoxedStrategy<Layer> {
    any::<u8>()
        .prop_map(|kind| Layer {
            id: 0,
            kind: match kind {
                0..200 => Kind::One,
                200..230 => Kind::Builder,
                230.. => Kind::Tuple,
            },
        })
        .boxed()
}
