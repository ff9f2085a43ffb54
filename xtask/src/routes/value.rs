//! What an expression may be worth to the scan.

use std::rc::Rc;

use super::index::{Found, Function, ModId};
use super::router::{Access, Endpoint, Methods, Part, Router, Text, join, join_stacks};

#[derive(Clone)]
pub(crate) enum Value<'s> {
    /// Nothing that concerns a route, as far as is known.
    Opaque(Opaque<'s>),
    Router(Rc<Router>),
    /// A router that went into a call the scan cannot follow; the number tells which.
    Lost(Rc<Router>, usize),
    Methods(Rc<Methods>),
    /// `routes!(…)`: what is registered where.
    Routes(Rc<Vec<(Text, Methods)>>),
    /// A handler that layers were put on.
    Handler(Rc<Endpoint>),
    /// Outermost first.
    Layers(Rc<[Part]>),
    Text(Text),
    Number(Rc<str>),
    /// One of several, depending on how it is built or on a branch.
    Either(Rc<Vec<Value<'s>>>),
    /// `MethodFilter::GET.or(…)`.
    Filter(Vec<&'static str>),
    List(Rc<Vec<Value<'s>>>),
    Tuple(Rc<Vec<Value<'s>>>),
    Struct(Rc<Record<'s>>),
    Closure(Rc<Lambda<'s>>),
    Function(Function<'s>),
    /// A function of a trait, for the type it was named by.
    Method(Function<'s>, Rc<TypeRef<'s>>),
    /// Something of another crate, by its path.
    External(Rc<[String]>),
    Item(Found<'s>),
    Access(Rc<Access>),
    /// A make-service whose router was taken down as served where it was made.
    Served,
}

/// A value of which at most the type is known.
#[derive(Clone, Default)]
pub(crate) struct Opaque<'s> {
    pub(crate) ty: Option<Ty<'s>>,
    /// It came in as an argument of the function that is read.
    pub(crate) is_param: bool,
}

/// A type, looked up when somebody asks: most never matter.
#[derive(Clone)]
pub(crate) enum Ty<'s> {
    Known(Rc<TypeRef<'s>>),
    Declared(Rc<Declared<'s>>),
}

/// A type as it is written.
pub(crate) struct Declared<'s> {
    pub(crate) module: ModId,
    pub(crate) self_ty: Option<Rc<TypeRef<'s>>>,
    pub(crate) ty: &'s syn::Type,
}

impl<'s> Ty<'s> {
    pub(crate) fn declared(
        module: ModId,
        self_ty: Option<&Rc<TypeRef<'s>>>,
        ty: &'s syn::Type,
    ) -> Self {
        Self::Declared(Rc::new(Declared {
            module,
            self_ty: self_ty.cloned(),
            ty,
        }))
    }
}

#[derive(Clone)]
pub(crate) struct TypeRef<'s> {
    pub(crate) name: String,
    /// The resolved path, with the crate's or package's name first.
    pub(crate) path: Vec<String>,
    pub(crate) found: Option<Found<'s>>,
}

#[derive(Clone)]
pub(crate) struct Record<'s> {
    pub(crate) ty: Rc<TypeRef<'s>>,
    pub(crate) fields: Vec<(String, Value<'s>)>,
    /// The other fields came in as an argument.
    pub(crate) is_param: bool,
}

/// A closure with what it sees.
#[derive(Clone)]
pub(crate) struct Lambda<'s> {
    pub(crate) expr: &'s syn::ExprClosure,
    pub(crate) module: ModId,
    pub(crate) vars: Vec<(String, Value<'s>)>,
    pub(crate) self_ty: Option<Rc<TypeRef<'s>>>,
}

impl<'s> Value<'s> {
    pub(crate) fn unknown() -> Self {
        Self::Opaque(Opaque::default())
    }

    pub(crate) fn typed(ty: Option<Ty<'s>>) -> Self {
        Self::Opaque(Opaque {
            ty,
            is_param: false,
        })
    }

    /// Whether a router is in it, or may be.
    pub(crate) fn holds_router(&self) -> bool {
        match self {
            Self::Router(_) | Self::Lost(..) => true,
            Self::List(all) | Self::Tuple(all) => all.iter().any(Self::holds_router),
            Self::Struct(record) => record.fields.iter().any(|(_, value)| value.holds_router()),
            _ => false,
        }
    }

    /// Whether a router is in it that went into a call the scan cannot follow.
    pub(crate) fn holds_lost(&self) -> bool {
        match self {
            Self::Lost(..) => true,
            Self::List(all) | Self::Tuple(all) | Self::Either(all) => {
                all.iter().any(Self::holds_lost)
            }
            Self::Struct(record) => record.fields.iter().any(|(_, value)| value.holds_lost()),
            _ => false,
        }
    }

    /// Whether following a call with it can matter.
    pub(crate) fn matters(&self) -> bool {
        match self {
            Self::Router(_) | Self::Lost(..) | Self::Methods(_) | Self::Routes(_) => true,
            Self::Handler(endpoint) => endpoint.handler.service.is_some(),
            Self::List(all) | Self::Tuple(all) | Self::Either(all) => all.iter().any(Self::matters),
            Self::Struct(record) => record.fields.iter().any(|(_, value)| value.matters()),
            _ => false,
        }
    }

    pub(crate) fn is_param(&self) -> bool {
        matches!(self, Self::Opaque(opaque) if opaque.is_param)
    }

    pub(crate) fn router(&self) -> Option<&Rc<Router>> {
        match self {
            Self::Router(router) | Self::Lost(router, _) => Some(router),
            _ => None,
        }
    }

    /// The value after two ways met.
    pub(crate) fn join(self, other: Self, why: &Rc<str>) -> Self {
        match (self, other) {
            (Self::Router(a), Self::Router(b)) => {
                if Rc::ptr_eq(&a, &b) {
                    return Self::Router(a);
                }
                Self::Router(Rc::new(join(&a, &b, why)))
            }
            (Self::Methods(a), Self::Methods(b)) => {
                if Rc::ptr_eq(&a, &b) {
                    return Self::Methods(a);
                }
                Self::Methods(Rc::new(join_methods(&a, &b)))
            }
            (Self::Layers(a), Self::Layers(b)) => {
                if Rc::ptr_eq(&a, &b) {
                    return Self::Layers(a);
                }
                let mut parts: Vec<Part> = Vec::new();
                for part in a.iter() {
                    let is_conditional = part.is_conditional || !b.contains(part);
                    parts.push(Part {
                        is_conditional,
                        ..part.clone()
                    });
                }
                for part in b
                    .iter()
                    .filter(|part| !a.iter().any(|other| other.names == part.names))
                {
                    parts.push(Part {
                        is_conditional: true,
                        ..part.clone()
                    });
                }
                Self::Layers(parts.into())
            }
            (Self::Struct(a), Self::Struct(b)) if a.ty.name == b.ty.name => {
                let mut fields = a.fields.clone();
                for (name, value) in &mut fields {
                    if let Some((_, other)) = b.fields.iter().find(|(theirs, _)| theirs == name) {
                        *value = std::mem::replace(value, Self::unknown()).join(other.clone(), why);
                    }
                }
                Self::Struct(Rc::new(Record {
                    ty: Rc::clone(&a.ty),
                    fields,
                    is_param: a.is_param || b.is_param,
                }))
            }
            (Self::Tuple(a), Self::Tuple(b)) if a.len() == b.len() => Self::Tuple(Rc::new(
                a.iter()
                    .zip(b.iter())
                    .map(|(a, b)| a.clone().join(b.clone(), why))
                    .collect(),
            )),
            (Self::Text(a), Self::Text(b)) => {
                if a == b {
                    Self::Text(a)
                } else {
                    Self::Text(Text {
                        shown: format!("{{{}|{}}}", a.shown, b.shown),
                        is_known: false,
                    })
                }
            }
            // What one way knows of a field the other may still have as it came.
            (Self::Struct(record), Self::Opaque(opaque))
            | (Self::Opaque(opaque), Self::Struct(record))
                if opaque.is_param =>
            {
                let mut record = record;
                Rc::make_mut(&mut record).is_param = true;
                Self::Struct(record)
            }
            // Of a router and something unknown the router is what matters; it may not be there.
            (Self::Router(router), Self::Opaque(opaque))
            | (Self::Opaque(opaque), Self::Router(router)) => {
                let mut router = router;
                if opaque.is_param {
                    Rc::make_mut(&mut router).is_open = true;
                }
                Self::Router(router)
            }
            (Self::Opaque(a), Self::Opaque(b)) => Self::Opaque(Opaque {
                ty: a.ty.or(b.ty),
                is_param: a.is_param || b.is_param,
            }),
            // A default beside something unknown is one of two.
            (Self::Opaque(_), Self::Text(text)) | (Self::Text(text), Self::Opaque(_)) => {
                Self::Text(Text::unknown(&format!("{}|…", text.shown)))
            }
            (Self::Opaque(_), value) | (value, Self::Opaque(_)) => value,
            (Self::Number(a), Self::Number(b)) => {
                if a == b {
                    Self::Number(a)
                } else {
                    Self::unknown()
                }
            }
            (Self::Either(a), Self::Either(b)) => {
                Self::Either(Rc::new(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Self::Either(all), one) | (one, Self::Either(all)) => {
                Self::Either(Rc::new(all.iter().cloned().chain([one]).collect()))
            }
            (Self::Lost(router, n), _) | (_, Self::Lost(router, n)) => Self::Lost(router, n),
            (Self::List(a), Self::List(b)) => {
                // Usually the one is the other with more.
                let (longer, shorter) = if a.len() >= b.len() { (a, b) } else { (b, a) };
                let joined = longer
                    .iter()
                    .enumerate()
                    .map(|(n, value)| match shorter.get(n) {
                        Some(other) => value.clone().join(other.clone(), why),
                        None => value.clone(),
                    });
                Self::List(Rc::new(joined.collect()))
            }
            (Self::Function(a), Self::Function(b)) => {
                if std::ptr::eq(a.block, b.block) {
                    Self::Function(a)
                } else {
                    Self::Either(Rc::new(vec![Self::Function(a), Self::Function(b)]))
                }
            }
            (Self::Item(a), Self::Item(b)) => {
                if std::ptr::eq(a.item, b.item) {
                    Self::Item(a)
                } else {
                    Self::Either(Rc::new(vec![Self::Item(a), Self::Item(b)]))
                }
            }
            (Self::Struct(a), Self::Struct(b)) => {
                Self::Either(Rc::new(vec![Self::Struct(a), Self::Struct(b)]))
            }
            (a, b) if b.matters() && !a.matters() => b,
            (value, _) => value,
        }
    }
}

fn join_methods(a: &Methods, b: &Methods) -> Methods {
    let mut joined = a.clone();
    let merge = |ours: &mut Endpoint, theirs: &Endpoint| {
        ours.stack = join_stacks(&ours.stack, &theirs.stack);
    };
    for (verb, endpoint) in &b.verbs {
        match joined.verbs.iter_mut().find(|(other, _)| other == verb) {
            Some((_, ours)) => merge(ours, endpoint),
            None => joined.verbs.push((verb, endpoint.clone())),
        }
    }
    match (&mut joined.other, &b.other) {
        (Some(ours), Some(theirs)) => merge(ours, theirs),
        (None, Some(theirs)) => joined.other = Some(theirs.clone()),
        _ => {}
    }
    joined.miss = join_stacks(&a.miss, &b.miss);
    joined
}
