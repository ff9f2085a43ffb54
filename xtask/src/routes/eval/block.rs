//! Statements and patterns: which names stand for which values.
//!
//! Long because binding has to know each kind of pattern.

use std::rc::Rc;

use syn::spanned::Spanned as _;
use syn::{Expr, Pat, Stmt};

use super::expr::reads_once;
use super::ways::meet;
use super::{Eval, Frame, opaque, part_of, shorten, source};
use crate::routes::index::{condition, is_test, last_is};
use crate::routes::router::Router;
use crate::routes::value::{Opaque, Record, Ty, Value};

impl<'s> Eval<'_, 's> {
    pub(crate) fn block(&mut self, frame: &mut Frame<'s>, block: &'s syn::Block) -> Value<'s> {
        let outer = frame.module;
        frame.module = self.index.block(outer, block);
        let depth = frame.vars.len();
        let mut value = Value::unknown();
        // Blocks under `cfg` at the end are each the block's value.
        let mut twins: Vec<Value<'s>> = Vec::new();
        for stmt in &block.stmts {
            if frame.diverged {
                break;
            }
            value = self.one_stmt(frame, stmt);
            if let Stmt::Expr(expr, None) = stmt
                && condition(expr_attributes(expr)).is_some()
            {
                twins.push(value.clone());
            } else {
                twins.clear();
            }
        }
        if twins.len() > 1 {
            let why: Rc<str> = "cfg".into();
            value = twins
                .into_iter()
                .reduce(|joined, next| joined.join(next, &why))
                .unwrap_or_else(Value::unknown);
        }
        frame.vars.truncate(depth);
        frame.module = outer;
        value
    }

    pub(crate) fn one_stmt(&mut self, frame: &mut Frame<'s>, stmt: &'s Stmt) -> Value<'s> {
        let attrs: &[syn::Attribute] = match stmt {
            Stmt::Local(local) => &local.attrs,
            Stmt::Expr(expr, _) => expr_attributes(expr),
            Stmt::Macro(call) => &call.attrs,
            Stmt::Item(_) => return Value::unknown(),
        };
        if is_test(attrs) {
            return Value::unknown();
        }
        match condition(attrs) {
            None => self.bare_stmt(frame, stmt),
            Some(why) => {
                let before = frame.vars.clone();
                let value = self.bare_stmt(frame, stmt);
                let after = std::mem::replace(&mut frame.vars, before);
                // What ends here goes on where the condition does not hold.
                if !std::mem::replace(&mut frame.diverged, false) {
                    meet(frame, after, &why.into());
                }
                value
            }
        }
    }

    pub(super) fn bare_stmt(&mut self, frame: &mut Frame<'s>, stmt: &'s Stmt) -> Value<'s> {
        match stmt {
            Stmt::Local(local) => {
                let annotated = match &local.pat {
                    Pat::Type(typed) => {
                        Some(self.declared(frame.module, frame.self_ty.as_ref(), &typed.ty))
                    }
                    _ => None,
                };
                let mut value = match &local.init {
                    Some(init) => {
                        let bound = match (&local.pat, &*init.expr) {
                            (_, Expr::Reference(place)) => &place.expr,
                            _ => &init.expr,
                        };
                        if let Pat::Ident(name) = &local.pat
                            && reads_once(bound, &name.ident)
                        {
                            frame.moved = Some(name.ident.to_string());
                        }
                        let value = self.expr(frame, bound);
                        frame.moved = None;
                        if let Some((_, other)) = &init.diverge {
                            let vars = frame.vars.clone();
                            self.expr(frame, other);
                            frame.diverged = false;
                            frame.vars = vars;
                        }
                        value
                    }
                    None => Value::unknown(),
                };
                if let (Some(ty), Value::Opaque(_) | Value::External(..)) = (&annotated, &value) {
                    value = match (self.router_kind(ty), &local.init) {
                        (Some(kind), Some(init)) if !value.is_param() => {
                            let mut router = Router::new(kind, self.axum(frame.module));
                            if !is_default(&init.expr) {
                                let site = self.site(frame, init.expr.span());
                                let what = shorten(&source(&init.expr));
                                self.give_up(
                                    site,
                                    format!("the router `{what}` cannot be evaluated"),
                                );
                                router.add(opaque(site, &what));
                            }
                            Value::Router(Rc::new(router))
                        }
                        _ => match value {
                            Value::Opaque(opaque) if opaque.ty.is_none() => Value::Opaque(Opaque {
                                ty: annotated.clone().map(Ty::Known),
                                ..opaque
                            }),
                            value => value,
                        },
                    };
                }
                let slot = frame.vars.len();
                let init = local.init.as_ref();
                let lends = init.is_some_and(|init| frame.lends(&init.expr));
                self.bind(frame, &local.pat, value);
                match (&local.pat, &local.init) {
                    (Pat::Ident(_), Some(init))
                        if let Expr::Reference(place) = &*init.expr
                            && place.mutability.is_some() =>
                    {
                        frame.aliases.push((slot, &place.expr));
                    }
                    _ if lends => frame.keep(slot),
                    _ => {}
                }
                Value::unknown()
            }
            Stmt::Expr(expr, semi) => {
                let value = self.expr(frame, expr);
                if semi.is_some() {
                    Value::unknown()
                } else {
                    value
                }
            }
            Stmt::Macro(call) => {
                let value = self.macro_call(frame, &call.mac);
                if call.semi_token.is_some() {
                    Value::unknown()
                } else {
                    value
                }
            }
            Stmt::Item(_) => Value::unknown(),
        }
    }

    /// Binds what a pattern names.
    pub(crate) fn bind(&mut self, frame: &mut Frame<'s>, pat: &'s Pat, value: Value<'s>) {
        match pat {
            Pat::Ident(ident) => {
                if let Some((_, inner)) = &ident.subpat {
                    self.bind(frame, inner, value.clone());
                }
                frame.declare(ident.ident.to_string(), value);
                if ident.by_ref.is_some() && ident.mutability.is_some() {
                    frame.keep(frame.vars.len() - 1);
                }
            }
            Pat::Type(typed) => self.bind(frame, &typed.pat, value),
            Pat::Reference(inner) => self.bind(frame, &inner.pat, value),
            Pat::Paren(inner) => self.bind(frame, &inner.pat, value),
            Pat::Tuple(tuple) => {
                let parts = match &value {
                    Value::Tuple(parts) if parts.len() == tuple.elems.len() => {
                        Some(Rc::clone(parts))
                    }
                    _ => None,
                };
                for (n, pat) in tuple.elems.iter().enumerate() {
                    let piece = match &parts {
                        Some(parts) => parts[n].clone(),
                        None => part_of(&value),
                    };
                    self.bind(frame, pat, piece);
                }
            }
            // `Some(x)`, `Ok(x)`, `State(x)` are looked through.
            Pat::TupleStruct(tuple) => {
                for (n, pat) in tuple.elems.iter().enumerate() {
                    let piece = piece(&value, tuple, n);
                    self.bind(frame, pat, piece);
                }
            }
            Pat::Struct(fields) => {
                for pat in &fields.fields {
                    let name = match &pat.member {
                        syn::Member::Named(name) => name.to_string(),
                        syn::Member::Unnamed(index) => index.index.to_string(),
                    };
                    let piece = self.member(&value, &name);
                    self.bind(frame, &pat.pat, piece);
                }
            }
            Pat::Or(or) => {
                // Every case names the same variables.
                let depth = frame.vars.len();
                let why: Rc<str> = "one of several".into();
                let mut joined: Vec<(String, Value<'s>)> = Vec::new();
                for case in &or.cases {
                    self.bind(frame, case, value.clone());
                    for (name, value) in frame.vars.split_off(depth) {
                        match joined.iter_mut().find(|(known, _)| *known == name) {
                            Some((_, known)) => {
                                let mine = std::mem::replace(known, Value::unknown());
                                *known = mine.join(value, &why);
                            }
                            None => joined.push((name, value)),
                        }
                    }
                }
                for (name, value) in joined {
                    frame.declare(name, value);
                }
            }
            Pat::Slice(slice) => {
                let count = slice.elems.len();
                let rest = slice.elems.iter().position(is_rest).unwrap_or(count);
                for (n, pat) in slice.elems.iter().enumerate() {
                    let piece = match &value {
                        Value::List(all) if n == rest => {
                            let end = (all.len() + n + 1).saturating_sub(count);
                            Value::List(Rc::new(all.get(n..end).unwrap_or_default().to_vec()))
                        }
                        // What comes after `..` is counted from the end.
                        Value::List(all) => {
                            let at = if n < rest {
                                Some(n)
                            } else {
                                (all.len() + n).checked_sub(count)
                            };
                            at.and_then(|at| all.get(at))
                                .cloned()
                                .unwrap_or_else(Value::unknown)
                        }
                        value => part_of(value),
                    };
                    self.bind(frame, pat, piece);
                }
            }
            _ => {}
        }
    }

    /// A field of a value.
    pub(crate) fn member(&mut self, value: &Value<'s>, name: &str) -> Value<'s> {
        match value {
            Value::Struct(record) if record.fields.iter().any(|(known, _)| known == name) => {
                field(record, name)
            }
            Value::Struct(record) => {
                let opaque = Opaque {
                    ty: Some(Ty::Known(Rc::clone(&record.ty))),
                    is_param: record.is_param,
                    from: None,
                };
                self.member(&Value::Opaque(opaque), name)
            }
            Value::Tuple(parts) => name
                .parse::<usize>()
                .ok()
                .and_then(|n| parts.get(n).cloned())
                .unwrap_or_else(Value::unknown),
            Value::Opaque(opaque) => {
                let ty = opaque.ty.as_ref().and_then(|ty| {
                    let found = self.ty(ty).found?;
                    let syn::Item::Struct(item) = found.item else {
                        return None;
                    };
                    let member =
                        item.fields
                            .members()
                            .zip(&item.fields)
                            .find(|(member, _)| match member {
                                syn::Member::Named(ident) => ident == name,
                                syn::Member::Unnamed(index) => index.index.to_string() == name,
                            });
                    Some(Ty::declared(found.module, None, &member?.1.ty))
                });
                Value::Opaque(Opaque {
                    ty,
                    ..opaque.clone()
                })
            }
            value => part_of(value),
        }
    }
}

/// What the `n`th pattern in `Some(x)`, `Variant(x, y)` stands for.
fn piece<'s>(value: &Value<'s>, pattern: &syn::PatTupleStruct, n: usize) -> Value<'s> {
    let count = pattern.elems.len();
    let last = pattern.path.segments.last();
    match value {
        Value::Either(all) => {
            let why: Rc<str> = "one of several".into();
            let pieces = all.iter().map(|value| piece(value, pattern, n));
            let joined = pieces.reduce(|joined, next| joined.join(next, &why));
            joined.unwrap_or_else(Value::unknown)
        }
        // Another variant than the value's.
        Value::Item(found) if matches!(found.item, syn::Item::Enum(_)) => Value::unknown(),
        Value::Struct(record)
            if (record.ty.path.last())
                .is_some_and(|own| last.is_some_and(|last| last.ident != own.as_str()))
                && !matches!(count, 1 if is_wrapper(&pattern.path)) =>
        {
            Value::unknown()
        }
        Value::Struct(record) if !is_wrapper(&pattern.path) => field(record, &n.to_string()),
        Value::Opaque(_) if !is_wrapper(&pattern.path) => part_of(value),
        value if count == 1 => value.clone(),
        Value::Tuple(parts) if parts.len() == count => parts[n].clone(),
        value => part_of(value),
    }
}

pub(super) fn field<'s>(record: &Record<'s>, name: &str) -> Value<'s> {
    record
        .fields
        .iter()
        .find(|(known, _)| known == name)
        .map_or_else(Value::unknown, |(_, value)| value.clone())
}

/// Patterns that are looked through.
pub(super) fn is_wrapper(path: &syn::Path) -> bool {
    path.segments
        .last()
        .is_some_and(|last| last.ident == "Some" || last.ident == "Ok" || last.ident == "Err")
}

/// `..` and `rest @ ..`.
fn is_rest(pat: &Pat) -> bool {
    match pat {
        Pat::Rest(_) => true,
        Pat::Ident(ident) => {
            matches!(&ident.subpat, Some((_, inner)) if matches!(**inner, Pat::Rest(_)))
        }
        _ => false,
    }
}

/// `Default::default()` and its like.
pub(super) fn is_default(expr: &Expr) -> bool {
    match expr {
        Expr::Call(call) => {
            matches!(&*call.func, Expr::Path(path) if last_is(&path.path, "default"))
        }
        Expr::MethodCall(call) => call.method == "unwrap_or_default",
        _ => false,
    }
}

pub(super) fn expr_attributes(expr: &Expr) -> &[syn::Attribute] {
    match expr {
        Expr::Array(expr) => &expr.attrs,
        Expr::Assign(expr) => &expr.attrs,
        Expr::Async(expr) => &expr.attrs,
        Expr::Await(expr) => &expr.attrs,
        Expr::Binary(expr) => &expr.attrs,
        Expr::Block(expr) => &expr.attrs,
        Expr::Break(expr) => &expr.attrs,
        Expr::Call(expr) => &expr.attrs,
        Expr::Cast(expr) => &expr.attrs,
        Expr::Closure(expr) => &expr.attrs,
        Expr::Const(expr) => &expr.attrs,
        Expr::Continue(expr) => &expr.attrs,
        Expr::Field(expr) => &expr.attrs,
        Expr::ForLoop(expr) => &expr.attrs,
        Expr::Group(expr) => &expr.attrs,
        Expr::If(expr) => &expr.attrs,
        Expr::Index(expr) => &expr.attrs,
        Expr::Let(expr) => &expr.attrs,
        Expr::Lit(expr) => &expr.attrs,
        Expr::Loop(expr) => &expr.attrs,
        Expr::Macro(expr) => &expr.attrs,
        Expr::Match(expr) => &expr.attrs,
        Expr::MethodCall(expr) => &expr.attrs,
        Expr::Paren(expr) => &expr.attrs,
        Expr::Path(expr) => &expr.attrs,
        Expr::Reference(expr) => &expr.attrs,
        Expr::Return(expr) => &expr.attrs,
        Expr::Struct(expr) => &expr.attrs,
        Expr::Try(expr) => &expr.attrs,
        Expr::Tuple(expr) => &expr.attrs,
        Expr::Unary(expr) => &expr.attrs,
        Expr::Unsafe(expr) => &expr.attrs,
        Expr::While(expr) => &expr.attrs,
        _ => &[],
    }
}
