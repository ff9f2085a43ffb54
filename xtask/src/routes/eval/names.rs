//! Paths as values: variables, constants, functions, associated items.

use std::rc::Rc;

use syn::Expr;

use super::{DEEPEST_CALL, Eval, Frame};
use crate::routes::index::{
    Constant, Found, Function, ModId, Target, item_name, segments, type_name,
};
use crate::routes::router::{Axum, Router, Text};
use crate::routes::value::{Record, Ty, TypeRef, Value};

impl<'s> Eval<'_, 's> {
    pub(super) fn path(&mut self, frame: &mut Frame<'s>, path: &'s syn::ExprPath) -> Value<'s> {
        if path.qself.is_none()
            && let Some(name) = path.path.get_ident()
        {
            let name = name.to_string();
            let is_last = frame.moved.as_ref() == Some(&name);
            if let Some((_, value)) = frame
                .vars
                .iter_mut()
                .rev()
                .find(|(known, _)| *known == name)
            {
                // What is copied or borrowed in Rust stays where it is.
                if is_last && matches!(value, Value::Router(_) | Value::Methods(_)) {
                    frame.moved = None;
                    return std::mem::replace(value, Value::unknown());
                }
                return value.clone();
            }
        }
        if let Some(qself) = &path.qself
            && let Some(last) = path.path.segments.last()
        {
            let ty = self.declared(frame.module, frame.self_ty.as_ref(), &qself.ty);
            return self.member_of_type(&ty, &last.ident.to_string());
        }
        let first = path
            .path
            .segments
            .first()
            .map(|first| first.ident.to_string());
        if first.as_deref() == Some("Self")
            && let Some(ty) = frame.self_ty.clone()
        {
            return match path.path.segments.get(1) {
                Some(member) => self.member_of_type(&ty, &member.ident.to_string()),
                None => ty.found.map_or_else(Value::unknown, Value::Item),
            };
        }
        if let (Some(name), Some(member)) = (&first, path.path.segments.get(1))
            && let Some(ty) = frame.parameter(name)
        {
            return self.member_of_type(&ty, &member.ident.to_string());
        }
        self.target(frame.module, &path.path)
    }

    pub(super) fn member_of_type(&mut self, ty: &Rc<TypeRef<'s>>, member: &str) -> Value<'s> {
        if let Some(found) = ty.found {
            return self.associated(found, member);
        }
        if ty.path.is_empty() {
            return Value::unknown();
        }
        let mut path = ty.path.clone();
        path.push(member.to_owned());
        Value::External(path.into(), None)
    }

    /// `Type::MEMBER`: an associated constant or function, or a variant.
    pub(super) fn associated(&mut self, found: Found<'s>, member: &str) -> Value<'s> {
        if let syn::Item::Type(alias) = found.item {
            let ty = self.type_ref(found.module, &alias.ty);
            // One that leads back to itself is no type.
            return match ty.found {
                Some(inner) if matches!(inner.item, syn::Item::Type(_)) => Value::unknown(),
                _ => self.member_of_type(&ty, member),
            };
        }
        if member == "PATH"
            && let syn::Item::Struct(item) = found.item
            && let Some(path) = typed_path(&item.attrs)
        {
            return Value::Text(path);
        }
        let name = item_name(found.item).unwrap_or_default();
        let why: Rc<str> = "cfg".into();
        if let Some(functions) = self
            .methods_of(found, member)
            .into_iter()
            .map(Value::Function)
            .reduce(|joined, next| joined.join(next, &why))
        {
            return functions;
        }
        if let Some(function) = self.trait_function(member) {
            let ty = TypeRef {
                name: name.clone(),
                path: self.full_path(found),
                found: Some(found),
            };
            return Value::Method(function, Rc::new(ty));
        }
        let constants = self.constants_of(found, member);
        let ty = Rc::new(TypeRef {
            name,
            path: self.full_path(found),
            found: Some(found),
        });
        constants
            .into_iter()
            .map(|constant| {
                let mut frame = Frame::new(constant.module, Some(Rc::clone(&ty)));
                self.guarded(std::ptr::from_ref(constant.expr).cast(), |eval| {
                    eval.expr(&mut frame, constant.expr)
                })
            })
            .reduce(|joined, next| joined.join(next, &why))
            .unwrap_or(Value::Item(found))
    }

    /// What a constant of a type may be: its own, more than one under `cfg`, or what a trait says for
    /// all types that do not.
    pub(super) fn constants_of(&mut self, found: Found<'s>, name: &str) -> Vec<Constant<'s>> {
        let Some(of) = item_name(found.item) else {
            return Vec::new();
        };
        if let syn::Item::Enum(item) = found.item
            && item.variants.iter().any(|variant| variant.ident == name)
        {
            return Vec::new();
        }
        let all = self.index.constants(&of, name).into_iter();
        let (mut own, defaults): (Vec<_>, Vec<_>) =
            all.partition(|constant| constant.self_ty.is_some());
        own.retain(|constant| {
            let ty = constant
                .self_ty
                .map(|ty| self.type_ref(constant.module, ty));
            ty.and_then(|ty| ty.found)
                .is_some_and(|other| self.is_twin(other, found))
        });
        if own.iter().all(|constant| constant.is_conditional) {
            own.extend(defaults);
        }
        own
    }

    /// Whether two items are one, or twins under `cfg`: those have one path.
    fn is_twin(&self, a: Found<'s>, b: Found<'s>) -> bool {
        std::ptr::eq(a.item, b.item) || self.full_path(a) == self.full_path(b)
    }

    /// The only function of that name with a body in a trait, or in an `impl` for every type.
    pub(super) fn trait_function(&mut self, name: &str) -> Option<Function<'s>> {
        let mut all = self
            .index
            .members(name, "trait", None)
            .into_iter()
            .filter(|function| match function.self_ty {
                None => true,
                // `impl<P: Page> Route for P`.
                Some(syn::Type::Path(path)) => path
                    .path
                    .get_ident()
                    .is_some_and(|ident| ident.to_string().len() <= 2),
                Some(_) => false,
            });
        match (all.next(), all.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }

    /// What `#[derive(Default)]` makes of a struct.
    pub(crate) fn default_of(&mut self, ty: &Rc<TypeRef<'s>>) -> Value<'s> {
        if let Some(kind) = self.router_kind(ty) {
            let axum = ty.found.map_or(Axum::V08, |found| self.axum(found.module));
            return Value::Router(Rc::new(Router::new(kind, axum)));
        }
        let Some(found) = ty.found else {
            return Value::unknown();
        };
        let syn::Item::Struct(item) = found.item else {
            return Value::unknown();
        };
        let derives = item.attrs.iter().any(|attribute| {
            attribute.path().is_ident("derive")
                && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string().contains("Default"))
        });
        if !derives {
            return Value::unknown();
        }
        let mut fields = Vec::new();
        for (member, field) in item.fields.members().zip(&item.fields) {
            let name = match member {
                syn::Member::Named(name) => name.to_string(),
                syn::Member::Unnamed(index) => index.index.to_string(),
            };
            let outer = type_name(&field.ty).unwrap_or_default();
            let value = if outer == "Vec" {
                Value::List(Rc::default())
            } else {
                let inner = Ty::declared(found.module, None, &field.ty);
                if outer == "Option" || !self.may_hold(&outer) {
                    Value::typed(Some(inner))
                } else {
                    let inner = self.ty(&inner);
                    self.nested(|eval| {
                        if eval.depth() < DEEPEST_CALL {
                            eval.default_of(&inner)
                        } else {
                            Value::unknown()
                        }
                    })
                }
            };
            fields.push((name, value));
        }
        Value::Struct(Rc::new(Record {
            ty: Rc::clone(ty),
            fields,
            is_param: false,
        }))
    }

    /// The function of a type's `impl`: more than one under `cfg`.
    pub(crate) fn methods_of(&mut self, found: Found<'s>, name: &str) -> Vec<Function<'s>> {
        let Some(of) = item_name(found.item) else {
            return Vec::new();
        };
        // An `impl` of a type is in its own package, but for traits of others.
        let krate = self.index.module(found.module).krate;
        let package = self.index.workspace.crates[krate.0 as usize].package;
        self.index
            .members(name, &of, Some(package))
            .into_iter()
            .filter(|function| {
                function.self_ty.is_some_and(|ty| {
                    type_name(ty).as_deref() == Some(of.as_str())
                        && (self.type_ref(function.module, ty).found)
                            .is_some_and(|other| self.is_twin(other, found))
                })
            })
            .collect()
    }

    /// The function of a type's `impl`, or what its traits give it instead.
    pub(crate) fn inherited(&mut self, found: Found<'s>, name: &str) -> Vec<Function<'s>> {
        let own = self.methods_of(found, name);
        match item_name(found.item) {
            Some(of) if own.is_empty() => self.index.defaults(name, &of),
            _ => own,
        }
    }

    pub(crate) fn method_of(&mut self, found: Found<'s>, name: &str) -> Option<Function<'s>> {
        self.methods_of(found, name).into_iter().next()
    }

    /// What a path means as a value.
    pub(super) fn target(&mut self, module: ModId, path: &'s syn::Path) -> Value<'s> {
        let target = self.index.resolve_path(module, path);
        self.meaning(target, path)
    }

    fn meaning(&mut self, target: Target<'s>, path: &'s syn::Path) -> Value<'s> {
        match target {
            Target::Several(all) => {
                let why: Rc<str> = "cfg".into();
                all.into_iter()
                    .map(|target| self.meaning(target, path))
                    .reduce(|joined, next| joined.join(next, &why))
                    .unwrap_or_else(Value::unknown)
            }
            Target::Items(all) => {
                let why: Rc<str> = "cfg".into();
                all.into_iter()
                    .map(|found| self.item(found))
                    .reduce(|joined, next| joined.join(next, &why))
                    .unwrap_or_else(Value::unknown)
            }
            Target::Of(all, member) => {
                let why: Rc<str> = "cfg".into();
                all.into_iter()
                    .map(|found| self.associated(found, &member))
                    .reduce(|joined, next| joined.join(next, &why))
                    .unwrap_or_else(Value::unknown)
            }
            Target::External(path) => external(&path),
            Target::Module(_) | Target::Unknown => {
                // A tuple struct's or trait's name of elsewhere still tells the layer's name.
                let names = segments(path);
                if names.len() > 1 {
                    Value::External(names.into(), None)
                } else {
                    Value::unknown()
                }
            }
        }
    }

    pub(super) fn item(&mut self, found: Found<'s>) -> Value<'s> {
        match found.item {
            syn::Item::Const(item) => self.constant(found, &item.expr),
            syn::Item::Static(item) => self.constant(found, &item.expr),
            syn::Item::Fn(item) => Value::Function(Function {
                module: found.module,
                sig: &item.sig,
                block: &item.block,
                attrs: &item.attrs,
                self_ty: None,
                is_member: false,
            }),
            _ => Value::Item(found),
        }
    }

    pub(super) fn constant(&mut self, found: Found<'s>, expr: &'s Expr) -> Value<'s> {
        // A constant that is made of itself compiles nowhere; it must not end the scan.
        let mut frame = Frame::new(found.module, None);
        self.guarded(std::ptr::from_ref(expr).cast(), |eval| {
            eval.eagerly(|eval| eval.expr(&mut frame, expr))
        })
    }
}

/// An item of another crate as a value; constants of axum that matter are known.
pub(super) fn external<'s>(path: &[String]) -> Value<'s> {
    if path.len() >= 2 && path[path.len() - 2] == "MethodFilter" {
        let verb = verb(&path[path.len() - 1].to_lowercase());
        if let Some(verb) = verb {
            return Value::Filter(vec![verb]);
        }
    }
    Value::External(path.into(), None)
}

/// `#[typed_path("/x")]` of axum-extra.
pub(crate) fn typed_path(attrs: &[syn::Attribute]) -> Option<Text> {
    let attribute = attrs
        .iter()
        .find(|attribute| attribute.path().is_ident("typed_path"))?;
    let path = attribute
        .parse_args_with(|input: syn::parse::ParseStream<'_>| {
            let path = input.parse::<syn::LitStr>()?;
            input.parse::<proc_macro2::TokenStream>()?;
            Ok(path)
        })
        .ok()?;
    Some(Text::known(path.value()))
}

/// The method that a registration function names.
pub(crate) fn verb(name: &str) -> Option<&'static str> {
    Some(match name {
        "get" => "GET",
        "post" => "POST",
        "put" => "PUT",
        "patch" => "PATCH",
        "delete" => "DELETE",
        "head" => "HEAD",
        "options" => "OPTIONS",
        "trace" => "TRACE",
        "connect" => "CONNECT",
        _ => return None,
    })
}
