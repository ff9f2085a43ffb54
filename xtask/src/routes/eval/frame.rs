//! One function being read: its variables, and what is known of how it was called.

use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use syn::Expr;

use crate::routes::eval::is_mutable;
use crate::routes::index::ModId;
use crate::routes::source::Site;
use crate::routes::value::{TypeRef, Value};

/// Methods that lend what is inside of something.
const LENDING: &[&str] = &[
    "lock",
    "write",
    "get_or_insert",
    "get_or_insert_with",
    "or_insert",
    "or_insert_with",
    "or_default",
];

static FRAMES: AtomicUsize = AtomicUsize::new(0);

/// Variables in the order in which they came into scope.
pub(crate) type Vars<'s> = Vec<(String, Value<'s>)>;

/// One function being read.
pub(crate) struct Frame<'s> {
    pub(crate) module: ModId,
    pub(crate) vars: Vec<(String, Value<'s>)>,
    pub(crate) self_ty: Option<Rc<TypeRef<'s>>>,
    pub(super) returns: Vec<Value<'s>>,
    /// The values of `break`, by the label they name.
    pub(super) breaks: Vec<(Option<&'s syn::Ident>, Value<'s>)>,
    /// The variables at each `break` and `continue`, by the label they name.
    pub(super) jumps: Vec<(Option<&'s syn::Ident>, Vars<'s>)>,
    /// The variables at each early end of a closure.
    pub(super) ends: Vec<Vars<'s>>,
    pub(super) is_closure: bool,
    /// A variable whose next reading is its last: its value is moved, not copied.
    pub(super) moved: Option<String>,
    /// Variables, by their place in `vars`, that are `&mut` of another place.
    pub(super) aliases: Vec<(usize, &'s Expr)>,
    /// Variables that are references into something, it is not known where.
    pub(super) kept: Vec<usize>,
    /// The function that is read.
    pub(super) sig: Option<&'s syn::Signature>,
    /// How many of the variables are its arguments.
    pub(super) arguments: usize,
    /// Where it was called.
    pub(super) called_at: Option<Site>,
    /// What its type parameters stand for.
    pub(super) parameters: Vec<(String, Rc<TypeRef<'s>>)>,
    /// Which frame it is: a closure knows the one it was written in.
    pub(super) id: usize,
    pub(super) diverged: bool,
}

impl<'s> Frame<'s> {
    pub(crate) fn new(module: ModId, self_ty: Option<Rc<TypeRef<'s>>>) -> Self {
        Self {
            module,
            vars: Vec::new(),
            self_ty,
            returns: Vec::new(),
            breaks: Vec::new(),
            jumps: Vec::new(),
            ends: Vec::new(),
            is_closure: false,
            moved: None,
            aliases: Vec::new(),
            kept: Vec::new(),
            sig: None,
            arguments: 0,
            called_at: None,
            parameters: Vec::new(),
            id: FRAMES.fetch_add(1, Ordering::Relaxed),
            diverged: false,
        }
    }

    /// Where the function was called, if `expr` is one of its arguments.
    pub(super) fn given_at(&self, expr: &Expr) -> Option<Site> {
        let Expr::Path(path) = expr else { return None };
        let slot = self.slot(path.path.get_ident()?)?;
        self.called_at.filter(|_| slot < self.arguments)
    }

    /// Where the variable of that name stands.
    pub(super) fn slot(&self, name: &syn::Ident) -> Option<usize> {
        self.vars.iter().rposition(|(known, _)| name == known)
    }

    /// A new variable: what was said of one that stood at its place is over.
    pub(super) fn declare(&mut self, name: String, value: Value<'s>) {
        let slot = self.vars.len();
        self.aliases.retain(|(other, _)| *other < slot);
        self.kept.retain(|other| *other < slot);
        self.vars.push((name, value));
    }

    /// Says that the variables from `slot` on are references into something.
    pub(super) fn keep(&mut self, slot: usize) {
        self.kept.extend(slot..self.vars.len());
    }

    /// Whether an expression gives a way to change something that it does not name.
    pub(super) fn lends(&self, expr: &Expr) -> bool {
        match expr {
            Expr::Paren(inner) => self.lends(&inner.expr),
            Expr::Await(inner) => self.lends(&inner.base),
            Expr::Try(inner) => self.lends(&inner.expr),
            Expr::Reference(inner) => inner.mutability.is_some(),
            Expr::MethodCall(call) => {
                let name = call.method.to_string();
                name.ends_with("_mut")
                    || LENDING.contains(&name.as_str())
                    || matches!(name.as_str(), "unwrap" | "expect" | "unwrap_or_else")
                        && self.lends(&call.receiver)
            }
            // `let Self { router, .. } = self` of `&mut self`.
            Expr::Path(path) => {
                let receiver = self.sig.and_then(|sig| sig.inputs.first());
                path.path.is_ident("self") && receiver.is_some_and(is_mutable)
            }
            _ => false,
        }
    }
}
