//! Assignments: what a place holds afterwards, or that it is not known which place it is.

use std::rc::Rc;

use syn::spanned::Spanned as _;
use syn::{Expr, Stmt};

use crate::routes::eval::method::SAME;
use crate::routes::eval::{Eval, Frame, part_of};
use crate::routes::value::{Opaque, Record, TypeRef, Value};

impl<'s> Eval<'_, 's> {
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

    fn changed_elsewhere(&mut self, frame: &Frame<'s>, place: &'s Expr) {
        let site = self.site(frame, place.span());
        self.give_up(site, "a router is changed through a reference that is kept");
    }
}

pub(super) fn lends_mutably(output: &syn::ReturnType) -> bool {
    matches!(output, syn::ReturnType::Type(_, ty)
        if matches!(&**ty, syn::Type::Reference(lent) if lent.mutability.is_some()))
}
