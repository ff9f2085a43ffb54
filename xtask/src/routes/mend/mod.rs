//! Mends as unified diffs: printed beside the finding, never applied. Where it is not certain that a
//! mend changes nothing else, there is none.

mod layout;

use std::collections::BTreeSet;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Block, Expr, ExprMethodCall, Ident, Pat, Stmt};

use super::source::{Site, Sources};
use crate::report::text;
use layout::{bytes, moved, replaced, statement_lines};

/// A unified diff.
pub(crate) type Mend = String;

/// A range of a file's text.
type Bytes = std::ops::Range<usize>;

/// Moves the call that came too late in front of the layer: in its chain, or into that of an earlier
/// statement of the same block.
pub(crate) fn move_call(sources: &Sources, layer: Site, late: Site) -> Option<Mend> {
    if layer.file != late.file {
        return None;
    }
    let (ast, old) = read(sources, layer)?;
    let layer_call = call_at(ast, layer)?;
    let late_call = call_at(ast, late)?;
    let new = if let Some(n) = chain(late_call).position(|call| is_at(call, layer)) {
        if !chain(late_call).take(n).all(keeps_type) {
            return None;
        }
        moved(old, layer_call, late_call)?
    } else {
        let mut blocks = Blocks(Vec::new());
        blocks.visit_file(ast);
        let mut blocks = blocks.0.into_iter();
        blocks.find_map(|block| moved_between(old, block, layer, late))?
    };
    Some(text::diff(sources.path(layer.file), old, &new))
}

/// Whether the call at `site` has that name.
pub(crate) fn is_called(sources: &Sources, site: Site, name: &str) -> bool {
    read(sources, site)
        .and_then(|(ast, _)| call_at(ast, site))
        .is_some_and(|call| call.method == name)
}

/// Gives the call at `site` another name: `layer` ↔ `route_layer`.
pub(crate) fn rename(sources: &Sources, site: Site, from: &str, to: &str) -> Option<Mend> {
    let (ast, old) = read(sources, site)?;
    let call = call_at(ast, site)?;
    if call.method != from {
        return None;
    }
    let new = replaced(old, bytes(&call.method), to);
    Some(text::diff(sources.path(site.file), old, &new))
}

/// Splits `.routes(routes!(a, b))` into one call per handler.
pub(crate) fn split_routes(sources: &Sources, site: Site) -> Option<Mend> {
    let (ast, old) = read(sources, site)?;
    let call = call_at(ast, site)?;
    let Some(Expr::Macro(routes)) = call.args.first() else {
        return None;
    };
    let name = &old[bytes(&routes.mac.path)];
    let handlers: Vec<Bytes> = super::eval::macros::split(routes.mac.tokens.clone())
        .into_iter()
        .map(tokens)
        .collect::<Option<_>>()?;
    // What stands between two handlers belongs to the one behind.
    let mut starts = vec![handlers.first()?.start];
    for pair in handlers.windows(2) {
        let gap = &old[pair[0].end..pair[1].start];
        let comma = gap.find(',')?;
        if gap.contains("//") || gap[..comma].contains("/*") {
            return None;
        }
        let comment = comma + 1 + gap[comma + 1..].len() - gap[comma + 1..].trim_start().len();
        starts.push(pair[0].end + comment);
    }
    let receiver = bytes(&call.receiver).end;
    let whole = bytes(call).end;
    let (first, last) = (handlers.first()?.start, handlers.last()?.end);
    let is_commented = |text: &str| text.contains("//") || text.contains("/*");
    if is_commented(&old[bytes(&call.method).end..first]) || is_commented(&old[last..whole]) {
        return None;
    }
    // As the chain is laid out: on one line, or a call per line.
    let between = &old[receiver..bytes(&call.dot_token).start];
    let layout = if between.trim().is_empty() {
        between
    } else {
        &between[between.rfind('\n')?..]
    };
    let calls: Vec<String> = starts
        .iter()
        .zip(&handlers)
        .enumerate()
        .map(|(n, (start, handler))| {
            let before = if n == 0 { between } else { layout };
            format!("{before}.routes({name}!({}))", &old[*start..handler.end])
        })
        .collect();
    let new = replaced(old, receiver..whole, &calls.concat());
    Some(text::diff(sources.path(site.file), old, &new))
}

/// The tree and text of a site's file. Where the parser skips the start of the text, places in the
/// tree are not those of the text.
fn read(sources: &Sources, site: Site) -> Option<(&syn::File, &str)> {
    let ast = sources.ast(site.file)?;
    let text = sources.text(site.file);
    let is_whole = !text.starts_with('\u{feff}') && ast.shebang.is_none();
    is_whole.then_some((ast, text))
}

/// The method call whose name stands at a place.
fn call_at(ast: &syn::File, site: Site) -> Option<&ExprMethodCall> {
    struct Finder<'a>(Site, Option<&'a ExprMethodCall>);
    impl<'ast> Visit<'ast> for Finder<'ast> {
        fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
            if is_at(call, self.0) {
                self.1 = Some(call);
            } else {
                syn::visit::visit_expr_method_call(self, call);
            }
        }
    }
    let mut finder = Finder(site, None);
    finder.visit_file(ast);
    finder.1
}

fn is_at(call: &ExprMethodCall, site: Site) -> bool {
    Site::at(site.file, call.method.span().start()) == site
}

struct Blocks<'a>(Vec<&'a Block>);

impl<'ast> Visit<'ast> for Blocks<'ast> {
    fn visit_block(&mut self, block: &'ast Block) {
        self.0.push(block);
        syn::visit::visit_block(self, block);
    }
}

/// A call and those it is chained to, the last one first.
fn chain(call: &ExprMethodCall) -> impl Iterator<Item = &ExprMethodCall> {
    std::iter::successors(Some(call), |call| match &*call.receiver {
        Expr::MethodCall(next) => Some(next),
        _ => None,
    })
}

/// The variable that a chain begins with.
fn root(call: &ExprMethodCall) -> Option<&Ident> {
    match &*chain(call).last()?.receiver {
        Expr::Path(path) => path.path.get_ident(),
        _ => None,
    }
}

/// Whether a router is after the call what it was before, so that another call may come first.
fn keeps_type(call: &ExprMethodCall) -> bool {
    let name = call.method.to_string();
    !name.starts_with("with_") && !name.starts_with("into_") && !name.starts_with("split_")
}

/// `let app = ….layer(…);` and `app = ….layer(…);`.
struct Binding<'a> {
    name: &'a Ident,
    call: &'a ExprMethodCall,
    /// `let`, `let mut`, or neither.
    kind: (bool, bool),
}

impl<'a> Binding<'a> {
    fn of(stmt: &'a Stmt) -> Option<Self> {
        let (name, expr, kind) = match stmt {
            Stmt::Local(local) if local.attrs.is_empty() => {
                let init = local.init.as_ref().filter(|init| init.diverge.is_none())?;
                let pat = match &local.pat {
                    Pat::Type(typed) => &*typed.pat,
                    pat => pat,
                };
                let Pat::Ident(pat) = pat else { return None };
                (&pat.ident, &*init.expr, (true, pat.mutability.is_some()))
            }
            Stmt::Expr(Expr::Assign(assign), Some(_)) if assign.attrs.is_empty() => {
                let Expr::Path(left) = &*assign.left else {
                    return None;
                };
                (left.path.get_ident()?, &*assign.right, (false, false))
            }
            _ => return None,
        };
        let Expr::MethodCall(call) = expr else {
            return None;
        };
        Some(Self { name, call, kind })
    }
}

/// Moves a late call, or the statement that is nothing else, in front of the layer of an earlier
/// statement. The variable has to be one all the way: bound with the layer, handed on, and called.
fn moved_between(old: &str, block: &Block, layer: Site, late: Site) -> Option<String> {
    let holding = |site: Site| {
        block.stmts.iter().position(|stmt| {
            let calls = value(stmt);
            calls.is_some_and(|call| chain(call).any(|call| is_at(call, site)))
        })
    };
    let (n, m) = (holding(layer)?, holding(late)?);
    let (layer_stmt, late_stmt) = (&block.stmts[n], &block.stmts[m]);
    let bound = Binding::of(layer_stmt)?;
    let rebound = Binding::of(late_stmt);
    let late_value = value(late_stmt)?;
    let is_last = m + 1 == block.stmts.len();
    let is_handed_on = match &rebound {
        Some(rebound) => rebound.name == bound.name,
        None => is_last,
    };
    if n >= m || !is_handed_on || root(late_value) != Some(bound.name) {
        return None;
    }
    let layer_call = chain(bound.call).find(|call| is_at(call, layer))?;
    let late_call = chain(late_value).find(|call| is_at(call, late))?;
    let mut behind = chain(bound.call).take_while(|call| !is_at(call, layer));
    if !behind.all(keeps_type) || !chain(late_call).all(keeps_type) {
        return None;
    }
    let used = Idents::of(|all| all.visit_stmt(late_stmt));
    for stmt in &block.stmts[n + 1..m] {
        match Binding::of(stmt) {
            Some(step) if step.name == bound.name => {
                if root(step.call) != Some(bound.name) || !chain(step.call).all(keeps_type) {
                    return None;
                }
            }
            _ => {
                let names = Idents::of(|all| all.visit_stmt(stmt));
                let binds = match stmt {
                    Stmt::Local(local) => Idents::of(|all| all.visit_pat(&local.pat)),
                    Stmt::Item(_) | Stmt::Macro(_) => names.clone(),
                    Stmt::Expr(..) => BTreeSet::new(),
                };
                if names.contains(&bound.name.to_string()) || !binds.is_disjoint(&used) {
                    return None;
                }
            }
        }
    }
    let is_all = rebound.as_ref().is_some_and(|rebound| {
        std::ptr::eq(rebound.call, late_call) && matches!(&*late_call.receiver, Expr::Path(_))
    });
    if !is_all {
        return moved(old, layer_call, late_call);
    }
    let lines = statement_lines(old, bytes(late_stmt))?;
    let is_alike = rebound.is_some_and(|rebound| rebound.kind == bound.kind)
        && matches!(&*layer_call.receiver, Expr::Path(path) if path.path.is_ident(bound.name));
    if is_alike {
        let to = statement_lines(old, bytes(layer_stmt))?.start;
        return Some(format!(
            "{}{}{}{}",
            &old[..to],
            &old[lines.clone()],
            &old[to..lines.start],
            &old[lines.end..]
        ));
    }
    // The statement goes, and its call into the layer's: no comment has a place there.
    if old[lines.clone()].contains("//") {
        return None;
    }
    let to = bytes(&layer_call.dot_token).start;
    let call = bytes(&late_call.dot_token).start..bytes(late_call).end;
    Some(format!(
        "{}{}{}{}",
        &old[..to],
        &old[call],
        &old[to..lines.start],
        &old[lines.end..]
    ))
}

/// The chain that a statement's value is, be it the argument of a call around it: `Ok(app.route(…))`.
fn value(stmt: &Stmt) -> Option<&ExprMethodCall> {
    if let Some(binding) = Binding::of(stmt) {
        return Some(binding.call);
    }
    match stmt {
        Stmt::Expr(Expr::MethodCall(call), None) => Some(call),
        Stmt::Expr(Expr::Call(around), None) => match around.args.first()? {
            Expr::MethodCall(call) if around.args.len() == 1 => Some(call),
            _ => None,
        },
        _ => None,
    }
}

/// From the first token to the last.
fn tokens(tokens: TokenStream) -> Option<Bytes> {
    let all: Vec<TokenTree> = tokens.into_iter().collect();
    let (first, last) = (all.first()?, all.last()?);
    Some(first.span().byte_range().start..last.span().byte_range().end)
}

/// Every name in a piece of source.
struct Idents(BTreeSet<String>);

impl Idents {
    fn of(visit: impl FnOnce(&mut Self)) -> BTreeSet<String> {
        let mut idents = Self(BTreeSet::new());
        visit(&mut idents);
        idents.0
    }

    fn tokens(&mut self, tokens: TokenStream) {
        for tree in tokens {
            match tree {
                TokenTree::Ident(ident) => self.visit_ident(&ident),
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
        }
    }
}

impl Visit<'_> for Idents {
    fn visit_ident(&mut self, ident: &Ident) {
        self.0.insert(ident.to_string());
    }

    fn visit_macro(&mut self, call: &syn::Macro) {
        self.tokens(call.tokens.clone());
    }
}
