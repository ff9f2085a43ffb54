//! Where two ways through the program meet: what both have, and what only one has.

use std::rc::Rc;

use crate::routes::router::{Endpoint, Entry, Fallback, LayerUse, Part, Router, Served, Stack};
use crate::routes::source::Site;

/// Joins the values of two ways through the program: the union of their routes; what only one way
/// has is conditional.
pub(crate) fn join(ours: &Router, theirs: &Router, why: &Rc<str>) -> Router {
    let mut joined = ours.clone();
    let mut rest: Vec<&Entry> = theirs.entries.iter().collect();
    for entry in &mut joined.entries {
        let same = rest.iter().position(|other| {
            other.site == entry.site && other.path == entry.path && entry.served.is(&other.served)
        });
        match same {
            Some(at) => {
                let other = rest.remove(at);
                join_served(&mut entry.served, &other.served);
                if entry.condition.is_none() {
                    entry.condition.clone_from(&other.condition);
                }
            }
            None => entry.condition = entry.condition.take().or_else(|| Some(Rc::clone(why))),
        }
    }
    for entry in rest {
        let mut entry = entry.clone();
        entry.condition = entry.condition.or_else(|| Some(Rc::clone(why)));
        joined.entries.push(entry);
    }
    joined.other_fallbacks.clear();
    joined.fallback = match (&ours.fallback, &theirs.fallback) {
        (Fallback::Default(a), Fallback::Default(b)) => Fallback::Default(join_stacks(a, b)),
        (Fallback::Custom(a, site), _) | (Fallback::Default(_), Fallback::Custom(a, site)) => {
            Fallback::Custom(a.clone(), *site)
        }
    };
    join_fallbacks(&mut joined, ours.fallbacks().chain(theirs.fallbacks()));
    for (ours, theirs) in [
        (&mut joined.inside, &theirs.inside),
        (&mut joined.nested, &theirs.nested),
    ] {
        for (path, endpoint, site) in theirs {
            let same = ours.iter_mut().find(|(other, known, at)| {
                other == path && at == site && known.handler == endpoint.handler
            });
            match same {
                Some((_, known, _)) => known.stack = join_stacks(&known.stack, &endpoint.stack),
                None => ours.push((path.clone(), endpoint.clone(), *site)),
            }
        }
    }
    joined.paths.extend(theirs.paths.iter().cloned());
    joined.is_open |= theirs.is_open;
    for site in &theirs.unknown {
        if !joined.unknown.contains(site) {
            joined.unknown.push(*site);
        }
    }
    for panic in &theirs.panics {
        if !joined.panics.contains(panic) {
            joined.panics.push(panic.clone());
        }
    }
    for dropped in &theirs.dropped {
        if !joined.dropped.iter().any(|(site, _)| *site == dropped.0) {
            joined.dropped.push(dropped.clone());
        }
    }
    for layer in &theirs.layers {
        if !joined.layers.iter().any(|ours| ours.site == layer.site) {
            joined.layers.push(layer.clone());
        }
    }
    joined
}

/// Every fallback that stands on one of the ways, each once.
fn join_fallbacks<'a>(joined: &mut Router, fallbacks: impl Iterator<Item = (&'a Endpoint, Site)>) {
    let Fallback::Custom(first, at) = &mut joined.fallback else {
        return;
    };
    let others = &mut joined.other_fallbacks;
    for (endpoint, site) in fallbacks {
        let known = std::iter::once((&mut *first, *at))
            .chain(others.iter_mut().map(|(known, at)| (known, *at)))
            .find(|(known, at)| *at == site && known.handler == endpoint.handler);
        match known {
            Some((known, _)) => known.stack = join_stacks(&known.stack, &endpoint.stack),
            None => others.push((endpoint.clone(), site)),
        }
    }
}

fn join_served(ours: &mut Served, theirs: &Served) {
    match (ours, theirs) {
        (Served::Methods(ours), Served::Methods(theirs)) => {
            for ((_, a), (_, b)) in ours.verbs.iter_mut().zip(&theirs.verbs) {
                a.stack = join_stacks(&a.stack, &b.stack);
            }
            if let (Some(a), Some(b)) = (&mut ours.other, &theirs.other) {
                a.stack = join_stacks(&a.stack, &b.stack);
            }
            ours.miss = join_stacks(&ours.miss, &theirs.miss);
        }
        (Served::Service(a), Served::Service(b)) => a.stack = join_stacks(&a.stack, &b.stack),
        _ => {}
    }
}

/// Both sides' layers in order. What only one side has is conditional, unless the other has the same
/// layer at a place of its own: then it is there on both ways.
pub(crate) fn join_stacks(a: &Stack, b: &Stack) -> Stack {
    let one_sided = |layer: &LayerUse, other: &Stack| LayerUse {
        is_conditional: layer.is_conditional
            || !other.iter().any(|theirs| {
                layer.is(theirs)
                    && !theirs.is_conditional
                    && !theirs.parts.iter().any(|part| part.is_conditional)
            }),
        ..layer.clone()
    };
    let mut joined: Stack = Vec::with_capacity(a.len());
    let mut rest = b.iter().peekable();
    for layer in a {
        // One call may put different layers on different ways.
        let same = |other: &&LayerUse| other.site == layer.site && other.is(layer);
        if let Some(at) = rest.clone().position(|other| same(&other)) {
            joined.extend(rest.by_ref().take(at).map(|other| one_sided(other, a)));
            let Some(other) = rest.next() else { continue };
            let parts = layer.parts.iter().zip(other.parts.iter());
            joined.push(LayerUse {
                site: layer.site,
                parts: parts
                    .map(|(ours, theirs)| Part {
                        names: ours.names.clone(),
                        is_conditional: ours.is_conditional || theirs.is_conditional,
                    })
                    .collect(),
                is_conditional: layer.is_conditional || other.is_conditional,
            });
        } else {
            joined.push(one_sided(layer, b));
        }
    }
    joined.extend(rest.map(|other| one_sided(other, a)));
    joined
}
