//! Evaluates functions as far as routers are concerned: which value each expression has.

mod block;
mod call;
mod closures;
mod expr;
mod external;
mod frame;
mod generics;
mod grpc;
mod handlers;
mod layers;
mod libraries;
mod lists;
pub(super) mod macros;
mod method;
mod names;
mod places;
mod routers;
mod rules;
mod serve;
mod types;
mod ways;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::rc::Rc;

use syn::Expr;
use syn::spanned::Spanned as _;

pub(crate) use frame::Frame;

use crate::routes::index::{Function, Index, ModId, type_name};
use crate::routes::router::{Axum, Entry, Kind, Methods, Router, Served, Text};
use crate::routes::source::Site;
use crate::routes::value::{Opaque, Ty, TypeRef, Value};

/// How deep calls are followed.
const DEEPEST_CALL: usize = 40;

/// How many expressions one entry may take.
const FUEL: u32 = 2_000_000;

/// Types that are a router, or make or serve one.
const ROUTERS: &[&str] = &[
    "Router",
    "OpenApiRouter",
    "ApiRouter",
    "GuardedRouter",
    "Routes",
    "RoutesBuilder",
    "MethodRouter",
    "ApiMethodRouter",
    "UtoipaMethodRouter",
    "IntoMakeService",
    "IntoMakeServiceWithConnectInfo",
    "RouterIntoService",
    "Resource",
    "Self",
];

/// A router that is served, and where.
pub(crate) struct Root<'s> {
    pub(crate) site: Site,
    pub(crate) router: Rc<Router>,
    /// The function whose reading led here.
    pub(crate) entry: Function<'s>,
    /// It is taken for served because objects of these types went where they cannot be followed.
    pub(crate) held_by: Vec<String>,
}

/// Something that cannot be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Unresolved {
    pub(crate) site: Site,
    pub(crate) what: String,
}

/// A router that went into a call the scan cannot follow.
struct Escape {
    site: Site,
    router: Rc<Router>,
    /// Types of the tree in whose objects it went there.
    held_by: Vec<String>,
    came_back: bool,
}

pub(crate) struct Eval<'i, 's> {
    pub(crate) index: &'i Index<'s>,
    /// Names of the crates that may touch the raw router, as code writes them.
    pub(crate) guard_crates: BTreeSet<String>,
    pub(crate) roots: Vec<Root<'s>>,
    /// Entries that serve what they were given: their callers know more.
    pub(crate) wants_callers: Vec<(Function<'s>, Site)>,
    /// Methods that serve what their object holds, by the object's type: whoever makes such an object
    /// has it served, be it by a call that is not seen, such as one through a trait.
    pub(crate) servers: Vec<(String, Function<'s>)>,
    pub(crate) unresolved: BTreeSet<Unresolved>,
    /// Registrations that were evaluated.
    pub(crate) visited: HashSet<Site>,
    escapes: Vec<Escape>,
    entry: Option<Function<'s>>,
    calls: Vec<*const syn::Block>,
    /// What a function gave that was given nothing known, and what became of its arguments.
    memo: HashMap<(*const syn::Block, String), (Value<'s>, Vec<Value<'s>>)>,
    routerish: HashMap<String, bool>,
    /// Names of types that may hold a router.
    holders: Option<HashSet<String>>,
    /// The policy asks for arguments of handlers.
    pub(crate) reads_arguments: bool,
    /// The call that is about to be followed.
    called_at: Option<Site>,
    /// The types it names: `function::<A, B>(…)`.
    turbofish: Vec<Rc<TypeRef<'s>>>,
    /// Calls are followed whatever they return: a text or a layer is wanted.
    eager: u32,
    fuel: u32,
    expansions: usize,
    /// Tokens that macros wrote so far.
    expanded: usize,
}

impl<'i, 's> Eval<'i, 's> {
    pub(crate) fn new(index: &'i Index<'s>, guard_crates: BTreeSet<String>) -> Self {
        Self {
            index,
            guard_crates,
            roots: Vec::new(),
            wants_callers: Vec::new(),
            servers: Vec::new(),
            unresolved: BTreeSet::new(),
            visited: HashSet::new(),
            escapes: Vec::new(),
            entry: None,
            calls: Vec::new(),
            memo: HashMap::new(),
            routerish: HashMap::new(),
            holders: None,
            reads_arguments: false,
            called_at: None,
            turbofish: Vec::new(),
            eager: 0,
            fuel: 0,
            expansions: 0,
            expanded: 0,
        }
    }

    /// Reads a function with nothing known of its arguments; answers what it returns.
    pub(crate) fn enter(&mut self, function: Function<'s>) -> Value<'s> {
        self.entry = Some(function);
        self.fuel = FUEL;
        self.calls.clear();
        self.escapes.clear();
        let module = function.module;
        let self_ty = function.self_ty.map(|ty| self.type_ref(module, ty));
        let args = function
            .sig
            .inputs
            .iter()
            .map(|input| {
                let ty = match input {
                    syn::FnArg::Receiver(_) => self_ty.clone().map(Ty::Known),
                    syn::FnArg::Typed(typed) => {
                        Some(Ty::declared(module, self_ty.as_ref(), &typed.ty))
                    }
                };
                Value::Opaque(Opaque {
                    ty,
                    is_param: true,
                    from: None,
                })
            })
            .collect();
        let mut value = self.run(function, args, self_ty).0;
        // What is returned as a router came back from the call it went into.
        let own = function.self_ty.map(|ty| self.type_ref(module, ty));
        let returns_router = match &function.sig.output {
            syn::ReturnType::Type(_, ty) => self.is_routerish(module, own.as_ref(), ty, 0),
            syn::ReturnType::Default => false,
        };
        if returns_router && matches!(value, Value::Lost(..)) {
            value = self
                .as_router(value)
                .map_or_else(|value| value, Value::Router);
        }
        // A platform serves what its `main` returns.
        if function.is_main()
            && let Some(router) = value.router()
        {
            let frame = Frame::new(module, None);
            let site = self.site(&frame, function.sig.ident.span());
            self.serve(Rc::clone(router), site);
        }
        for escape in std::mem::take(&mut self.escapes) {
            // gRPC services alone are tonic's to serve.
            let is_tonics = escape.router.kind == Kind::Grpc && escape.router.is_of_services();
            if !escape.came_back && !escape.router.is_empty() && !is_tonics {
                self.serve_held(escape.router, escape.site, escape.held_by);
            }
        }
        value
    }

    pub(crate) fn site(&self, frame: &Frame<'s>, span: proc_macro2::Span) -> Site {
        Site::at(self.index.module(frame.module).file, span.start())
    }

    pub(crate) fn give_up(&mut self, site: Site, what: impl Into<String>) {
        self.unresolved.insert(Unresolved {
            site,
            what: what.into(),
        });
    }

    /// The number of this macro expansion.
    pub(crate) fn expansion(&mut self) -> usize {
        self.expansions += 1;
        self.expansions
    }

    pub(crate) fn depth(&self) -> usize {
        self.calls.len()
    }

    /// Reads something that may lead to itself: nothing, the second time.
    pub(crate) fn guarded(
        &mut self,
        key: *const syn::Block,
        read: impl FnOnce(&mut Self) -> Value<'s>,
    ) -> Value<'s> {
        if self.calls.contains(&key) || self.calls.len() > DEEPEST_CALL {
            return Value::unknown();
        }
        self.calls.push(key);
        let value = read(self);
        self.calls.pop();
        value
    }

    /// One level deeper, so that what expands into itself ends.
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        self.calls.push(std::ptr::null());
        let value = read(self);
        self.calls.pop();
        value
    }

    /// Runs a function's body; answers its value and what its `self` or first `&mut` became.
    pub(crate) fn run(
        &mut self,
        function: Function<'s>,
        args: Vec<Value<'s>>,
        self_ty: Option<Rc<TypeRef<'s>>>,
    ) -> (Value<'s>, Vec<Value<'s>>) {
        let key = std::ptr::from_ref(function.block);
        let called_at = self.called_at.take();
        let turbofish = std::mem::take(&mut self.turbofish);
        if self.calls.contains(&key) || self.calls.len() > DEEPEST_CALL {
            if args.iter().any(Value::holds_router) {
                let frame = Frame::new(function.module, None);
                let site = called_at.unwrap_or(self.site(&frame, function.sig.ident.span()));
                self.give_up(site, "a router goes through a function that calls itself");
            }
            return (Value::unknown(), args);
        }
        self.calls.push(key);
        let mut frame = Frame::new(function.module, self_ty);
        frame.called_at = called_at;
        frame.parameters = self.parameters(function.sig, turbofish, &args);
        frame.sig = Some(function.sig);
        let mut holes = Vec::new();
        for (input, arg) in function.sig.inputs.iter().zip(&args) {
            match input {
                syn::FnArg::Receiver(_) => frame.declare("self".to_owned(), arg.clone()),
                syn::FnArg::Typed(typed) => self.bind(&mut frame, &typed.pat, arg.clone()),
            }
            holes.push(frame.vars.len().saturating_sub(1));
        }
        frame.arguments = frame.vars.len();
        let mut value = self.block(&mut frame, function.block);
        if !frame.returns.is_empty() {
            let why: Rc<str> = "an early return".into();
            let ended = frame.diverged;
            let mut all = std::mem::take(&mut frame.returns).into_iter();
            let first = all.next().unwrap_or_else(Value::unknown);
            let early = all.fold(first, |joined, next| joined.join(next, &why));
            value = if ended {
                early
            } else {
                value.join(early, &why)
            };
        }
        self.calls.pop();
        let left = holes
            .into_iter()
            .map(|hole| {
                frame
                    .vars
                    .get(hole)
                    .map_or_else(Value::unknown, |(_, value)| value.clone())
            })
            .collect();
        (value, left)
    }

    /// Follows a call of a function of the tree, if it can matter.
    pub(crate) fn call(
        &mut self,
        function: Function<'s>,
        mut args: Vec<Value<'s>>,
        self_ty: Option<Rc<TypeRef<'s>>>,
    ) -> (Value<'s>, Vec<Value<'s>>) {
        let module = function.module;
        let self_ty = self_ty.or_else(|| function.self_ty.map(|ty| self.type_ref(module, ty)));
        let returned = match &function.sig.output {
            syn::ReturnType::Default => None,
            syn::ReturnType::Type(_, ty) => Some(&**ty),
        };
        let matters = self.eager > 0
            || args.iter().any(Value::matters)
            || returned.is_some_and(|ty| {
                is_layerish(ty)
                    || is_text(ty) && function.block.stmts.len() <= 3
                    || self.is_routerish(module, self_ty.as_ref(), ty, 0)
            })
            || self.takes_router(function);
        let ty = returned.map(|ty| Ty::declared(module, self_ty.as_ref(), ty));
        if !matters
            && let Some(service) =
                returned.and_then(|ty| self.returned_service(module, self_ty.as_ref(), ty))
        {
            return (service, args);
        }
        if !matters || self.in_guard_crate(module) {
            for (input, arg) in function.sig.inputs.iter().zip(&mut args) {
                let is_state = matches!(arg, Value::Text(_) | Value::List(_) | Value::Struct(_));
                if is_state && is_mutable(input) {
                    *arg = Value::unknown();
                }
            }
            return (Value::typed(ty), args);
        }
        // Arguments of known type say more than nothing.
        for (input, arg) in function.sig.inputs.iter().zip(&mut args) {
            if let Value::Opaque(opaque) = arg
                && opaque.ty.is_none()
            {
                opaque.ty = match input {
                    syn::FnArg::Receiver(_) => self_ty.clone().map(Ty::Known),
                    syn::FnArg::Typed(typed) => {
                        Some(Ty::declared(module, self_ty.as_ref(), &typed.ty))
                    }
                };
            }
        }
        // What a generic function does depends on the types it is given.
        let plain = !is_generic(function.sig)
            && args
                .iter()
                .all(|arg| matches!(arg, Value::Opaque(opaque) if !opaque.is_param));
        let key = (
            std::ptr::from_ref(function.block),
            self_ty
                .as_ref()
                .map_or_else(String::new, |ty| ty.path.join("::")),
        );
        if plain && let Some(known) = self.memo.get(&key) {
            return known.clone();
        }
        let is_recursive = self.calls.contains(&key.0);
        let (mut value, left) = self.run(function, args, self_ty);
        if let Value::Opaque(opaque) = &mut value
            && opaque.ty.is_none()
        {
            opaque.ty = ty;
        }
        // What was lost belongs to the entry it was lost in.
        if plain && !is_recursive && !value.holds_lost() && !left.iter().any(Value::holds_lost) {
            self.memo.insert(key, (value.clone(), left.clone()));
        }
        // A method that returns its own type is a step of a builder: the object is not finished.
        let own = function
            .self_ty
            .map(|ty| self.type_ref(module, ty).path.clone());
        if !matches!(&value, Value::Struct(record) if own.as_ref() == Some(&record.ty.path)) {
            self.start(&value);
        }
        (value, left)
    }

    /// Whether it is given something that may hold a router: to serve it, or to add to it.
    pub(super) fn takes_router(&mut self, function: Function<'s>) -> bool {
        function.sig.inputs.iter().any(|input| match input {
            syn::FnArg::Typed(typed) => self.is_routerish(function.module, None, &typed.ty, 0),
            syn::FnArg::Receiver(_) => false,
        })
    }

    pub(crate) fn in_guard_crate(&self, module: ModId) -> bool {
        let krate = self.index.module(module).krate;
        self.guard_crates
            .contains(&self.index.workspace.crates[krate.0 as usize].name)
    }

    /// Runs `read` so that every call is followed.
    pub(crate) fn eagerly<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        self.eager += 1;
        let value = read(self);
        self.eager -= 1;
        value
    }

    /// The rules for a guarded router, which checks its paths itself: they may be a guess.
    pub(crate) fn axum_of_guard(&self, module: ModId) -> Axum {
        let krate = self.index.module(module).krate;
        let version = self.index.workspace.axum_of(krate);
        version.and_then(Axum::of).unwrap_or(Axum::V08)
    }

    /// The rules for the axum that a module's package is built with.
    pub(crate) fn axum(&mut self, module: ModId) -> Axum {
        let module = self.index.module(module);
        let package = self.index.workspace.package_of(module.krate);
        let version = self.index.workspace.axum_of(module.krate);
        if let Some(known) = version.and_then(Axum::of) {
            return known;
        }
        let site = Site {
            file: module.file,
            line: 1,
            column: 1,
        };
        let name = &package.name;
        let what = match version {
            Some(version) => format!("`{name}` uses axum {version}, whose rules are not known"),
            None => format!("which axum `{name}` uses is not known: `Cargo.lock` does not say"),
        };
        self.give_up(site, what);
        // The nearest rules that are known.
        match version {
            Some(old) if old.starts_with("0.6") || old.starts_with("0.5") => Axum::V07,
            _ => Axum::V08,
        }
    }
}

/// The entry that stands for what cannot be read.
pub(crate) fn opaque(site: Site, what: &str) -> Entry {
    let served = Served::Methods(Methods::default());
    Entry {
        opaque: Some(what.into()),
        ..Entry::new(Text::unknown(what), site, served)
    }
}

/// What is taken out of something unknown is unknown, but no less given.
pub(crate) fn part_of<'s>(value: &Value<'s>) -> Value<'s> {
    Value::Opaque(Opaque {
        ty: None,
        is_param: value.is_param(),
        from: value.from(),
    })
}

/// An expression as it is written, on one line.
pub(crate) fn source(expr: &Expr) -> String {
    let text = expr.span().source_text().unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

pub(crate) fn shorten(text: &str) -> String {
    if text.chars().count() <= 60 {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(59).collect();
    short.push('…');
    short
}

/// `CorsLayer`, `impl Layer<…>`, `ServiceBuilder<…>`.
pub(super) fn is_layerish(ty: &syn::Type) -> bool {
    let is_layer = |path: &syn::Path| {
        path.segments.last().is_some_and(|last| {
            let name = last.ident.to_string();
            name.ends_with("Layer") || name == "ServiceBuilder" || name == "Stack"
        })
    };
    match ty {
        syn::Type::Path(path) => is_layer(&path.path),
        syn::Type::ImplTrait(bounds) => bounds.bounds.iter().any(
            |bound| matches!(bound, syn::TypeParamBound::Trait(bound) if is_layer(&bound.path)),
        ),
        _ => false,
    }
}

pub(super) fn is_text(ty: &syn::Type) -> bool {
    type_name(ty).is_some_and(|name| name == "str" || name == "String")
}

fn is_generic(sig: &syn::Signature) -> bool {
    let is_impl = |input: &syn::FnArg| match input {
        syn::FnArg::Typed(typed) => match &*typed.ty {
            syn::Type::Reference(inner) => {
                matches!(
                    &*inner.elem,
                    syn::Type::ImplTrait(_) | syn::Type::TraitObject(_)
                )
            }
            ty => matches!(ty, syn::Type::ImplTrait(_)),
        },
        syn::FnArg::Receiver(_) => false,
    };
    sig.generics.type_params().next().is_some() || sig.inputs.iter().any(is_impl)
}

/// `&mut self` or an argument of a type `&mut …`.
pub(super) fn is_mutable(input: &syn::FnArg) -> bool {
    match input {
        syn::FnArg::Typed(typed) => {
            matches!(&*typed.ty, syn::Type::Reference(reference) if reference.mutability.is_some())
        }
        syn::FnArg::Receiver(receiver) => {
            matches!(receiver.kind, syn::ReceiverKind::Reference(_, _, Some(_)))
        }
    }
}
