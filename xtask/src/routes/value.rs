//! What an expression may be worth to the scan.

use std::rc::Rc;

use super::index::{Found, Function, ModId};
use super::router::{Access, Endpoint, Methods, Part, Router, Text, join, join_stacks};
use super::source::Site;

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
    /// Something of another crate, by its path; given by a call, if there is a place.
    External(Rc<[String]>, Option<Site>),
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
    /// The call it came out of, which cannot be followed: it may be anything of its type.
    pub(crate) from: Option<Site>,
}

/// A type, looked up when somebody asks: most never matter.
#[derive(Clone)]
pub(crate) enum Ty<'s> {
    Known(Rc<TypeRef<'s>>),
    Declared(Rc<Declared<'s>>),
    /// One of several, depending on how it is built or on a branch.
    Either(Rc<[Ty<'s>]>),
}

/// A type as it is written.
pub(crate) struct Declared<'s> {
    pub(crate) module: ModId,
    pub(crate) self_ty: Option<Rc<TypeRef<'s>>>,
    pub(crate) ty: &'s syn::Type,
}

impl<'s> Ty<'s> {
    fn or(self, other: &Self) -> Self {
        if self.is(other) {
            return self;
        }
        let mut all: Vec<Self> = Vec::new();
        for ty in self.each().iter().chain(other.each()) {
            if !all.iter().any(|known| known.is(ty)) {
                all.push(ty.clone());
            }
        }
        Self::Either(all.into())
    }

    fn each(&self) -> &[Self] {
        match self {
            Self::Either(all) => all,
            one => std::slice::from_ref(one),
        }
    }

    /// Whether it is the same without being looked up.
    fn is(&self, other: &Self) -> bool {
        let same = |a: &Option<Rc<TypeRef<'s>>>, b: &Option<Rc<TypeRef<'s>>>| {
            a.as_ref().map(|ty| &ty.path) == b.as_ref().map(|ty| &ty.path)
        };
        match (self, other) {
            (Self::Known(a), Self::Known(b)) => a.path == b.path,
            (Self::Declared(a), Self::Declared(b)) => {
                std::ptr::eq(a.ty, b.ty) && a.module == b.module && same(&a.self_ty, &b.self_ty)
            }
            (Self::Either(a), Self::Either(b)) => Rc::ptr_eq(a, b),
            _ => false,
        }
    }

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
    /// The frame whose variables these are.
    pub(crate) frame: usize,
    /// It names a variable that holds a router.
    pub(crate) touches: bool,
}

impl<'s> Value<'s> {
    pub(crate) fn unknown() -> Self {
        Self::Opaque(Opaque::default())
    }

    pub(crate) fn typed(ty: Option<Ty<'s>>) -> Self {
        Self::Opaque(Opaque {
            ty,
            ..Opaque::default()
        })
    }

    /// What a call gives that cannot be followed.
    pub(crate) fn from_call(site: Site) -> Self {
        Self::Opaque(Opaque {
            from: Some(site),
            ..Opaque::default()
        })
    }

    /// Whether a router is in it, or may be.
    pub(crate) fn holds_router(&self) -> bool {
        match self {
            Self::Router(_) | Self::Lost(..) => true,
            Self::List(all) | Self::Tuple(all) | Self::Either(all) => {
                all.iter().any(Self::holds_router)
            }
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
            Self::Closure(lambda) => lambda.touches,
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

    /// The call it came out of, where that cannot be followed.
    pub(crate) fn from(&self) -> Option<Site> {
        match self {
            Self::Opaque(opaque) => opaque.from,
            Self::External(_, site) => *site,
            _ => None,
        }
    }

    /// Whether both are the same for sure.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Opaque(a), Self::Opaque(b)) => {
                !a.is_param && !b.is_param && a.from == b.from && a.ty.is_none() && b.ty.is_none()
            }
            (Self::Router(a), Self::Router(b)) => Rc::ptr_eq(a, b),
            (Self::Methods(a), Self::Methods(b)) => Rc::ptr_eq(a, b),
            (Self::Routes(a), Self::Routes(b)) => Rc::ptr_eq(a, b),
            (Self::Handler(a), Self::Handler(b)) => Rc::ptr_eq(a, b),
            (Self::Layers(a), Self::Layers(b)) => Rc::ptr_eq(a, b),
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::Number(a), Self::Number(b)) => a == b,
            (Self::Filter(a), Self::Filter(b)) => a == b,
            (Self::Either(a), Self::Either(b))
            | (Self::List(a), Self::List(b))
            | (Self::Tuple(a), Self::Tuple(b)) => Rc::ptr_eq(a, b),
            (Self::Struct(a), Self::Struct(b)) => Rc::ptr_eq(a, b),
            (Self::Closure(a), Self::Closure(b)) => Rc::ptr_eq(a, b),
            (Self::Function(a), Self::Function(b)) => std::ptr::eq(a.block, b.block),
            (Self::Method(a, ours), Self::Method(b, theirs)) => {
                std::ptr::eq(a.block, b.block) && ours.path == theirs.path
            }
            (Self::External(a, at), Self::External(b, other)) => a == b && at == other,
            (Self::Item(a), Self::Item(b)) => std::ptr::eq(a.item, b.item),
            (Self::Access(a), Self::Access(b)) => a == b,
            (Self::Served, Self::Served) => true,
            _ => false,
        }
    }

    /// The value after two ways met. What is not the same on both is never taken for what it is on
    /// one: routes are those of both, and anything else is one of several, or not known.
    pub(crate) fn join(self, other: Self, why: &Rc<str>) -> Self {
        if self.is(&other) {
            return self;
        }
        let is_made =
            |value: &Self| matches!(value, Self::Struct(_) | Self::Tuple(_) | Self::List(_));
        match (self, other) {
            (made, Self::External(_, Some(site))) | (Self::External(_, Some(site)), made)
                if is_made(&made) =>
            {
                made.join(Self::from_call(site), why)
            }
            (Self::Router(a), Self::Router(b)) => Self::Router(Rc::new(join(&a, &b, why))),
            (Self::Lost(a, n), Self::Router(b) | Self::Lost(b, _))
            | (Self::Router(b), Self::Lost(a, n)) => Self::Lost(Rc::new(join(&a, &b, why)), n),
            (Self::Lost(router, n), _) | (_, Self::Lost(router, n)) => Self::Lost(router, n),
            // It may not be there. Where something unknown stands for it, that may be any router.
            (Self::Router(mut router), other) | (other, Self::Router(mut router))
                if !other.holds_router() =>
            {
                let from = other.from();
                if from.is_some_and(|from| !router.unknown.contains(&from)) {
                    Rc::make_mut(&mut router).unknown.extend(from);
                }
                if other.is_param() {
                    Rc::make_mut(&mut router).is_open = true;
                }
                Self::Router(router)
            }
            (Self::Methods(a), Self::Methods(b)) if a.is(&b) => {
                Self::Methods(Rc::new(join_methods(&a, &b)))
            }
            (Self::Handler(a), Self::Handler(b)) if a.handler == b.handler => {
                let mut joined = (*a).clone();
                joined.stack = join_stacks(&a.stack, &b.stack);
                Self::Handler(Rc::new(joined))
            }
            (Self::Layers(a), Self::Layers(b)) => Self::Layers(join_parts(&a, &b)),
            (Self::Layers(parts), _) | (_, Self::Layers(parts)) => {
                Self::Layers(parts.iter().map(Part::conditional).collect())
            }
            (Self::Struct(a), Self::Struct(b)) if a.ty.path == b.ty.path => {
                Self::Struct(Rc::new(join_records(&a, &b, why)))
            }
            (Self::Struct(mut record), Self::Opaque(opaque))
            | (Self::Opaque(opaque), Self::Struct(mut record)) => {
                let inner = Rc::make_mut(&mut record);
                // What one way knows of a field the other may still have as it came.
                inner.is_param |= opaque.is_param;
                if opaque.from.is_some() {
                    let other = Self::Opaque(Opaque { ty: None, ..opaque });
                    for (_, value) in &mut inner.fields {
                        let mine = std::mem::replace(value, Self::unknown());
                        *value = mine.join(other.clone(), why);
                    }
                }
                Self::Struct(record)
            }
            (Self::Tuple(a), Self::Tuple(b)) if a.len() == b.len() => {
                let pairs = a.iter().cloned().zip(b.iter().cloned());
                Self::Tuple(Rc::new(pairs.map(|(a, b)| a.join(b, why)).collect()))
            }
            (Self::Tuple(parts), Self::Opaque(opaque))
            | (Self::Opaque(opaque), Self::Tuple(parts))
                if opaque.from.is_some() || opaque.is_param =>
            {
                let other = Self::Opaque(Opaque { ty: None, ..opaque });
                let parts = parts.iter().cloned();
                Self::Tuple(Rc::new(
                    parts.map(|part| part.join(other.clone(), why)).collect(),
                ))
            }
            (Self::Text(a), Self::Text(b)) => Self::Text(either_text(&a, &b)),
            // A default beside something unknown is one of two.
            (Self::Text(text), _) | (_, Self::Text(text)) => {
                Self::Text(Text::unknown(&cut(format!("{}|…", text.shown))))
            }
            // A number or a policy is the one or the other.
            (Self::Number(_) | Self::Access(_), _) | (_, Self::Number(_) | Self::Access(_)) => {
                Self::unknown()
            }
            (Self::List(a), Self::List(b)) => Self::List(Rc::new(join_lists(&a, &b, why))),
            (Self::List(mut all), Self::Opaque(opaque))
            | (Self::Opaque(opaque), Self::List(mut all)) => {
                if opaque.from.is_some() {
                    Rc::make_mut(&mut all).push(Self::Opaque(opaque));
                }
                Self::List(all)
            }
            (Self::Closure(a), Self::Closure(b)) if std::ptr::eq(a.expr, b.expr) => {
                let mut joined = (*a).clone();
                for ((name, value), (theirs, other)) in joined.vars.iter_mut().zip(&b.vars) {
                    if name == theirs {
                        let mine = std::mem::replace(value, Self::unknown());
                        *value = mine.join(other.clone(), why);
                    }
                }
                Self::Closure(Rc::new(joined))
            }
            (Self::Opaque(a), Self::Opaque(b)) => Self::Opaque(Opaque {
                ty: match (a.ty, b.ty) {
                    (Some(a), Some(b)) => Some(a.or(&b)),
                    (a, b) => a.or(b),
                },
                is_param: a.is_param || b.is_param,
                from: a.from.or(b.from),
            }),
            (Self::External(a, at), Self::External(b, _)) if a == b => Self::External(a, at),
            (Self::Served, _) | (_, Self::Served) => Self::Served,
            // Nothing on the one way: it is there on the other.
            (Self::Opaque(opaque), value) | (value, Self::Opaque(opaque))
                if opaque.from.is_none() =>
            {
                value
            }
            (a, b) => {
                let mut all: Vec<Self> = Vec::new();
                for value in [a, b] {
                    let several = match value {
                        Self::Either(several) => Rc::unwrap_or_clone(several),
                        value => vec![value],
                    };
                    for value in several {
                        if !all.iter().any(|known| known.is(&value)) {
                            all.push(value);
                        }
                    }
                }
                if all.len() > MOST_WAYS {
                    return Self::unknown();
                }
                Self::Either(Rc::new(all))
            }
        }
    }

    /// What an element of a list is worth that may not be there. Routes may all be there; what is
    /// called or put around something has to be known.
    pub(crate) fn uncertain(&self) -> Self {
        match self {
            Self::Layers(parts) => Self::Layers(parts.iter().map(Part::conditional).collect()),
            Self::Tuple(all) => Self::Tuple(Rc::new(all.iter().map(Self::uncertain).collect())),
            Self::List(all) => Self::List(Rc::new(all.iter().map(Self::uncertain).collect())),
            Self::Struct(record) => {
                let mut record = (**record).clone();
                for (_, value) in &mut record.fields {
                    *value = value.uncertain();
                }
                Self::Struct(Rc::new(record))
            }
            Self::Router(_)
            | Self::Lost(..)
            | Self::Methods(_)
            | Self::Routes(_)
            | Self::Text(_)
            | Self::Number(_)
            | Self::Opaque(_) => self.clone(),
            _ => Self::unknown(),
        }
    }
}

/// How many ways are told apart.
const MOST_WAYS: usize = 8;

/// How long a text may get that is not known anyway, in bytes.
const LONGEST_TEXT: usize = 400;

fn cut(text: String) -> String {
    if text.len() <= LONGEST_TEXT {
        return text;
    }
    let end = text.floor_char_boundary(LONGEST_TEXT);
    format!("{}…", &text[..end])
}

fn either_text(a: &Text, b: &Text) -> Text {
    Text {
        shown: cut(format!("{{{}|{}}}", a.shown, b.shown)),
        is_known: false,
    }
}

/// Layers of two ways, outermost first.
fn join_parts(a: &[Part], b: &[Part]) -> Rc<[Part]> {
    let mut parts: Vec<Part> = Vec::new();
    for part in a {
        let is_conditional = part.is_conditional || !b.contains(part);
        parts.push(Part {
            is_conditional,
            ..part.clone()
        });
    }
    let only_theirs = b
        .iter()
        .filter(|part| !a.iter().any(|other| other.names == part.names));
    parts.extend(only_theirs.map(Part::conditional));
    parts.into()
}

fn join_records<'s>(a: &Record<'s>, b: &Record<'s>, why: &Rc<str>) -> Record<'s> {
    let mut fields = a.fields.clone();
    for (name, value) in &mut fields {
        if let Some((_, other)) = b.fields.iter().find(|(theirs, _)| theirs == name) {
            *value = std::mem::replace(value, Value::unknown()).join(other.clone(), why);
        }
    }
    for (name, value) in &b.fields {
        if !fields.iter().any(|(ours, _)| ours == name) {
            fields.push((name.clone(), value.clone()));
        }
    }
    Record {
        ty: Rc::clone(&a.ty),
        fields,
        is_param: a.is_param || b.is_param,
    }
}

/// Usually the one is the other with more.
fn join_lists<'s>(a: &[Value<'s>], b: &[Value<'s>], why: &Rc<str>) -> Vec<Value<'s>> {
    let (longer, shorter) = if a.len() >= b.len() { (a, b) } else { (b, a) };
    let joined = longer
        .iter()
        .enumerate()
        .map(|(n, value)| match shorter.get(n) {
            Some(other) => value.clone().join(other.clone(), why),
            None => value.uncertain(),
        });
    joined.collect()
}

/// Of methods that the same handlers answer.
fn join_methods(a: &Methods, b: &Methods) -> Methods {
    let mut joined = a.clone();
    for ((_, ours), (_, theirs)) in joined.verbs.iter_mut().zip(&b.verbs) {
        ours.stack = join_stacks(&ours.stack, &theirs.stack);
    }
    if let (Some(ours), Some(theirs)) = (&mut joined.other, &b.other) {
        ours.stack = join_stacks(&ours.stack, &theirs.stack);
    }
    joined.miss = join_stacks(&a.miss, &b.miss);
    joined
}
