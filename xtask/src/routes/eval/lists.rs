//! Method calls on texts and lists.

use std::rc::Rc;

use syn::Expr;

use crate::routes::eval::block::expr_attributes;
use crate::routes::eval::closures::IDENTITY;
use crate::routes::eval::layers::conditional;
use crate::routes::eval::method::SAME;
use crate::routes::eval::{Eval, Frame, is_layerish, part_of};
use crate::routes::index::{condition, is_test};
use crate::routes::router::{Router, Text};
use crate::routes::value::{Opaque, Value};

/// Methods that leave a list as it is.
const LOOKING: &[&str] = &[
    "all", "any", "capacity", "contains", "count", "find", "find_map", "get", "is_empty", "iter",
    "len", "max", "min", "next", "nth", "position", "reserve", "sum",
];

impl<'s> Eval<'_, 's> {
    pub(super) fn text_method(
        &mut self,
        frame: &mut Frame<'s>,
        text: Text,
        name: &str,
        args: &[&'s Expr],
    ) -> Value<'s> {
        match (name, args) {
            (
                "trim_end_matches" | "trim_start_matches" | "strip_prefix" | "strip_suffix",
                [what],
            ) => {
                let what = self.text(frame, what);
                if !text.is_known || !what.is_known {
                    return Value::Text(Text {
                        is_known: false,
                        ..text
                    });
                }
                let shown = text.shown.as_str();
                let what = what.shown.as_str();
                Value::Text(Text::known(match name {
                    "trim_end_matches" => shown.trim_end_matches(what),
                    "trim_start_matches" => shown.trim_start_matches(what),
                    "strip_prefix" => shown.strip_prefix(what).unwrap_or(shown),
                    _ => shown.strip_suffix(what).unwrap_or(shown),
                }))
            }
            _ if SAME.contains(&name) => Value::Text(text),
            _ => Value::unknown(),
        }
    }

    /// A list as it is written; what is under `cfg` may be left out of it.
    pub(super) fn list(
        &mut self,
        frame: &mut Frame<'s>,
        elements: impl Iterator<Item = &'s Expr>,
    ) -> Value<'s> {
        let mut all = Vec::new();
        for expr in elements {
            let attributes = expr_attributes(expr);
            if is_test(attributes) {
                continue;
            }
            let value = self.expr(frame, expr);
            all.push(match (condition(attributes), value) {
                (None, value) => value,
                (Some(why), Value::Router(router)) => {
                    let without = Router::new(router.kind, router.axum);
                    Value::Router(router).join(Value::Router(Rc::new(without)), &why.into())
                }
                (Some(_), value) => self.doubtful(frame, value, expr),
            });
        }
        Value::List(Rc::new(all))
    }

    /// A value that may be left out, or may come before or after others. What brings routes stays as
    /// it is, for any of them may be served; what covers routes is not to be counted on.
    fn doubtful(&mut self, frame: &Frame<'s>, value: Value<'s>, expr: &'s Expr) -> Value<'s> {
        let mut each = |all: &[Value<'s>]| {
            let all = all
                .iter()
                .map(|value| self.doubtful(frame, value.clone(), expr));
            Rc::new(all.collect::<Vec<_>>())
        };
        match value {
            Value::List(all) => Value::List(each(&all)),
            Value::Tuple(all) => Value::Tuple(each(&all)),
            Value::Either(all) => Value::Either(each(&all)),
            Value::Layers(parts) => Value::Layers(conditional(&parts)),
            Value::Function(function) | Value::Method(function, _) => {
                let returned = match &function.sig.output {
                    syn::ReturnType::Type(_, ty) => Some(&**ty),
                    syn::ReturnType::Default => None,
                };
                if function.sig.asyncness.is_some() && !self.takes_router(function) {
                    return value;
                }
                match returned {
                    _ if !function.sig.inputs.is_empty() => or_nothing(value),
                    Some(ty) if is_layerish(ty) => Value::unknown(),
                    _ => value,
                }
            }
            Value::Closure(_) => or_nothing(value),
            value if self.is_layer(&value) => {
                Value::Layers(conditional(&self.parts(frame, value, expr)))
            }
            Value::Struct(mut record) => {
                for (_, value) in &mut Rc::make_mut(&mut record).fields {
                    let field = std::mem::replace(value, Value::unknown());
                    *value = self.doubtful(frame, field, expr);
                }
                Value::Struct(record)
            }
            value => value,
        }
    }

    /// Whether a value may be a layer by its type.
    fn is_layer(&mut self, value: &Value<'s>) -> bool {
        let found = match value {
            Value::External(..) => return true,
            Value::Item(found) => Some(*found),
            Value::Struct(record) => record.ty.found,
            Value::Opaque(Opaque { ty: Some(ty), .. }) => self.ty(ty).found,
            _ => return false,
        };
        found.is_none_or(|found| !self.methods_of(found, "layer").is_empty())
    }

    pub(super) fn list_method(
        &mut self,
        frame: &mut Frame<'s>,
        all: &Rc<Vec<Value<'s>>>,
        name: &str,
        call: &'s syn::ExprMethodCall,
    ) -> Value<'s> {
        let at = call.method.span();
        let args: Vec<&'s Expr> = call.args.iter().collect();
        match (name, args.as_slice()) {
            ("map" | "for_each" | "filter_map" | "flat_map", [function]) => {
                let mut function = self.expr(frame, function);
                let mut mapped = Vec::new();
                for value in all.iter() {
                    mapped.push(self.apply_again(&mut function, vec![value.clone()], at, frame));
                }
                let mapped = Value::List(Rc::new(mapped));
                if name == "filter_map" {
                    return self.doubtful(frame, mapped, &call.receiver);
                }
                mapped
            }
            ("reduce", [function]) => {
                let mut function = self.expr(frame, function);
                let mut joined: Option<Value<'s>> = None;
                for value in all.iter() {
                    joined = Some(match joined {
                        None => value.clone(),
                        Some(joined) => {
                            self.apply_again(&mut function, vec![joined, value.clone()], at, frame)
                        }
                    });
                }
                joined.unwrap_or_else(Value::unknown)
            }
            ("flatten", []) => {
                let flat = all.iter().flat_map(|value| match value {
                    Value::List(inner) => (**inner).clone(),
                    value => vec![value.clone()],
                });
                let known: Vec<Value<'s>> = flat
                    .filter(|value| !matches!(value, Value::Opaque(_)))
                    .collect();
                Value::List(Rc::new(known))
            }
            ("rev", []) => Value::List(Rc::new(all.iter().rev().cloned().collect())),
            ("enumerate", []) => Value::List(Rc::new(
                all.iter()
                    .enumerate()
                    .map(|(n, value)| {
                        Value::Tuple(Rc::new(vec![
                            Value::Text(Text::known(n.to_string())),
                            value.clone(),
                        ]))
                    })
                    .collect(),
            )),
            ("fold", [init, function]) => {
                let mut joined = self.expr(frame, init);
                let mut function = self.expr(frame, function);
                for value in all.iter() {
                    joined =
                        self.apply_again(&mut function, vec![joined, value.clone()], at, frame);
                }
                joined
            }
            ("chain" | "extend" | "append" | "extend_from_slice", [other]) => {
                let other: &'s Expr = match other {
                    Expr::Reference(inner) => &inner.expr,
                    other => other,
                };
                let other = self.expr(frame, other);
                let mut joined = (**all).clone();
                match other {
                    Value::List(more) => joined.extend(more.iter().cloned()),
                    // Whatever else is in it.
                    Value::Opaque(_) | Value::External(..) => joined.push(part_of(&other)),
                    one => joined.push(one),
                }
                let value = Value::List(Rc::new(joined));
                if name != "chain" {
                    self.write_back(frame, &call.receiver, value.clone());
                }
                value
            }
            ("push" | "push_back" | "push_front", [item]) => {
                let item = self.expr(frame, item);
                let mut joined = (**all).clone();
                let at = if name == "push_front" {
                    0
                } else {
                    joined.len()
                };
                joined.insert(at, item);
                self.write_back(frame, &call.receiver, Value::List(Rc::new(joined)));
                Value::unknown()
            }
            ("insert", [at, item]) => {
                let at = self.text(frame, at).shown.parse::<usize>().ok();
                let item = self.expr(frame, item);
                let mut joined = (**all).clone();
                let known = at.filter(|at| *at <= joined.len());
                joined.insert(known.unwrap_or(joined.len()), item);
                let mut joined = Value::List(Rc::new(joined));
                if known.is_none() {
                    joined = self.doubtful(frame, joined, &call.receiver);
                }
                self.write_back(frame, &call.receiver, joined);
                Value::unknown()
            }
            ("drain", _) => {
                self.write_back(frame, &call.receiver, Value::unknown());
                Value::List(Rc::clone(all))
            }
            ("skip" | "take", [count])
                if let Value::Number(count) = self.expr(frame, count)
                    && let Ok(count) = count.parse::<usize>() =>
            {
                let count = count.min(all.len());
                let (first, rest) = all.split_at(count);
                let part = if name == "take" { first } else { rest };
                Value::List(Rc::new(part.to_vec()))
            }
            // Which pass is not known: any may.
            ("filter" | "skip" | "take" | "skip_while" | "take_while" | "step_by", [_]) => {
                self.doubtful(frame, Value::List(Rc::clone(all)), &call.receiver)
            }
            ("reverse", []) => {
                let reversed = all.iter().rev().cloned().collect();
                self.write_back(frame, &call.receiver, Value::List(Rc::new(reversed)));
                Value::unknown()
            }
            ("clear", []) => {
                self.write_back(frame, &call.receiver, Value::List(Rc::default()));
                Value::unknown()
            }
            // Which are left, or in which order, is not known.
            (
                "retain"
                | "truncate"
                | "dedup"
                | "sort"
                | "sort_by"
                | "sort_by_key"
                | "sort_by_cached_key"
                | "sort_unstable"
                | "sort_unstable_by"
                | "sort_unstable_by_key"
                | "rotate_left"
                | "rotate_right"
                | "swap"
                | "shuffle",
                _,
            ) => {
                let changed = self.doubtful(frame, Value::List(Rc::clone(all)), &call.receiver);
                self.write_back(frame, &call.receiver, changed);
                Value::unknown()
            }
            ("first" | "front", []) => all.first().cloned().unwrap_or_else(Value::unknown),
            ("last" | "back", []) => all.last().cloned().unwrap_or_else(Value::unknown),
            ("zip", [other]) => match self.expr(frame, other) {
                Value::List(theirs) => Value::List(Rc::new(
                    all.iter()
                        .zip(theirs.iter())
                        .map(|(a, b)| Value::Tuple(Rc::new(vec![a.clone(), b.clone()])))
                        .collect(),
                )),
                _ => Value::unknown(),
            },
            // Which are left is not known.
            ("remove" | "pop" | "pop_front" | "pop_back" | "swap_remove" | "split_off", _) => {
                self.write_back(frame, &call.receiver, Value::unknown());
                Value::unknown()
            }
            ("concat", []) => joined(all, ""),
            ("join", [separator]) => {
                let separator = self.text(frame, separator);
                joined(all, &separator.shown)
            }
            _ if SAME.contains(&name) => Value::List(Rc::clone(all)),
            _ => {
                let args: Vec<Value<'s>> = args.iter().map(|arg| self.expr(frame, arg)).collect();
                let tells = |value: &Value<'s>| {
                    value.matters()
                        || matches!(
                            value,
                            Value::Layers(_) | Value::Function(_) | Value::Closure(_)
                        )
                };
                let changes = !LOOKING.contains(&name) && all.iter().any(tells);
                if changes || args.iter().any(Value::matters) {
                    let site = self.site(frame, at);
                    self.give_up(
                        site,
                        format!("what `.{name}(…)` does to a list of routers is not known"),
                    );
                }
                Value::unknown()
            }
        }
    }
}

/// A function, or what does nothing in its place.
fn or_nothing(function: Value<'_>) -> Value<'_> {
    let nothing = ["std", IDENTITY[0], IDENTITY[1]].map(str::to_owned);
    Value::Either(Rc::new(vec![
        function,
        Value::External(nothing.into(), None),
    ]))
}

/// The texts of a list as one; of what is no text, that it is not known.
fn joined<'s>(all: &[Value<'s>], separator: &str) -> Value<'s> {
    let mut text = Text::known("");
    for (n, value) in all.iter().enumerate() {
        if n > 0 {
            text.push(&Text::known(separator));
        }
        match value {
            Value::Text(part) => text.push(part),
            _ => text.push(&Text::unknown("…")),
        }
    }
    Value::Text(text)
}
