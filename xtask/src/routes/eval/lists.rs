//! Method calls on texts and lists.

use std::rc::Rc;

use syn::Expr;

use crate::routes::eval::method::SAME;
use crate::routes::eval::{Eval, Frame};
use crate::routes::router::Text;
use crate::routes::value::Value;

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
                Value::List(Rc::new(mapped))
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
                if let Value::List(more) = other {
                    joined.extend(more.iter().cloned());
                }
                let value = Value::List(Rc::new(joined));
                if name != "chain" {
                    self.write_back(frame, &call.receiver, value.clone());
                }
                value
            }
            ("push" | "push_back", [item]) | ("insert", [_, item]) => {
                let item = self.expr(frame, item);
                let mut joined = (**all).clone();
                joined.push(item);
                self.write_back(frame, &call.receiver, Value::List(Rc::new(joined)));
                Value::unknown()
            }
            ("drain", _) => {
                self.write_back(frame, &call.receiver, Value::unknown());
                Value::List(Rc::clone(all))
            }
            // Which pass is not known: any may.
            ("filter" | "skip" | "take" | "skip_while" | "take_while" | "step_by" | "fuse", _) => {
                Value::List(Rc::clone(all))
            }
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
            (
                "remove" | "retain" | "truncate" | "pop" | "swap_remove" | "clear" | "dedup"
                | "split_off",
                _,
            ) => {
                self.write_back(frame, &call.receiver, Value::unknown());
                Value::unknown()
            }
            ("sort" | "reverse" | "sort_by" | "sort_by_key" | "sort_unstable" | "swap", _) => {
                Value::unknown()
            }
            ("concat", []) => joined(all, ""),
            ("join", [separator]) => {
                let separator = self.text(frame, separator);
                joined(all, &separator.shown)
            }
            _ if SAME.contains(&name) => Value::List(Rc::clone(all)),
            _ => {
                for arg in &args {
                    self.expr(frame, arg);
                }
                Value::unknown()
            }
        }
    }
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
