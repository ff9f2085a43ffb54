//! What other crates add to axum: utoipa-axum, axum-extra, pages of API documentation.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;
use syn::parse::Parser as _;
use syn::spanned::Spanned as _;

use super::names::{typed_path, verb};
use super::{Eval, Frame, shorten, source};
use crate::routes::index::{ModId, Target, segments};
use crate::routes::router::{Axum, Endpoint, Entry, Handler, Kind, Methods, Router, Served, Text};
use crate::routes::source::Site;
use crate::routes::value::Value;

impl<'s> Eval<'_, 's> {
    /// `routes!(a, b)`: every method on every path.
    pub(crate) fn routes_macro(
        &mut self,
        frame: &mut Frame<'s>,
        call: &'s syn::Macro,
    ) -> Value<'s> {
        let parser = syn::punctuated::Punctuated::<syn::Path, syn::Token![,]>::parse_terminated;
        let site = self.site(frame, call.path.span());
        let Ok(paths) = parser.parse2(call.tokens.clone()) else {
            self.give_up(site, "`routes!` is given something that is no path");
            return Value::unknown();
        };
        let mut all: Vec<(&'static str, Text, Handler)> = Vec::new();
        let mut places: Vec<Text> = Vec::new();
        for path in &paths {
            let name = segments(path).join("::");
            let found = match self.index.resolve_path(frame.module, path) {
                Target::Items(all) => all.into_iter().find_map(|found| match found.item {
                    syn::Item::Fn(item) => Some((found.module, item)),
                    _ => None,
                }),
                _ => None,
            };
            let operation = found.and_then(|(module, item)| self.operation(module, &item.attrs));
            let Some((verbs, place)) = operation else {
                self.give_up(site, format!("the operation of `{name}` is not known"));
                continue;
            };
            let extractors = found.map(|(module, item)| self.extractors(module, &item.sig));
            let handler = Handler {
                name,
                extractors: extractors.unwrap_or_default(),
                ..Handler::default()
            };
            all.extend(
                verbs
                    .into_iter()
                    .map(|verb| (verb, place.clone(), handler.clone())),
            );
            if !places.contains(&place) {
                places.push(place);
            }
        }
        let mut routes = Vec::new();
        for place in places {
            let mut methods = Methods::default();
            for (verb, own, handler) in &all {
                let handler = Handler {
                    is_phantom: *own != place,
                    ..handler.clone()
                };
                if let Err(why) = methods.chain(verb, Endpoint::new(handler), site) {
                    methods.panics.push((site, why));
                }
            }
            routes.push((place, methods));
        }
        Value::Routes(Rc::new(routes))
    }

    pub(super) fn routes_method(
        &mut self,
        frame: &mut Frame<'s>,
        mut routes: Rc<Vec<(Text, Methods)>>,
        name: &str,
        at: Span,
        args: &[&'s Expr],
    ) -> Value<'s> {
        match (name, args) {
            ("layer", [layer]) => {
                let layer = self.layer_use(frame, at, layer);
                for (_, methods) in Rc::make_mut(&mut routes) {
                    methods.layer(&layer);
                }
            }
            ("map", [function]) => {
                let function = self.expr(frame, function);
                for (_, methods) in Rc::make_mut(&mut routes) {
                    let value = self.apply_value(
                        function.clone(),
                        vec![Value::Methods(Rc::new(methods.clone()))],
                        at,
                        frame,
                    );
                    if let Value::Methods(changed) = value {
                        *methods = (*changed).clone();
                    }
                }
            }
            _ => {}
        }
        Value::Routes(routes)
    }

    /// What `#[utoipa::path(get, path = "/x")]` says.
    pub(super) fn operation(
        &mut self,
        module: ModId,
        attrs: &'s [syn::Attribute],
    ) -> Option<(Vec<&'static str>, Text)> {
        let attribute = attrs.iter().find(|attribute| {
            attribute
                .path()
                .segments
                .last()
                .is_some_and(|last| last.ident == "path")
                && matches!(attribute.meta, syn::Meta::List(_))
        })?;
        let syn::Meta::List(list) = &attribute.meta else {
            return None;
        };
        let mut verbs = Vec::new();
        let mut place = None;
        for piece in super::macros::split(list.tokens.clone()) {
            let mut tokens = piece.clone().into_iter();
            let Some(proc_macro2::TokenTree::Ident(key)) = tokens.next() else {
                continue;
            };
            match (key.to_string().as_str(), tokens.next()) {
                (name, None) => verbs.extend(verb(name)),
                ("method" | "operation", Some(proc_macro2::TokenTree::Group(group))) => {
                    for inner in group.stream() {
                        if let proc_macro2::TokenTree::Ident(name) = inner {
                            verbs.extend(verb(&name.to_string()));
                        }
                    }
                }
                ("path", Some(proc_macro2::TokenTree::Punct(_))) => {
                    let rest: proc_macro2::TokenStream = tokens.collect();
                    let expr = (|input: syn::parse::ParseStream<'_>| input.parse::<Expr>())
                        .parse2(rest)
                        .ok()?;
                    let expr: &'s Expr = super::macros::keep(expr);
                    let mut frame = Frame::new(module, None);
                    place = Some(self.text(&mut frame, expr));
                }
                _ => {}
            }
        }
        Some((verbs, place?))
    }

    /// `typed_get(h)`: the path of the handler's first argument that has one.
    pub(super) fn typed_path(&mut self, frame: &mut Frame<'s>, handler: &'s Expr) -> Text {
        let value = self.expr(frame, handler);
        if let Value::Function(function) = value {
            for input in &function.sig.inputs {
                let syn::FnArg::Typed(typed) = input else {
                    continue;
                };
                let ty = self.type_ref(function.module, &typed.ty);
                let Some(found) = ty.found else { continue };
                if let syn::Item::Struct(item) = found.item
                    && let Some(path) = typed_path(&item.attrs)
                {
                    return path;
                }
            }
        }
        Text::unknown(&format!("path of {}", shorten(&source(handler))))
    }

    /// `Resource::named("users")` of axum-extra.
    pub(super) fn resource(&mut self, frame: &mut Frame<'s>, call: &'s syn::ExprCall) -> Value<'s> {
        let name = call.args.first().map(|name| self.text(frame, name));
        let mut router = Router::new(Kind::Axum, self.axum(frame.module));
        match name {
            Some(name) if name.is_known => router.resource = Some(name.shown.into()),
            _ => {
                let site = self.site(frame, call.span());
                self.give_up(site, "the name of the resource is not known");
            }
        }
        Value::Router(Rc::new(router))
    }

    /// `.index(h)`, `.show(h)` and the others of a `Resource`; whether it was one.
    pub(super) fn resource_method(
        &mut self,
        frame: &mut Frame<'s>,
        router: &mut Rc<Router>,
        name: &str,
        site: Site,
        handler: &'s Expr,
    ) -> bool {
        let Some(resource) = router.resource.clone() else {
            return false;
        };
        let one = match router.axum {
            Axum::V07 => format!("/{resource}/:{resource}_id"),
            Axum::V08 => format!("/{resource}/{{{resource}_id}}"),
        };
        let all = format!("/{resource}");
        let (verbs, path): (&[&'static str], String) = match name {
            "index" => (&["GET"], all),
            "create" => (&["POST"], all),
            "new" => (&["GET"], format!("{all}/new")),
            "show" => (&["GET"], one),
            "edit" => (&["GET"], format!("{one}/edit")),
            "update" => (&["PUT", "PATCH"], one),
            "destroy" => (&["DELETE"], one),
            _ => return false,
        };
        self.visited.insert(site);
        let endpoint = self.endpoint(frame, handler);
        let methods = Methods::all(verbs, &endpoint);
        Rc::make_mut(router).route(Text::known(path), Served::Methods(methods), site);
        true
    }

    /// Pages of API documentation, whose crates give routers away.
    pub(super) fn documentation(
        &mut self,
        frame: &mut Frame<'s>,
        full: &[String],
        call: &'s syn::ExprCall,
        at: Span,
    ) -> Option<Value<'s>> {
        let krate = full.first()?.as_str();
        let known = matches!(
            krate,
            "utoipa_swagger_ui" | "utoipa_redoc" | "utoipa_rapidoc" | "utoipa_scalar"
        );
        if !known {
            return None;
        }
        match full.iter().rev().nth(1)?.as_str() {
            "SwaggerUi" | "Redoc" | "RapiDoc" | "Scalar" => {}
            // A document's name and path.
            "Url" => return Some(Value::Text(self.text(frame, call.args.get(1)?))),
            _ => return None,
        }
        let path = self.text(frame, call.args.first()?);
        let site = self.site(frame, at);
        let axum = self.axum(frame.module);
        let mut router = Rc::new(Router::new(Kind::Axum, axum));
        documentation_route(&mut router, path.clone(), site, "documentation");
        if krate == "utoipa_swagger_ui" {
            let rest = Text {
                shown: format!("{}/{{*rest}}", path.shown.trim_end_matches('/')),
                ..path
            };
            documentation_route(&mut router, rest, site, "documentation");
        }
        Some(Value::Router(router))
    }

    /// `.urls(…)` of a page: a document behind each path.
    pub(super) fn documents(
        &mut self,
        frame: &mut Frame<'s>,
        router: &mut Rc<Router>,
        list: &'s Expr,
        site: Site,
    ) {
        let what = shorten(&source(list));
        let Value::List(all) = self.expr(frame, list) else {
            self.add_opaque(router, site, &what);
            return;
        };
        for document in all.iter() {
            match document {
                Value::Tuple(parts) if let Some(Value::Text(path)) = parts.first() => {
                    documentation_route(router, path.clone(), site, "openapi");
                }
                _ => self.add_opaque(router, site, &what),
            }
        }
    }
}

/// Adds the route of a page.
pub(super) fn documentation_route(router: &mut Rc<Router>, path: Text, site: Site, name: &str) {
    let handler = Handler {
        name: name.to_owned(),
        ..Handler::default()
    };
    let endpoint = Endpoint::new(handler);
    let methods = Methods::one("GET", endpoint);
    let entry = Entry::new(path, site, Served::Methods(methods));
    Rc::make_mut(router).add(entry);
}
