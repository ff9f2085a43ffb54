//! Where two ways through the program meet: what both have, and what only one has.

use std::rc::Rc;

use crate::routes::router::{Endpoint, Entry, Fallback, LayerUse, Router, Served, Stack};

/// Joins the values of two ways through the program: the union of their routes; what only one way
/// has is conditional.
pub(crate) fn join(ours: &Router, theirs: &Router, why: &Rc<str>) -> Router {
    let mut joined = ours.clone();
    let mut rest: Vec<&Entry> = theirs.entries.iter().collect();
    for entry in &mut joined.entries {
        match rest.iter().position(|other| {
            other.site == entry.site
                && other.path == entry.path
                && same_shape(&entry.served, &other.served)
        }) {
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
    joined.fallback = match (&ours.fallback, &theirs.fallback) {
        (Fallback::Default(a), Fallback::Default(b)) => Fallback::Default(join_stacks(a, b)),
        (Fallback::Custom(a, site), Fallback::Custom(b, other)) if site == other => {
            Fallback::Custom(
                Endpoint {
                    stack: join_stacks(&a.stack, &b.stack),
                    ..a.clone()
                },
                *site,
            )
        }
        (Fallback::Custom(a, site), _) | (_, Fallback::Custom(a, site)) => {
            Fallback::Custom(a.clone(), *site)
        }
    };
    for (path, endpoint, site) in &theirs.inside {
        match joined
            .inside
            .iter_mut()
            .find(|(other, _, at)| other == path && at == site)
        {
            Some((_, ours, _)) => ours.stack = join_stacks(&ours.stack, &endpoint.stack),
            None => joined.inside.push((path.clone(), endpoint.clone(), *site)),
        }
    }
    for (path, endpoint, site) in &theirs.nested {
        match joined
            .nested
            .iter_mut()
            .find(|(other, _, at)| other == path && at == site)
        {
            Some((_, ours, _)) => ours.stack = join_stacks(&ours.stack, &endpoint.stack),
            None => joined.nested.push((path.clone(), endpoint.clone(), *site)),
        }
    }
    joined.paths.extend(theirs.paths.iter().cloned());
    joined.is_open |= theirs.is_open;
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

fn same_shape(a: &Served, b: &Served) -> bool {
    match (a, b) {
        (Served::Methods(a), Served::Methods(b)) => {
            a.verbs.len() == b.verbs.len()
                && a.other.is_some() == b.other.is_some()
                && a.verbs.iter().zip(&b.verbs).all(|((a, _), (b, _))| a == b)
        }
        (Served::Service(_), Served::Service(_)) => true,
        _ => false,
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
    let one_sided = |layer: &LayerUse, other: &Stack| {
        let same = |theirs: &LayerUse| {
            theirs.parts.len() == layer.parts.len()
                && theirs
                    .parts
                    .iter()
                    .zip(layer.parts.iter())
                    .all(|(a, b)| a.names == b.names)
        };
        LayerUse {
            is_conditional: layer.is_conditional
                || !other
                    .iter()
                    .any(|theirs| !theirs.is_conditional && same(theirs)),
            ..layer.clone()
        }
    };
    let mut joined: Stack = Vec::with_capacity(a.len());
    let mut rest = b.iter().peekable();
    for layer in a {
        if let Some(at) = rest.clone().position(|other| other.site == layer.site) {
            joined.extend(rest.by_ref().take(at).map(|other| one_sided(other, a)));
            let same = rest.next();
            let is_conditional =
                layer.is_conditional || same.is_some_and(|other| other.is_conditional);
            joined.push(LayerUse {
                is_conditional,
                ..layer.clone()
            });
        } else {
            joined.push(one_sided(layer, b));
        }
    }
    joined.extend(rest.map(|other| one_sided(other, a)));
    joined
}
