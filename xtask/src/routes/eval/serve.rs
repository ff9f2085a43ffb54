//! What is served, what is lost in a call, and what comes back as a router.

use std::rc::Rc;

use crate::routes::eval::{Escape, Eval, Root, opaque};
use crate::routes::index::Function;
use crate::routes::router::{Axum, Kind, Router, Served, Text};
use crate::routes::source::Site;
use crate::routes::value::{TypeRef, Value};

impl<'s> Eval<'_, 's> {
    /// Records that a value is served.
    pub(crate) fn serve_value(&mut self, value: &Value<'s>, site: Site) {
        match value {
            Value::Router(router) => self.serve(Rc::clone(router), site),
            Value::Lost(..) => {
                if let Ok(router) = self.as_router(value.clone()) {
                    self.serve(router, site);
                }
            }
            Value::Opaque(opaque) if opaque.is_param => {
                if let Some(entry) = self.entry {
                    self.wants_callers.push((entry, site));
                }
            }
            Value::Methods(methods) => {
                let mut router = Router::new(Kind::Axum, Axum::V08);
                router.route(
                    Text {
                        shown: "/{*any}".to_owned(),
                        is_known: true,
                    },
                    Served::Methods((**methods).clone()),
                    site,
                );
                self.serve(Rc::new(router), site);
            }
            Value::Struct(record) => {
                for (_, value) in &record.fields {
                    if value.holds_router() {
                        self.serve_value(value, site);
                    }
                }
                if !value.holds_router() {
                    self.unknown_root(site);
                }
            }
            // `Steer`: any of them answers.
            Value::List(all) if !all.is_empty() => {
                for value in all.iter() {
                    self.serve_value(value, site);
                }
            }
            Value::Served => {}
            _ => self.unknown_root(site),
        }
    }

    /// Something is served that is not known: any route may be in it.
    pub(super) fn unknown_root(&mut self, site: Site) {
        self.give_up(site, "what is served here is not known");
    }

    pub(super) fn serve(&mut self, router: Rc<Router>, site: Site) {
        self.serve_held(router, site, Vec::new());
    }

    pub(super) fn serve_held(&mut self, router: Rc<Router>, site: Site, held_by: Vec<String>) {
        let Some(entry) = self.entry else { return };
        if router.is_open {
            self.wants_callers.push((entry, site));
        }
        self.admit_unknown(&router);
        self.roots.push(Root {
            site,
            router,
            entry,
            held_by,
        });
    }

    /// A router counts now: what it may be besides is not known.
    pub(super) fn admit_unknown(&mut self, router: &Router) {
        for site in &router.unknown {
            self.give_up(*site, "the router that this may give is not known");
        }
    }

    /// A router went into something that cannot be followed.
    pub(crate) fn lose(&mut self, router: Rc<Router>, site: Site) -> Value<'s> {
        self.lose_held(router, site, Vec::new())
    }

    /// The same of one that went there in an object.
    pub(super) fn lose_held(
        &mut self,
        router: Rc<Router>,
        site: Site,
        held_by: Vec<String>,
    ) -> Value<'s> {
        self.escapes.push(Escape {
            site,
            held_by,
            router: Rc::clone(&router),
            came_back: false,
        });
        Value::Lost(router, self.escapes.len() - 1)
    }

    pub(crate) fn came_back(&mut self, n: usize) {
        self.escapes[n].came_back = true;
    }

    /// The type whose objects a method serves, if it is one.
    pub(crate) fn server_type(&mut self, function: &Function<'s>) -> Option<Rc<TypeRef<'s>>> {
        let takes_self = matches!(function.sig.inputs.first(), Some(syn::FnArg::Receiver(_)));
        let ty = self.type_ref(function.module, function.self_ty?);
        (takes_self && ty.found.is_some()).then_some(ty)
    }

    /// The router of a value that is used as one.
    pub(crate) fn as_router(&mut self, value: Value<'s>) -> Result<Rc<Router>, Value<'s>> {
        match value {
            Value::Router(router) => Ok(router),
            Value::Lost(mut router, n) => {
                self.escapes[n].came_back = true;
                let site = self.escapes[n].site;
                Rc::make_mut(&mut router).add(opaque(site, "what a call it went through adds"));
                self.give_up(site, "a router goes through a call that cannot be followed");
                Ok(router)
            }
            Value::Struct(record) => match self.conversion(&record.ty) {
                Some(function) => {
                    let (value, _) = self.call(function, vec![Value::Struct(record)], None);
                    match value {
                        Value::Struct(_) => Err(value),
                        value => self.as_router(value),
                    }
                }
                None => Err(Value::Struct(record)),
            },
            other => Err(other),
        }
    }

    /// `impl From<Type> for Router`, or `impl Into<Router> for Type`.
    pub(super) fn conversion(&mut self, ty: &Rc<TypeRef<'s>>) -> Option<Function<'s>> {
        let from = self
            .index
            .members("from", &ty.name, None)
            .into_iter()
            .find(|function| {
                let Some(of) = function.self_ty else {
                    return false;
                };
                let of = self.type_ref(function.module, of);
                let Some(syn::FnArg::Typed(argument)) = function.sig.inputs.first() else {
                    return false;
                };
                self.router_kind(&of).is_some()
                    && self.declared(function.module, None, &argument.ty).path == ty.path
            });
        from.or_else(|| {
            let found = ty.found?;
            self.method_of(found, "into")
        })
    }

    /// Serves what a finished object holds, if its type has a method that does.
    pub(super) fn start(&mut self, value: &Value<'s>) {
        let Value::Struct(record) = value else { return };
        let is_whole = !record.is_param
            && record
                .fields
                .iter()
                .any(|(_, field)| field.router().is_some_and(|router| !router.is_open));
        if !is_whole {
            return;
        }
        let path = record.ty.path.join("::");
        let methods: Vec<Function<'s>> = self
            .servers
            .iter()
            .filter(|(ty, method)| {
                *ty == path && !self.calls.contains(&std::ptr::from_ref(method.block))
            })
            .map(|(_, method)| *method)
            .collect();
        for method in methods {
            let mut args = vec![value.clone()];
            args.resize(method.sig.inputs.len(), Value::unknown());
            self.run(method, args, Some(Rc::clone(&record.ty)));
        }
    }
}
