//! Expressions: what each is worth, and what it does to the variables around it.
//!
//! Long because each kind of expression has its arm.

use std::rc::Rc;

use syn::Expr;
use syn::spanned::Spanned as _;

use super::{Eval, Frame, part_of, source};
use crate::routes::eval::places::lends_mutably;
use crate::routes::eval::ways::{meet, unborrowed};
use crate::routes::router::Text;
use crate::routes::value::{Lambda, Record, Value};

impl<'s> Eval<'_, 's> {
    pub(crate) fn text(&mut self, frame: &mut Frame<'s>, expr: &'s Expr) -> Text {
        let value = self.eagerly(|eval| eval.expr(frame, expr));
        match value {
            Value::Text(text) => text,
            Value::Number(number) => Text::known(&*number),
            _ => Text::unknown(&source(expr)),
        }
    }

    pub(crate) fn expr(&mut self, frame: &mut Frame<'s>, expr: &'s Expr) -> Value<'s> {
        self.fuel = self.fuel.saturating_sub(1);
        if self.fuel == 0 {
            let site = self.site(frame, expr.span());
            self.give_up(site, "too much code to evaluate");
            return Value::unknown();
        }
        match expr {
            Expr::Paren(inner) => self.expr(frame, &inner.expr),
            Expr::Group(inner) => self.expr(frame, &inner.expr),
            Expr::Reference(inner) => {
                let value = self.expr(frame, &inner.expr);
                // What a function lends, its caller says what becomes of.
                if inner.mutability.is_some()
                    && value.holds_router()
                    && !frame.sig.is_some_and(|sig| lends_mutably(&sig.output))
                {
                    let site = self.site(frame, inner.expr.span());
                    self.give_up(site, "a router is changed through a reference that is kept");
                }
                value
            }
            Expr::Await(inner) => self.expr(frame, &inner.base),
            Expr::Try(inner) => {
                let value = self.expr(frame, &inner.expr);
                if value.holds_router() && self.fails_with_router(frame) {
                    frame.returns.push(value.clone());
                }
                if frame.is_closure {
                    frame.ends.push(frame.vars.clone());
                }
                value
            }
            Expr::Unary(inner) => {
                let value = self.expr(frame, &inner.expr);
                if matches!(inner.op, syn::UnOp::Deref(_)) {
                    value
                } else {
                    Value::unknown()
                }
            }
            Expr::Cast(inner) => self.expr(frame, &inner.expr),
            Expr::Lit(lit) => match &lit.lit {
                syn::Lit::Str(text) => Value::Text(Text::known(text.value())),
                syn::Lit::Int(number) => Value::Number(number.base10_digits().into()),
                syn::Lit::Char(char) => Value::Text(Text::known(char.value())),
                _ => Value::unknown(),
            },
            Expr::Path(path) => self.path(frame, path),
            Expr::Call(call) => self.call_expr(frame, call),
            Expr::MethodCall(call) => self.method_call(frame, call),
            Expr::Macro(call) => self.macro_call(frame, &call.mac),
            Expr::Block(block) if block.label.is_some() => {
                let label = block.label.as_ref();
                self.broken(frame, label, false, |eval, frame| {
                    eval.block(frame, &block.block)
                })
            }
            Expr::Block(block) => self.block(frame, &block.block),
            Expr::Unsafe(block) => self.block(frame, &block.block),
            Expr::Const(block) => self.block(frame, &block.block),
            Expr::Async(block) => {
                let returns = std::mem::take(&mut frame.returns);
                let diverged = frame.diverged;
                let outer = std::mem::replace(&mut frame.diverged, false);
                let mut value = self.block(frame, &block.block);
                let ended = frame.diverged;
                // A `return` in it is a way of the block's own value.
                let why: Rc<str> = "an early return".into();
                let early = std::mem::replace(&mut frame.returns, returns);
                if let Some(early) = early
                    .into_iter()
                    .reduce(|joined, next| joined.join(next, &why))
                {
                    value = if ended {
                        early
                    } else {
                        value.join(early, &why)
                    };
                }
                frame.diverged = outer || diverged;
                value
            }
            Expr::Closure(closure) => Value::Closure(Rc::new(Lambda {
                expr: closure,
                module: frame.module,
                vars: frame.vars.clone(),
                self_ty: frame.self_ty.clone(),
                frame: frame.id,
                touches: touches(frame, closure),
            })),
            Expr::Tuple(tuple) => Value::Tuple(Rc::new(
                tuple
                    .elems
                    .iter()
                    .map(|part| self.expr(frame, part))
                    .collect(),
            )),
            Expr::Array(array) => self.list(frame, array.elems.iter()),
            Expr::Struct(literal) => self.struct_literal(frame, literal),
            Expr::Field(field) => {
                let base = self.expr(frame, &field.base);
                let name = match &field.member {
                    syn::Member::Named(name) => name.to_string(),
                    syn::Member::Unnamed(index) => index.index.to_string(),
                };
                self.member(&base, &name)
            }
            Expr::If(branch) => self.if_expr(frame, branch),
            Expr::Match(branch) => self.match_expr(frame, branch),
            Expr::Assign(assign) => {
                if let Expr::Path(place) = &*assign.left
                    && let Some(name) = place.path.get_ident()
                    && reads_once(&assign.right, name)
                {
                    frame.moved = Some(name.to_string());
                }
                let value = self.expr(frame, &assign.right);
                frame.moved = None;
                self.assign(frame, &assign.left, value);
                Value::unknown()
            }
            Expr::Let(binding) => {
                let value = self.expr(frame, unborrowed(&binding.expr));
                let slot = frame.vars.len();
                let lends = frame.lends(&binding.expr);
                self.bind(frame, &binding.pat, value);
                if lends {
                    frame.keep(slot);
                }
                Value::unknown()
            }
            Expr::Return(ret) => {
                let value = ret
                    .expr
                    .as_ref()
                    .map_or_else(Value::unknown, |expr| self.expr(frame, expr));
                frame.returns.push(value);
                if frame.is_closure {
                    frame.ends.push(frame.vars.clone());
                }
                frame.diverged = true;
                Value::unknown()
            }
            Expr::ForLoop(looped) => self.for_loop(frame, looped),
            Expr::While(looped) => {
                let why: Rc<str> = "a loop".into();
                self.fork(
                    frame,
                    &why,
                    vec![
                        Box::new(|_, _| Value::unknown()),
                        Box::new(|eval, frame| {
                            eval.broken(frame, looped.label.as_ref(), true, |eval, frame| {
                                eval.expr(frame, &looped.cond);
                                eval.block(frame, &looped.body)
                            })
                        }),
                    ],
                )
            }
            Expr::Loop(looped) => self.broken(frame, looped.label.as_ref(), true, |eval, frame| {
                eval.block(frame, &looped.body)
            }),
            Expr::Break(inner) => {
                let label = inner.label.as_ref().map(|label| &label.ident);
                if let Some(expr) = &inner.expr {
                    let value = self.expr(frame, expr);
                    frame.breaks.push((label, value));
                }
                frame.jumps.push((label, frame.vars.clone()));
                frame.diverged = true;
                Value::unknown()
            }
            Expr::Continue(inner) => {
                let label = inner.label.as_ref().map(|label| &label.ident);
                frame.jumps.push((label, frame.vars.clone()));
                frame.diverged = true;
                Value::unknown()
            }
            Expr::Binary(binary) => {
                let left = self.expr(frame, &binary.left);
                if matches!(binary.op, syn::BinOp::And(_) | syn::BinOp::Or(_)) {
                    // The right side may not be reached.
                    let before = frame.vars.clone();
                    self.expr(frame, &binary.right);
                    let after = std::mem::replace(&mut frame.vars, before);
                    meet(frame, after, &"a condition".into());
                    return Value::unknown();
                }
                let right = self.expr(frame, &binary.right);
                if let (syn::BinOp::AddAssign(_), Value::Text(text)) = (&binary.op, &left) {
                    let mut text = text.clone();
                    match right {
                        Value::Text(more) => text.push(&more),
                        _ => text.push(&Text::unknown(&source(&binary.right))),
                    }
                    self.assign(frame, &binary.left, Value::Text(text));
                    return Value::unknown();
                }
                match (&binary.op, left, right) {
                    (syn::BinOp::Add(_), Value::Text(mut left), Value::Text(right)) => {
                        left.push(&right);
                        Value::Text(left)
                    }
                    (syn::BinOp::BitOr(_), Value::Filter(mut left), Value::Filter(right)) => {
                        left.extend(right);
                        Value::Filter(left)
                    }
                    _ => Value::unknown(),
                }
            }
            Expr::Index(index) => match self.expr(frame, &index.expr) {
                Value::List(all) => {
                    let why: Rc<str> = "an index".into();
                    let mut all = all.iter().cloned();
                    let first = all.next().unwrap_or_else(Value::unknown);
                    all.fold(first, |joined, next| joined.join(next, &why))
                }
                value => part_of(&value),
            },
            _ => Value::unknown(),
        }
    }

    /// Whether what `?` ends a function with may be a router.
    fn fails_with_router(&mut self, frame: &Frame<'s>) -> bool {
        let Some(syn::ReturnType::Type(_, output)) = frame.sig.map(|sig| &sig.output) else {
            return false;
        };
        let syn::Type::Path(output) = &**output else {
            return false;
        };
        let Some(syn::PathArguments::AngleBracketed(args)) =
            output.path.segments.last().map(|last| &last.arguments)
        else {
            return false;
        };
        match args.args.iter().nth(1) {
            Some(syn::GenericArgument::Type(error)) => {
                self.is_routerish(frame.module, frame.self_ty.as_ref(), error, 0)
            }
            _ => false,
        }
    }

    pub(super) fn struct_literal(
        &mut self,
        frame: &mut Frame<'s>,
        literal: &'s syn::ExprStruct,
    ) -> Value<'s> {
        let ty = self.path_type(frame.module, frame.self_ty.as_ref(), &literal.path);
        let (mut fields, is_param) = match &literal.rest {
            Some(rest) => match self.expr(frame, rest) {
                Value::Struct(record) => (record.fields.clone(), record.is_param),
                value => (Vec::new(), value.is_param()),
            },
            None => (Vec::new(), false),
        };
        for pair in &literal.fields {
            let name = match &pair.member {
                syn::Member::Named(name) => name.to_string(),
                syn::Member::Unnamed(index) => index.index.to_string(),
            };
            let value = self.expr(frame, &pair.expr);
            fields.retain(|(known, _)| *known != name);
            fields.push((name, value));
        }
        Value::Struct(Rc::new(Record {
            ty,
            fields,
            is_param,
        }))
    }
}

/// Whether a closure names a variable that holds a router.
fn touches(frame: &Frame<'_>, closure: &syn::ExprClosure) -> bool {
    struct Names<'a>(Vec<&'a str>, bool);
    impl<'ast> syn::visit::Visit<'ast> for Names<'_> {
        fn visit_ident(&mut self, ident: &'ast syn::Ident) {
            self.1 |= self.0.iter().any(|name| ident == name);
        }
        fn visit_macro(&mut self, call: &'ast syn::Macro) {
            let text = call.tokens.to_string();
            self.1 |= self.0.iter().any(|name| text.contains(name));
        }
    }
    let holding = frame.vars.iter().filter(|(_, value)| value.matters());
    let mut names = Names(holding.map(|(name, _)| name.as_str()).collect(), false);
    if !names.0.is_empty() {
        syn::visit::Visit::visit_expr(&mut names, &closure.body);
    }
    names.1
}

/// Whether an expression is a chain of calls on a variable that it names nowhere else.
pub(super) fn reads_once(expr: &Expr, name: &syn::Ident) -> bool {
    let mut root = expr;
    while let Expr::MethodCall(call) = root {
        let method = call.method.to_string();
        if matches!(method.as_str(), "clone" | "to_owned" | "borrow" | "by_ref")
            || method.starts_with("as_")
        {
            return false;
        }
        root = &call.receiver;
    }
    let is_root = matches!(root, Expr::Path(path) if path.path.is_ident(name));
    let name = name.to_string();
    let is_word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    is_root && {
        let text = source(expr);
        let count = text
            .match_indices(&name)
            .filter(|(at, _)| {
                let bytes = text.as_bytes();
                !is_word(at.checked_sub(1).and_then(|before| bytes.get(before)))
                    && !is_word(bytes.get(at + name.len()))
            })
            .count();
        count == 1
    }
}
