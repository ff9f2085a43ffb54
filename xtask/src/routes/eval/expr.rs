//! Expressions: what each is worth, and what it does to the variables around it.
//!
//! Long because each kind of expression has its arm, and branches, loops and assignments share how
//! ways are joined.

use std::rc::Rc;

use syn::spanned::Spanned as _;
use syn::{Expr, Stmt};

use super::{Eval, Frame, part_of, shorten, source};
use crate::routes::eval::method::SAME;
use crate::routes::index::is_test;
use crate::routes::router::Text;
use crate::routes::value::{Lambda, Opaque, Record, TypeRef, Value};

/// One way the program may take, such as an arm of a `match`, put off until its turn.
pub(super) type Way<'w, 'i, 's> =
    Box<dyn FnOnce(&mut Eval<'i, 's>, &mut Frame<'s>) -> Value<'s> + 'w>;

impl<'i, 's> Eval<'i, 's> {
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
                    && value.router().is_some()
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

    pub(super) fn assign(&mut self, frame: &mut Frame<'s>, place: &'s Expr, value: Value<'s>) {
        match place {
            Expr::Path(path) => {
                let Some(slot) = path.path.get_ident().and_then(|name| frame.slot(name)) else {
                    return;
                };
                if frame.kept.contains(&slot) && value.matters() {
                    self.changed_elsewhere(frame, place);
                }
                frame.vars[slot].1 = value.clone();
                let alias = frame.aliases.iter().find(|(other, _)| *other == slot);
                if let Some((_, place)) = alias.copied() {
                    // The place is one that was there before the alias.
                    let later = frame.vars.split_off(slot);
                    self.assign(frame, place, value);
                    frame.vars.extend(later);
                }
            }
            Expr::Tuple(places) => {
                for (n, place) in places.elems.iter().enumerate() {
                    let part = match &value {
                        Value::Tuple(parts) => parts.get(n).cloned().unwrap_or_else(Value::unknown),
                        value => part_of(value),
                    };
                    self.assign(frame, place, part);
                }
            }
            Expr::MethodCall(_) | Expr::Try(_) | Expr::Await(_) => {
                self.write_back(frame, place, value);
            }
            Expr::Index(_) if value.matters() => {
                let site = self.site(frame, place.span());
                self.give_up(site, "a router is put into a list by its index");
            }
            Expr::Paren(inner) => self.assign(frame, &inner.expr, value),
            Expr::Unary(inner) => {
                // `*x`: `x` refers to a place that is known, or the change is lost.
                if let Expr::Path(path) = &*inner.expr
                    && value.matters()
                    && let Some(slot) = path.path.get_ident().and_then(|name| frame.slot(name))
                    && slot >= frame.arguments
                    && !frame.kept.contains(&slot)
                    && !frame.aliases.iter().any(|(alias, _)| *alias == slot)
                {
                    self.changed_elsewhere(frame, place);
                }
                self.assign(frame, &inner.expr, value);
            }
            Expr::Reference(inner) => self.assign(frame, &inner.expr, value),
            Expr::Field(field) => {
                let base = self.expr(frame, &field.base);
                let name = match &field.member {
                    syn::Member::Named(name) => name.to_string(),
                    syn::Member::Unnamed(index) => index.index.to_string(),
                };
                let changed = match base {
                    Value::Struct(mut record) => {
                        let inner = Rc::make_mut(&mut record);
                        match inner.fields.iter_mut().find(|(known, _)| *known == name) {
                            Some((_, slot)) => *slot = value,
                            None => inner.fields.push((name, value)),
                        }
                        Value::Struct(record)
                    }
                    Value::Tuple(mut parts) => {
                        if let Some(slot) = name
                            .parse::<usize>()
                            .ok()
                            .and_then(|n| Rc::make_mut(&mut parts).get_mut(n))
                        {
                            *slot = value;
                        }
                        Value::Tuple(parts)
                    }
                    // Of what came in only this field is known.
                    Value::Opaque(Opaque { ty: Some(ty), .. }) if value.matters() => {
                        let ty = self.ty(&ty);
                        Value::Struct(Rc::new(Record {
                            ty,
                            fields: vec![(name, value)],
                            is_param: true,
                        }))
                    }
                    other => other,
                };
                self.assign(frame, &field.base, changed);
            }
            _ if value.matters() => {
                let site = self.site(frame, place.span());
                self.give_up(site, "a router is put where it cannot be followed");
            }
            _ => {}
        }
    }

    /// Writes back what a `&mut` argument became: to the place itself, or to where a chain of calls
    /// on it begins.
    /// The field that a method lends, if that is all it does: `fn field_mut(&mut self) -> &mut Field`.
    fn lent_field(&mut self, ty: &TypeRef<'s>, method: &str) -> Option<String> {
        let function = self.methods_of(ty.found?, method).into_iter().next()?;
        let [Stmt::Expr(Expr::Reference(lent), None)] = function.block.stmts.as_slice() else {
            return None;
        };
        match &*lent.expr {
            Expr::Field(field) if matches!(&*field.base, Expr::Path(base) if base.path.is_ident("self")) => {
                match &field.member {
                    syn::Member::Named(name) => Some(name.to_string()),
                    syn::Member::Unnamed(index) => Some(index.index.to_string()),
                }
            }
            _ => None,
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

    fn changed_elsewhere(&mut self, frame: &Frame<'s>, place: &'s Expr) {
        let site = self.site(frame, place.span());
        self.give_up(site, "a router is changed through a reference that is kept");
    }

    pub(crate) fn write_back(&mut self, frame: &mut Frame<'s>, place: &'s Expr, value: Value<'s>) {
        match place {
            Expr::Path(_)
            | Expr::Field(_)
            | Expr::Reference(_)
            | Expr::Paren(_)
            | Expr::Unary(_)
            | Expr::Index(_) => {
                self.assign(frame, place, value);
            }
            Expr::MethodCall(call) if call.method != "clone" && call.method != "to_owned" => {
                let name = call.method.to_string();
                if SAME.contains(&name.as_str()) || name.ends_with("or_default") {
                    self.write_back(frame, &call.receiver, value);
                    return;
                }
                if !matches!(&*call.receiver, Expr::Path(_) | Expr::Field(_)) {
                    // A step of a builder that hands on `&mut Self`.
                    if matches!(value, Value::Struct(_)) {
                        self.write_back(frame, &call.receiver, value);
                    }
                    return;
                }
                let mut lends = name.ends_with("_mut");
                if let Value::Struct(mut record) = self.expr(frame, &call.receiver) {
                    if matches!(&value, Value::Struct(changed) if changed.ty.path == record.ty.path)
                    {
                        self.write_back(frame, &call.receiver, value);
                        return;
                    }
                    if let Some(lent) = self.lent_field(&record.ty, &name) {
                        let fields = &mut Rc::make_mut(&mut record).fields;
                        fields.retain(|(known, _)| *known != lent);
                        fields.push((lent, value));
                        self.write_back(frame, &call.receiver, Value::Struct(record));
                        return;
                    }
                    lends |= record.ty.found.is_some_and(|found| {
                        let all = self.methods_of(found, &name).into_iter();
                        all.map(|function| &function.sig.output).any(lends_mutably)
                    });
                }
                if lends && value.matters() {
                    self.changed_elsewhere(frame, place);
                }
            }
            Expr::Try(inner) => self.write_back(frame, &inner.expr, value),
            Expr::Await(inner) => self.write_back(frame, &inner.base, value),
            _ => {}
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

fn lends_mutably(output: &syn::ReturnType) -> bool {
    matches!(output, syn::ReturnType::Type(_, ty)
        if matches!(&**ty, syn::Type::Reference(lent) if lent.mutability.is_some()))
}

/// What a reference refers to.
fn unborrowed(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(inner) => &inner.expr,
        expr => expr,
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
