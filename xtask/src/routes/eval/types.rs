//! Types as far as they matter: which may hold a router, and what a declaration names.
//!
//! Long because a type is followed through aliases, fields, bounds and generics alike.

use std::collections::{BTreeSet, HashSet};
use std::rc::Rc;

use super::{DEEPEST_CALL, Eval, ROUTERS};
use crate::routes::index::{Found, Function, ModId, Target, ambiguous, item_name, segments};
use crate::routes::router::Kind;
use crate::routes::source::Word;
use crate::routes::value::{Ty, TypeRef};

impl<'s> Eval<'_, 's> {
    pub(crate) fn full_path(&self, found: Found<'s>) -> Vec<String> {
        let mut path = self.index.module_path(found.module);
        path.extend(item_name(found.item));
        path
    }

    pub(crate) fn function_path(&mut self, function: &Function<'s>) -> Vec<String> {
        let mut path = match function.self_ty {
            Some(ty) => self.type_ref(function.module, ty).path.clone(),
            None => self.index.module_path(function.module),
        };
        path.push(function.sig.ident.to_string());
        path
    }

    /// The type a declaration names, without what merely carries it.
    pub(crate) fn declared(
        &mut self,
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        ty: &'s syn::Type,
    ) -> Rc<TypeRef<'s>> {
        if let syn::Type::Path(path) = ty
            && path.path.is_ident("Self")
            && let Some(self_ty) = self_ty
        {
            return Rc::clone(self_ty);
        }
        if let syn::Type::Path(path) = ty
            && let Some(last) = path.path.segments.last()
            && let syn::PathArguments::AngleBracketed(args) = &last.arguments
            && matches!(
                last.ident.to_string().as_str(),
                "Arc"
                    | "Rc"
                    | "Box"
                    | "Option"
                    | "Result"
                    | "Pin"
                    | "Extension"
                    | "Mutex"
                    | "RwLock"
                    | "Cow"
            )
            && let Some(inner) = args.args.iter().find_map(|arg| match arg {
                syn::GenericArgument::Type(ty) => Some(ty),
                _ => None,
            })
        {
            return self.declared(module, self_ty, inner);
        }
        match ty {
            syn::Type::Reference(inner) => self.declared(module, self_ty, &inner.elem),
            syn::Type::Paren(inner) => self.declared(module, self_ty, &inner.elem),
            syn::Type::Group(inner) => self.declared(module, self_ty, &inner.elem),
            syn::Type::Path(path) => self.one_of(module, self_ty, &path.path, true),
            ty => self.type_ref(module, ty),
        }
    }

    /// A type that is looked up now.
    pub(crate) fn ty(&mut self, ty: &Ty<'s>) -> Rc<TypeRef<'s>> {
        match ty {
            Ty::Known(ty) => Rc::clone(ty),
            Ty::Declared(declared) => {
                self.declared(declared.module, declared.self_ty.as_ref(), declared.ty)
            }
            Ty::Either(all) => {
                let all: Vec<_> = all.iter().map(|ty| self.ty(ty)).collect();
                either_of(&all)
            }
        }
    }

    pub(crate) fn type_ref(&mut self, module: ModId, ty: &'s syn::Type) -> Rc<TypeRef<'s>> {
        match ty {
            syn::Type::Path(path) => self.path_type(module, None, &path.path),
            syn::Type::Reference(inner) => self.type_ref(module, &inner.elem),
            _ => Rc::new(TypeRef {
                name: String::new(),
                path: Vec::new(),
                found: None,
            }),
        }
    }

    pub(super) fn path_type(
        &mut self,
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        path: &'s syn::Path,
    ) -> Rc<TypeRef<'s>> {
        self.one_of(module, self_ty, path, false)
    }

    fn one_of(
        &mut self,
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        path: &'s syn::Path,
        is_peeled: bool,
    ) -> Rc<TypeRef<'s>> {
        either_of(&self.meanings(module, self_ty, path, is_peeled))
    }

    /// What a path may mean as a type: more than one thing under `cfg`. What an alias stands for is
    /// peeled of what merely carries it, or not.
    fn meanings(
        &mut self,
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        path: &'s syn::Path,
        is_peeled: bool,
    ) -> Vec<Rc<TypeRef<'s>>> {
        if path.is_ident("Self")
            && let Some(self_ty) = self_ty
        {
            return vec![Rc::clone(self_ty)];
        }
        let target = self.index.resolve_path(module, path);
        self.types_of(target, path, is_peeled)
    }

    fn types_of(
        &mut self,
        target: Target<'s>,
        path: &syn::Path,
        is_peeled: bool,
    ) -> Vec<Rc<TypeRef<'s>>> {
        let elsewhere = |path: Vec<String>| {
            Rc::new(TypeRef {
                name: path.last().cloned().unwrap_or_default(),
                path,
                found: None,
            })
        };
        match target {
            Target::Several(all) => all
                .into_iter()
                .flat_map(|target| self.types_of(target, path, is_peeled))
                .collect(),
            Target::Items(all) => all
                .into_iter()
                .map(|found| match found.item {
                    syn::Item::Type(alias) if self.calls.len() < DEEPEST_CALL => {
                        self.calls.push(std::ptr::null());
                        let inner = if is_peeled {
                            self.declared(found.module, None, &alias.ty)
                        } else {
                            self.type_ref(found.module, &alias.ty)
                        };
                        self.calls.pop();
                        inner
                    }
                    _ => Rc::new(TypeRef {
                        name: item_name(found.item).unwrap_or_default(),
                        path: self.full_path(found),
                        found: Some(found),
                    }),
                })
                .collect(),
            Target::External(path) => vec![elsewhere(path)],
            Target::Of(all, member) => all
                .into_iter()
                .map(|found| {
                    let mut path = self.full_path(found);
                    path.push(member.clone());
                    elsewhere(path)
                })
                .collect(),
            Target::Module(_) | Target::Unknown => vec![elsewhere(segments(path))],
        }
    }

    /// Which router a type is.
    pub(crate) fn router_kind(&self, ty: &TypeRef<'s>) -> Option<Kind> {
        let first = ty.path.first().map(String::as_str)?;
        match (first, ty.name.as_str()) {
            ("axum", "Router") | ("aide", "ApiRouter") => Some(Kind::Axum),
            ("utoipa_axum", "OpenApiRouter") => Some(Kind::OpenApi),
            ("tonic", "Routes" | "RoutesBuilder") => Some(Kind::Grpc),
            (krate, "GuardedRouter") if self.guard_crates.contains(krate) => Some(Kind::Guarded),
            _ => None,
        }
    }

    /// Whether a value of that type may hold a router.
    pub(super) fn is_routerish(
        &mut self,
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        ty: &'s syn::Type,
        depth: usize,
    ) -> bool {
        if depth > 8 {
            return false;
        }
        match ty {
            syn::Type::Path(path) => {
                if path.path.is_ident("Self")
                    && let Some(self_ty) = self_ty
                {
                    let self_ty = Rc::clone(self_ty);
                    return self.is_routerish_ref(&self_ty, depth);
                }
                for segment in &path.path.segments {
                    if let syn::PathArguments::AngleBracketed(args) = &segment.arguments {
                        for arg in &args.args {
                            let inner = match arg {
                                syn::GenericArgument::Type(ty) => Some(ty),
                                syn::GenericArgument::AssocType(assoc) => Some(&assoc.ty),
                                _ => None,
                            };
                            if inner
                                .is_some_and(|ty| self.is_routerish(module, self_ty, ty, depth + 1))
                            {
                                return true;
                            }
                        }
                    }
                }
                let name = path
                    .path
                    .segments
                    .last()
                    .map(|last| last.ident.to_string())
                    .unwrap_or_default();
                let renamed = self.index.renamed(module, &name);
                if !self.may_hold(&name) && !renamed.is_some_and(|name| self.may_hold(&name)) {
                    return false;
                }
                self.meanings(module, self_ty, &path.path, true)
                    .iter()
                    .any(|ty| self.is_routerish_ref(ty, depth))
            }
            syn::Type::Reference(inner) => {
                self.is_routerish(module, self_ty, &inner.elem, depth + 1)
            }
            syn::Type::Paren(inner) => self.is_routerish(module, self_ty, &inner.elem, depth + 1),
            syn::Type::Group(inner) => self.is_routerish(module, self_ty, &inner.elem, depth + 1),
            syn::Type::Tuple(tuple) => tuple
                .elems
                .iter()
                .any(|ty| self.is_routerish(module, self_ty, ty, depth + 1)),
            syn::Type::Array(array) => self.is_routerish(module, self_ty, &array.elem, depth + 1),
            syn::Type::ImplTrait(bounds) => {
                self.are_routerish(module, self_ty, &bounds.bounds, depth)
            }
            syn::Type::TraitObject(bounds) => {
                self.are_routerish(module, self_ty, &bounds.bounds, depth)
            }
            _ => false,
        }
    }

    /// Whether a type of that name can hold a router: it is one, or its definition names one, or such
    /// a type. Most types are told apart by this without being looked up.
    pub(super) fn may_hold(&mut self, name: &str) -> bool {
        let (sources, workspace) = (self.index.sources, self.index.workspace);
        let holders = self.holders.get_or_insert_with(|| {
            let mut holders: HashSet<String> =
                ROUTERS.iter().map(|name| (*name).to_owned()).collect();
            let mut words = ["Router", "Routes", "MakeService"]
                .map(str::to_owned)
                .to_vec();
            // A holder of a holder of a holder is as deep as it is looked for.
            for _ in 0..3 {
                let finders: Vec<Word> = words.iter().map(|word| Word::new(word)).collect();
                let mut direct = BTreeSet::new();
                for file in sources.with_any(&finders) {
                    if !workspace.may_route(sources.path(file)) {
                        continue;
                    }
                    direct.extend(sources.holders(file, &finders));
                    let aliases = sources.aliases(file, &words);
                    if !aliases.is_empty() {
                        let renames: Vec<Word> =
                            aliases.iter().map(|name| Word::new(name)).collect();
                        direct.extend(sources.holders(file, &renames));
                        direct.extend(aliases);
                    }
                }
                words = direct
                    .into_iter()
                    .filter(|name| holders.insert(name.clone()))
                    .collect();
            }
            holders
        });
        holders.contains(name)
    }

    pub(super) fn are_routerish(
        &mut self,
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        bounds: &'s syn::punctuated::Punctuated<syn::TypeParamBound, syn::Token![+]>,
        depth: usize,
    ) -> bool {
        bounds.iter().any(|bound| {
            let syn::TypeParamBound::Trait(bound) = bound else {
                return false;
            };
            bound
                .path
                .segments
                .iter()
                .any(|segment| match &segment.arguments {
                    syn::PathArguments::AngleBracketed(args) => {
                        args.args.iter().any(|arg| match arg {
                            syn::GenericArgument::Type(ty) => {
                                self.is_routerish(module, self_ty, ty, depth + 1)
                            }
                            syn::GenericArgument::AssocType(assoc) => {
                                self.is_routerish(module, self_ty, &assoc.ty, depth + 1)
                            }
                            _ => false,
                        })
                    }
                    syn::PathArguments::Parenthesized(args) => match &args.output {
                        syn::ReturnType::Type(_, ty) => {
                            self.is_routerish(module, self_ty, ty, depth + 1)
                        }
                        syn::ReturnType::Default => false,
                    },
                    syn::PathArguments::None => {
                        matches!(
                            segment.ident.to_string().as_str(),
                            "Service" | "MakeService"
                        )
                    }
                })
                || bound
                    .path
                    .segments
                    .last()
                    .is_some_and(|last| last.ident == "Service" || last.ident == "MakeService")
        })
    }

    pub(super) fn is_routerish_ref(&mut self, ty: &Rc<TypeRef<'s>>, depth: usize) -> bool {
        if self.router_kind(ty).is_some() {
            return true;
        }
        if matches!(
            ty.path.first().map(String::as_str),
            Some("axum" | "aide" | "utoipa_axum" | "axum_extra")
        ) {
            return matches!(
                ty.name.as_str(),
                "MethodRouter"
                    | "IntoMakeService"
                    | "IntoMakeServiceWithConnectInfo"
                    | "ApiMethodRouter"
                    | "UtoipaMethodRouter"
                    | "Resource"
                    | "RouterIntoService"
            );
        }
        let Some(found) = ty.found else { return false };
        let key = ty.path.join("::");
        if let Some(known) = self.routerish.get(&key) {
            return *known;
        }
        self.routerish.insert(key.clone(), false);
        let answer = match found.item {
            syn::Item::Struct(item) => item
                .fields
                .iter()
                .any(|field| self.is_routerish(found.module, None, &field.ty, depth + 1)),
            syn::Item::Enum(item) => item
                .variants
                .iter()
                .flat_map(|variant| &variant.fields)
                .any(|field| self.is_routerish(found.module, None, &field.ty, depth + 1)),
            _ => false,
        };
        self.routerish.insert(key, answer);
        answer
    }
}

/// The type that is meant if all are one, and otherwise one that nothing is known of.
fn either_of<'s>(all: &[Rc<TypeRef<'s>>]) -> Rc<TypeRef<'s>> {
    match all {
        [first, rest @ ..] if rest.iter().all(|other| other.path == first.path) => Rc::clone(first),
        _ => {
            let paths: Vec<Vec<String>> = all.iter().map(|ty| ty.path.clone()).collect();
            let path = ambiguous(&paths);
            Rc::new(TypeRef {
                name: path.last().cloned().unwrap_or_default(),
                path,
                found: None,
            })
        }
    }
}
