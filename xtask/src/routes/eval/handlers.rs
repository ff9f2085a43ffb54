//! Handlers and method routers: `get(h)`, `.post(h)`, `on`, `any`, and what is chained to them.

use std::rc::Rc;

use proc_macro2::Span;
use syn::Expr;
use syn::spanned::Spanned as _;

use super::call::unparen;
use super::method::SAME;
use super::names::verb;
use super::{Eval, Frame, shorten, source};
use crate::routes::index::{ModId, condition, segments};
use crate::routes::router::{Endpoint, Handler, Methods};
use crate::routes::source::Site;
use crate::routes::value::Value;

impl<'s> Eval<'_, 's> {
    /// `get(h)`, `any(h)`, `on(filter, h)`, with `_service` and `_with`.
    pub(super) fn routing_function(
        &mut self,
        frame: &mut Frame<'s>,
        name: &str,
        call: &'s syn::ExprCall,
    ) -> Option<Value<'s>> {
        let mut methods = Methods::default();
        let args: Vec<&'s Expr> = call.args.iter().collect();
        let site = self.site(frame, call.span());
        match self.add_verb(frame, &mut methods, name, &args, site) {
            Ok(true) => Some(Value::Methods(Rc::new(methods))),
            Ok(false) => None,
            Err(why) => Some(panicking(site, why)),
        }
    }

    /// Adds what `.get(h)` and its like add; whether it was one of them.
    pub(super) fn add_verb(
        &mut self,
        frame: &mut Frame<'s>,
        methods: &mut Methods,
        name: &str,
        args: &[&'s Expr],
        site: Site,
    ) -> Result<bool, String> {
        let plain = name
            .strip_suffix("_service")
            .or_else(|| name.strip_suffix("_with"))
            .unwrap_or(name);
        if let Some(verb) = verb(plain) {
            let [handler, ..] = args else {
                return Ok(false);
            };
            let endpoint = self.endpoint(frame, handler);
            methods.chain(verb, endpoint, site)?;
            return Ok(true);
        }
        match (plain, args) {
            ("any", [handler, ..]) => {
                let endpoint = self.endpoint(frame, handler);
                methods.set_other(endpoint, site);
                Ok(true)
            }
            ("on", [filter, handler, ..]) => {
                let endpoint = self.endpoint(frame, handler);
                if let Value::Filter(verbs) = self.expr(frame, filter) {
                    for verb in verbs {
                        methods.chain(verb, endpoint.clone(), site)?;
                    }
                } else {
                    let text = shorten(&source(filter));
                    self.give_up(
                        site,
                        format!("the methods of `on({text}, …)` are not known"),
                    );
                    methods.set_other(endpoint, site);
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// What answers, with the layers the handler itself carries.
    pub(crate) fn endpoint(&mut self, frame: &mut Frame<'s>, expr: &'s Expr) -> Endpoint {
        let value = self.expr(frame, expr);
        self.endpoint_of(value, expr)
    }

    pub(super) fn endpoint_of(&mut self, value: Value<'s>, expr: &'s Expr) -> Endpoint {
        match value {
            Value::Handler(endpoint) => (*endpoint).clone(),
            // As one service: what covers all of it.
            Value::Methods(methods) => Endpoint {
                stack: methods.common(),
                ..methods
                    .other
                    .clone()
                    .or_else(|| methods.verbs.first().map(|(_, endpoint)| endpoint.clone()))
                    .unwrap_or_else(|| Endpoint::new(Handler::default()))
            },
            Value::Router(_) | Value::Lost(..) => {
                let mut endpoint = self.handler(&Value::unknown(), expr);
                if let Ok(router) = self.as_router(value) {
                    self.admit_unknown(&router);
                    endpoint.stack = router.common();
                }
                endpoint
            }
            value => self.handler(&value, expr),
        }
    }

    pub(super) fn handler(&mut self, value: &Value<'s>, expr: &'s Expr) -> Endpoint {
        let name = match unparen(expr) {
            Expr::Path(path) => segments(&path.path).join("::"),
            Expr::Closure(_) | Expr::Block(_) | Expr::Async(_) => "closure".to_owned(),
            other => shorten(&source(other)),
        };
        let mut handler = Handler {
            name,
            ..Handler::default()
        };
        match value {
            Value::Function(function) => {
                // An argument's name says less than the function it was given.
                if !handler.name.contains("::") {
                    handler.name = function.sig.ident.to_string();
                }
                handler.extractors = self.extractors(function.module, function.sig);
            }
            Value::Closure(_) if !matches!(unparen(expr), Expr::Path(_)) => {
                "closure".clone_into(&mut handler.name);
            }
            _ => {}
        }
        Endpoint::new(handler)
    }

    /// The types of a handler's arguments, of those that are always there.
    pub(super) fn extractors(&mut self, module: ModId, sig: &'s syn::Signature) -> Vec<String> {
        if !self.reads_arguments {
            return Vec::new();
        }
        sig.inputs
            .iter()
            .filter_map(|input| match input {
                syn::FnArg::Typed(typed) if condition(&typed.attrs).is_none() => {
                    Some(self.type_ref(module, &typed.ty).path.join("::"))
                }
                _ => None,
            })
            .collect()
    }

    pub(super) fn methods_method(
        &mut self,
        frame: &mut Frame<'s>,
        mut methods: Rc<Methods>,
        name: &str,
        at: Span,
        args: &[&'s Expr],
    ) -> Value<'s> {
        let site = self.site(frame, at);
        match (name, args) {
            ("layer" | "route_layer", [layer]) => {
                let layer = self.layer_use(frame, at, layer);
                let inner = Rc::make_mut(&mut methods);
                if name == "layer" {
                    inner.layer(&layer);
                } else if let Err(why) = inner.route_layer(&layer) {
                    return panicking(site, why);
                }
            }
            ("merge", [other]) => {
                if let Value::Methods(other) = self.expr(frame, other) {
                    if let Err(why) = Rc::make_mut(&mut methods).merge((*other).clone()) {
                        return panicking(site, why);
                    }
                } else {
                    self.give_up(site, "what is merged is not known");
                }
            }
            ("fallback" | "fallback_service", [handler]) => {
                let endpoint = self.endpoint(frame, handler);
                Rc::make_mut(&mut methods).set_other(endpoint, site);
            }
            ("call" | "oneshot", [_])
            | ("into_make_service" | "into_make_service_with_connect_info", _) => {
                self.serve_value(&Value::Methods(methods), site);
                return Value::Served;
            }
            ("with_state" | "handle_error" | "into_service" | "ready" | "boxed_clone", _) => {}
            (same, _) if SAME.contains(&same) => {}
            (other, args) => {
                let mut inner = (*methods).clone();
                match self.add_verb(frame, &mut inner, other, args, site) {
                    Ok(true) => return Value::Methods(Rc::new(inner)),
                    Ok(false) => {}
                    Err(why) => return panicking(site, why),
                }
                if let Some(value) =
                    self.extension(frame, Value::Methods(Rc::clone(&methods)), other, args)
                {
                    return value;
                }
                self.give_up(
                    site,
                    format!("what `.{other}(…)` does to a method router is not known"),
                );
            }
        }
        Value::Methods(methods)
    }
}

/// A method router whose making panics, as a router that does.
fn panicking<'s>(site: Site, why: String) -> Value<'s> {
    let mut methods = Methods::default();
    methods.panics.push((site, why));
    Value::Methods(Rc::new(methods))
}
