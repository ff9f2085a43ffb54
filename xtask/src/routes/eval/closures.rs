//! Functions as values: closures with what they see, and calls of what cannot be read.

use std::rc::Rc;

use proc_macro2::Span;

use crate::routes::eval::ways::meet;
use crate::routes::eval::{DEEPEST_CALL, Eval, Frame, is_mutable};
use crate::routes::index::Function;
use crate::routes::source::Site;
use crate::routes::value::{Lambda, TypeRef, Value};

/// A function that does nothing, as one that may not be called does.
pub(super) const IDENTITY: [&str; 2] = ["convert", "identity"];

/// What a call of a closure did.
pub(super) struct Applied<'s> {
    pub(super) value: Value<'s>,
    /// The variables that it sees.
    pub(super) vars: Vec<(String, Value<'s>)>,
    /// Of each argument what it became, if it holds another router now.
    pub(super) inputs: Vec<Option<Value<'s>>>,
}

impl<'s> Eval<'_, 's> {
    /// Calls a closure: its value, and what became of the variables it sees.
    pub(super) fn apply(&mut self, lambda: &Lambda<'s>, args: Vec<Value<'s>>) -> Applied<'s> {
        if self.calls.len() > DEEPEST_CALL {
            return Applied {
                value: Value::unknown(),
                vars: Vec::new(),
                inputs: Vec::new(),
            };
        }
        self.calls.push(std::ptr::from_ref(lambda.expr).cast());
        let mut frame = Frame::new(lambda.module, lambda.self_ty.clone());
        frame.vars.clone_from(&lambda.vars);
        frame.is_closure = true;
        let mut args = args.into_iter();
        let mut given = Vec::new();
        for pat in &lambda.expr.inputs {
            let arg = args.next().unwrap_or_else(Value::unknown);
            given.push((frame.vars.len(), arg.clone()));
            self.bind(&mut frame, pat, arg);
        }
        let mut value = self.expr(&mut frame, &lambda.expr.body);
        if !frame.returns.is_empty() {
            let why: Rc<str> = "an early return".into();
            for early in std::mem::take(&mut frame.returns) {
                value = value.join(early, &why);
            }
        }
        self.calls.pop();
        // What became of each argument that has a name of its own.
        let inputs = lambda.expr.inputs.iter().zip(given);
        let inputs = inputs.map(|(pat, (slot, arg))| {
            let named = match pat {
                syn::Pat::Type(typed) => &*typed.pat,
                pat => pat,
            };
            let after = match named {
                syn::Pat::Ident(_) => frame.vars.get(slot).map(|(_, value)| value.clone()),
                _ => None,
            };
            after.filter(|after| after.holds_router() && !after.is(&arg))
        });
        let inputs = inputs.collect();
        frame.vars.truncate(lambda.vars.len());
        let why: Rc<str> = "an early end".into();
        for mut vars in std::mem::take(&mut frame.ends) {
            vars.truncate(lambda.vars.len());
            meet(&mut frame, vars, &why);
        }
        Applied {
            value,
            vars: frame.vars,
            inputs,
        }
    }

    /// What a call of a closure gives whose arguments have no place here that is known.
    fn unplaced(&mut self, site: Site, applied: &Applied<'s>) {
        let is_lost = applied.inputs.iter().any(Option::is_some);
        if is_lost && !applied.value.holds_router() {
            self.give_up(site, "a closure changes a router that it is lent");
        }
    }

    pub(super) fn apply_value(
        &mut self,
        value: Value<'s>,
        args: Vec<Value<'s>>,
        span: Span,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        match value {
            Value::Closure(lambda) => {
                let applied = self.apply(&lambda, args);
                let site = self.site(frame, span);
                self.unplaced(site, &applied);
                let (value, after) = (applied.value, applied.vars);
                if frame.id == lambda.frame {
                    captured(frame, after);
                } else if lambda.changes(&after) {
                    self.give_up(site, "a closure changes a router of where it was written");
                }
                value
            }
            Value::Function(function) => self.call_unplaced(frame, function, args, None, span),
            Value::Either(all) => {
                let why: Rc<str> = "one of several".into();
                let before = frame.vars.clone();
                let mut joined: Option<Value<'s>> = None;
                for value in all.iter() {
                    let start = std::mem::replace(&mut frame.vars, before.clone());
                    let value = self.apply_value(value.clone(), args.clone(), span, frame);
                    joined = Some(match joined {
                        None => value,
                        Some(joined) => {
                            meet(frame, start, &why);
                            joined.join(value, &why)
                        }
                    });
                }
                joined.unwrap_or_else(Value::unknown)
            }
            Value::Method(function, ty) => {
                self.call_unplaced(frame, function, args, Some(ty), span)
            }
            // What it is given first, or the router among it.
            Value::External(path, _) if path.ends_with(&IDENTITY.map(str::to_owned)) => {
                let router = args.iter().position(Value::holds_router);
                let given = args.into_iter().nth(router.unwrap_or(0));
                given.unwrap_or_else(Value::unknown)
            }
            // `Router::merge` as a function.
            Value::External(path, _)
                if path.last().is_some_and(|last| last == "merge") && args.len() == 2 =>
            {
                let site = self.site(frame, span);
                let mut args = args.into_iter();
                let pair = (
                    args.next().map(|value| self.as_router(value)),
                    args.next().map(|value| self.as_router(value)),
                );
                match pair {
                    (Some(Ok(mut router)), Some(Ok(other))) => {
                        Rc::make_mut(&mut router).merge((*other).clone(), site);
                        Value::Router(router)
                    }
                    _ => Value::unknown(),
                }
            }
            _ => self.unknown_call(frame, args, span),
        }
    }

    /// Calls a function where the places of its arguments are not known.
    fn call_unplaced(
        &mut self,
        frame: &mut Frame<'s>,
        function: Function<'s>,
        args: Vec<Value<'s>>,
        self_ty: Option<Rc<TypeRef<'s>>>,
        span: Span,
    ) -> Value<'s> {
        let (value, left) = self.call(function, args, self_ty);
        let changed = function.sig.inputs.iter().zip(&left);
        if (changed)
            .into_iter()
            .any(|(input, after)| is_mutable(input) && after.holds_router())
        {
            let site = self.site(frame, span);
            self.give_up(
                site,
                "a router is changed by a function that is not called by its name",
            );
        }
        value
    }

    /// Calls a function once more: a closure sees what it did to its variables the last time.
    pub(super) fn apply_again(
        &mut self,
        function: &mut Value<'s>,
        args: Vec<Value<'s>>,
        span: Span,
        frame: &mut Frame<'s>,
    ) -> Value<'s> {
        let Value::Closure(lambda) = function else {
            return self.apply_value(function.clone(), args, span, frame);
        };
        let applied = self.apply(lambda, args);
        let site = self.site(frame, span);
        self.unplaced(site, &applied);
        let (value, after) = (applied.value, applied.vars);
        Rc::make_mut(lambda).vars.clone_from(&after);
        if frame.id == lambda.frame {
            captured(frame, after);
        }
        value
    }

    /// A call of something that cannot be read: closures it is given may run, routers are lost in it.
    pub(super) fn unknown_call(
        &mut self,
        frame: &mut Frame<'s>,
        args: Vec<Value<'s>>,
        span: Span,
    ) -> Value<'s> {
        let site = self.site(frame, span);
        args.into_iter()
            .filter_map(|arg| self.give_away(frame, arg, site, &[]))
            .last()
            .unwrap_or_else(|| Value::from_call(site))
    }

    /// What may come back of a value that goes where it cannot be followed: a router in it, however
    /// deep, is taken for served there.
    fn give_away(
        &mut self,
        frame: &mut Frame<'s>,
        value: Value<'s>,
        site: Site,
        held_by: &[String],
    ) -> Option<Value<'s>> {
        match value {
            Value::Closure(lambda) => {
                let inputs = vec![Value::unknown(); lambda.expr.inputs.len()];
                let applied = self.apply(&lambda, inputs);
                self.unplaced(site, &applied);
                let (value, after) = (applied.value, applied.vars);
                if frame.id == lambda.frame {
                    maybe_captured(frame, after);
                } else if lambda.changes(&after) {
                    self.give_up(site, "a closure changes a router of where it was written");
                }
                let router = Rc::clone(value.router()?);
                Some(self.lose(router, site))
            }
            Value::Router(router) => Some(self.lose_held(router, site, held_by.to_vec())),
            lost @ Value::Lost(..) => Some(lost),
            Value::Struct(record) => {
                let held_by = [held_by, &[record.ty.path.join("::")]].concat();
                (record.fields.iter())
                    .filter_map(|(_, value)| self.give_away(frame, value.clone(), site, &held_by))
                    .last()
            }
            Value::Tuple(all) | Value::List(all) | Value::Either(all) => (all.iter())
                .filter_map(|value| self.give_away(frame, value.clone(), site, held_by))
                .last(),
            _ => None,
        }
    }
}

impl<'s> Lambda<'s> {
    /// Whether a router among its variables became another.
    fn changes(&self, after: &[(String, Value<'s>)]) -> bool {
        let pairs = self.vars.iter().zip(after);
        pairs
            .into_iter()
            .any(|((_, before), (_, after))| after.holds_router() && !before.is(after))
    }
}

/// Writes back what a closure did to the variables around it.
pub(super) fn captured<'s>(frame: &mut Frame<'s>, after: Vec<(String, Value<'s>)>) {
    for ((name, value), (theirs, changed)) in frame.vars.iter_mut().zip(after) {
        if *name == theirs
            && (changed.matters() || matches!(changed, Value::Text(_) | Value::List(_)))
        {
            *value = changed;
        }
    }
}

/// Like [`captured`], of a closure that may not have run.
pub(super) fn maybe_captured<'s>(frame: &mut Frame<'s>, after: Vec<(String, Value<'s>)>) {
    let before = frame.vars.clone();
    captured(frame, after);
    let ran = std::mem::replace(&mut frame.vars, before);
    meet(frame, ran, &"a call".into());
}
