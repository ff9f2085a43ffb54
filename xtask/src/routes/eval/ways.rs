//! Branches, loops and jumps: how the ways through a function are read, and joined where they meet.

use std::rc::Rc;

use syn::Expr;

use crate::routes::eval::{Eval, Frame, part_of, shorten, source};
use crate::routes::index::is_test;
use crate::routes::value::Value;

/// One way the program may take, such as an arm of a `match`, put off until its turn.
pub(super) type Way<'w, 'i, 's> =
    Box<dyn FnOnce(&mut Eval<'i, 's>, &mut Frame<'s>) -> Value<'s> + 'w>;

impl<'i, 's> Eval<'i, 's> {
    pub(super) fn if_expr(&mut self, frame: &mut Frame<'s>, branch: &'s syn::ExprIf) -> Value<'s> {
        let why: Rc<str> = format!("if {}", shorten(&source(&branch.cond))).into();
        let depth = frame.vars.len();
        match self.known_condition(frame, &branch.cond) {
            Some(true) => return self.block(frame, &branch.then_branch),
            Some(false) => {
                return match &branch.else_branch {
                    Some((_, other)) => self.expr(frame, other),
                    None => Value::unknown(),
                };
            }
            None => {}
        }
        let value = self.fork(
            frame,
            &why,
            vec![
                Box::new(|eval, frame| {
                    eval.expr(frame, &branch.cond);
                    eval.block(frame, &branch.then_branch)
                }),
                Box::new(|eval, frame| match &branch.else_branch {
                    Some((_, other)) => eval.expr(frame, other),
                    None => Value::unknown(),
                }),
            ],
        );
        frame.vars.truncate(depth);
        value
    }

    pub(super) fn match_expr(
        &mut self,
        frame: &mut Frame<'s>,
        branch: &'s syn::ExprMatch,
    ) -> Value<'s> {
        let on = self.expr(frame, unborrowed(&branch.expr));
        let why: Rc<str> = format!("match {}", shorten(&source(&branch.expr))).into();
        let mut ways: Vec<Way<'_, 'i, 's>> = Vec::new();
        for arm in branch.arms.iter().filter(|arm| !is_test(&arm.attrs)) {
            let on = on.clone();
            ways.push(Box::new(move |eval, frame| {
                let slot = frame.vars.len();
                let lends = frame.lends(&branch.expr);
                eval.bind(frame, &arm.pat, on);
                if lends {
                    frame.keep(slot);
                }
                eval.expr(frame, &arm.body)
            }));
        }
        self.fork(frame, &why, ways)
    }

    pub(super) fn for_loop(
        &mut self,
        frame: &mut Frame<'s>,
        looped: &'s syn::ExprForLoop,
    ) -> Value<'s> {
        let over = self.expr(frame, &looped.expr);
        if let Value::List(all) = &over
            && all.len() <= 256
        {
            for value in all.iter() {
                let depth = frame.vars.len();
                self.broken(frame, looped.label.as_ref(), true, |eval, frame| {
                    eval.bind(frame, &looped.pat, value.clone());
                    if frame.lends(&looped.expr) {
                        frame.keep(depth);
                    }
                    eval.block(frame, &looped.body)
                });
                frame.vars.truncate(depth);
            }
            return Value::unknown();
        }
        let why: Rc<str> = "a loop".into();
        let element = part_of(&over);
        let depth = frame.vars.len();
        let before = frame.vars.clone();
        self.broken(frame, looped.label.as_ref(), true, |eval, frame| {
            let lends = frame.lends(&looped.expr);
            eval.bind(frame, &looped.pat, element);
            if lends {
                frame.keep(depth);
            }
            eval.block(frame, &looped.body)
        });
        frame.vars.truncate(depth);
        frame.diverged = false;
        let after = std::mem::replace(&mut frame.vars, before);
        meet(frame, after, &why);
        Value::unknown()
    }

    /// A loop or labelled block: its value is that of its end, or of any `break` out of it, and so
    /// are the variables.
    pub(super) fn broken(
        &mut self,
        frame: &mut Frame<'s>,
        label: Option<&'s syn::Label>,
        is_loop: bool,
        read: impl FnOnce(&mut Self, &mut Frame<'s>) -> Value<'s>,
    ) -> Value<'s> {
        let depth = frame.vars.len();
        let outer = (
            std::mem::take(&mut frame.breaks),
            std::mem::take(&mut frame.jumps),
        );
        let value = read(self, frame);
        // What names an outer label goes further out.
        let is_mine = |to: Option<&'s syn::Ident>| match to {
            Some(to) => label.is_some_and(|label| label.name.ident == *to),
            None => is_loop,
        };
        let breaks = std::mem::replace(&mut frame.breaks, outer.0);
        let (breaks, further): (Vec<_>, Vec<_>) =
            breaks.into_iter().partition(|(to, _)| is_mine(*to));
        frame.breaks.extend(further);
        let jumps = std::mem::replace(&mut frame.jumps, outer.1);
        let (jumps, further): (Vec<_>, Vec<_>) =
            jumps.into_iter().partition(|(to, _)| is_mine(*to));
        frame.jumps.extend(further);
        let why: Rc<str> = "a break".into();
        let ended = frame.diverged && !jumps.is_empty();
        frame.vars.truncate(depth);
        let mut jumps = jumps.into_iter().map(|(_, mut vars)| {
            vars.truncate(depth);
            vars
        });
        if ended {
            frame.diverged = false;
            frame.vars = jumps.next().unwrap_or_default();
        }
        for vars in jumps {
            meet(frame, vars, &why);
        }
        let start = if ended { None } else { Some(value) };
        if breaks.is_empty() {
            return start.unwrap_or_else(Value::unknown);
        }
        // What a loop is worth is what it breaks with; a block may also come to its end.
        start
            .filter(|value| !matches!(value, Value::Opaque(_)))
            .into_iter()
            .chain(breaks.into_iter().map(|(_, value)| value))
            .reduce(|joined, next| joined.join(next, &why))
            .unwrap_or_else(Value::unknown)
    }

    /// Evaluates both ways and joins them.
    pub(crate) fn fork(
        &mut self,
        frame: &mut Frame<'s>,
        why: &Rc<str>,
        ways: Vec<Way<'_, 'i, 's>>,
    ) -> Value<'s> {
        let before = frame.vars.clone();
        let mut joined: Option<(Vec<(String, Value<'s>)>, Value<'s>)> = None;
        for way in ways {
            frame.vars.clone_from(&before);
            frame.diverged = false;
            let value = way(self, frame);
            if frame.diverged {
                continue;
            }
            frame.vars.truncate(before.len());
            let vars = std::mem::take(&mut frame.vars);
            joined = Some(match joined {
                None => (vars, value),
                Some((theirs, other)) => {
                    frame.vars = theirs;
                    meet(frame, vars, why);
                    (std::mem::take(&mut frame.vars), other.join(value, why))
                }
            });
        }
        if let Some((vars, value)) = joined {
            frame.vars = vars;
            frame.diverged = false;
            value
        } else {
            frame.vars = before;
            frame.diverged = true;
            Value::unknown()
        }
    }
}

/// The frame's variables joined with those of another way.
pub(super) fn meet<'s>(frame: &mut Frame<'s>, other: Vec<(String, Value<'s>)>, why: &Rc<str>) {
    let mut other = other.into_iter();
    for (name, value) in &mut frame.vars {
        if let Some((theirs, there)) = other.next()
            && theirs == *name
        {
            let mine = std::mem::replace(value, Value::unknown());
            *value = mine.join(there, why);
        }
    }
    // A name that only the other way made shadows: `#[cfg] let router = …`.
    for (name, value) in other {
        let joined = match frame.vars.iter().rev().find(|(known, _)| *known == name) {
            Some((_, known)) => known.clone().join(value, why),
            None => value,
        };
        frame.vars.push((name, joined));
    }
}

/// What a reference refers to.
pub(super) fn unborrowed(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(inner) => &inner.expr,
        expr => expr,
    }
}
