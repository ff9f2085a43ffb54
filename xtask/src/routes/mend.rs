//! Mends as unified diffs: printed beside the finding, never applied.

use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Expr, ExprMethodCall};

use super::source::{Site, Sources};
use crate::report::text;

/// A unified diff.
pub(crate) type Mend = String;

/// Moves a layer's call behind the call that came too late, where both are of one chain, or behind
/// its statement, where both are statements of one block.
pub(crate) fn move_layer(sources: &Sources, layer: Site, late: Site) -> Option<Mend> {
    let layer_site = layer;
    if layer.file != late.file {
        return None;
    }
    let ast = sources.ast(layer.file)?;
    let old = sources.text(layer.file);
    let mut finder = Finder {
        layer,
        late,
        chain: None,
        statements: None,
    };
    finder.visit_file(ast);
    let new = if let Some((layer, late)) = finder.chain {
        // receiver | .layer(…) | calls in between up to the late one | rest
        let receiver = layer.receiver.span().byte_range().end;
        let end = layer.span().byte_range().end;
        let behind = late.span().byte_range().end;
        format!(
            "{}{}{}{}",
            &old[..receiver],
            &old[end..behind],
            &old[receiver..end],
            &old[behind..]
        )
    } else {
        let (layer, late, call) = finder.statements?;
        let start = line_start(old, layer.start);
        let end = line_end(old, layer.end);
        let behind = line_end(old, late.end);
        if end > late.start {
            return None;
        }
        if let Some(call) = call {
            let new = format!(
                "{}{}{}{}",
                &old[..start],
                &old[end..late.end],
                &old[call],
                &old[late.end..]
            );
            return Some(text::diff(sources.path(layer_site.file), old, &new));
        }
        format!(
            "{}{}{}{}",
            &old[..start],
            &old[end..behind],
            &old[start..end],
            &old[behind..]
        )
    };
    Some(text::diff(sources.path(layer.file), old, &new))
}

/// Gives the call at `site` another name: `layer` ↔ `route_layer`.
pub(crate) fn rename(sources: &Sources, site: Site, name: &str) -> Option<Mend> {
    let ast = sources.ast(site.file)?;
    let old = sources.text(site.file);
    let mut finder = Finder {
        layer: site,
        late: site,
        chain: None,
        statements: None,
    };
    finder.visit_file(ast);
    let (call, _) = finder.chain?;
    let range = call.method.span().byte_range();
    if &old[range.clone()] == name {
        return None;
    }
    let new = format!("{}{name}{}", &old[..range.start], &old[range.end..]);
    Some(text::diff(sources.path(site.file), old, &new))
}

/// Splits `.routes(routes!(a, b))` into one call per handler.
pub(crate) fn split_routes(sources: &Sources, site: Site) -> Option<Mend> {
    let ast = sources.ast(site.file)?;
    let old = sources.text(site.file);
    let mut finder = Finder {
        layer: site,
        late: site,
        chain: None,
        statements: None,
    };
    finder.visit_file(ast);
    let (call, _) = finder.chain?;
    let Some(Expr::Macro(routes)) = call.args.first() else {
        return None;
    };
    let name = routes.mac.path.span().source_text()?;
    let parts = super::eval::macros::split(routes.mac.tokens.clone());
    let handlers: Vec<String> = parts
        .iter()
        .map(|part| part.to_string().split_whitespace().collect::<String>())
        .collect();
    let receiver = call.receiver.span().byte_range().end;
    let end = call.span().byte_range().end;
    // As the chain is laid out: on one line, or a call per line.
    let between = &old[receiver..call.dot_token.span().byte_range().start];
    let calls: Vec<String> = handlers
        .iter()
        .map(|handler| format!("{between}.routes({name}!({handler}))"))
        .collect();
    let new = format!("{}{}{}", &old[..receiver], calls.concat(), &old[end..]);
    Some(text::diff(sources.path(site.file), old, &new))
}

/// A range of a file's text.
type Bytes = std::ops::Range<usize>;

/// Finds the calls at two places.
struct Finder<'a> {
    layer: Site,
    late: Site,
    /// The layer's call and the late one, where the one is in the other's chain.
    chain: Option<(&'a ExprMethodCall, &'a ExprMethodCall)>,
    /// The layer's statement, the late one, and the layer's call where the late one is the block's
    /// value: nothing can follow that, so the call moves to its end.
    statements: Option<(Bytes, Bytes, Option<Bytes>)>,
}

impl Finder<'_> {
    fn is_at(call: &ExprMethodCall, site: Site) -> bool {
        Site::at(site.file, call.method.span().start()) == site
    }
}

impl<'ast> Visit<'ast> for Finder<'ast> {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        if Self::is_at(call, self.late) {
            let mut inner = call;
            loop {
                if Self::is_at(inner, self.layer) {
                    self.chain = Some((inner, call));
                    break;
                }
                match &*inner.receiver {
                    Expr::MethodCall(next) => inner = next,
                    _ => break,
                }
            }
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        let holds = |stmt: &'ast syn::Stmt, site: Site| {
            let span = stmt.span();
            let (start, end) = (span.start(), span.end());
            (start.line..=end.line).contains(&(site.line as usize))
        };
        let find = |site: Site| block.stmts.iter().position(|stmt| holds(stmt, site));
        if let (Some(layer), Some(late)) = (find(self.layer), find(self.late))
            && layer < late
            // Only a statement that does nothing but put the layer on can be moved as a whole.
            && is_layering(&block.stmts[layer])
        {
            let range = |n: usize| block.stmts[n].span().byte_range();
            let call = matches!(block.stmts[late], syn::Stmt::Expr(_, None))
                .then(|| layer_call(&block.stmts[layer]))
                .flatten();
            self.statements = Some((range(layer), range(late), call));
        }
        syn::visit::visit_block(self, block);
    }
}

/// `let app = app.layer(…);` and `app = app.layer(…);`.
fn is_layering(stmt: &syn::Stmt) -> bool {
    let expr = match stmt {
        syn::Stmt::Local(local) => local.init.as_ref().map(|init| &*init.expr),
        syn::Stmt::Expr(Expr::Assign(assign), _) => Some(&*assign.right),
        _ => None,
    };
    matches!(expr, Some(Expr::MethodCall(call)) if matches!(&*call.receiver, Expr::Path(_)))
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |n| n + 1)
}

fn line_end(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |n| at + n + 1)
}

/// `.layer(…)` of a statement that does nothing else.
fn layer_call(stmt: &syn::Stmt) -> Option<Bytes> {
    let expr = match stmt {
        syn::Stmt::Local(local) => local.init.as_ref().map(|init| &*init.expr),
        syn::Stmt::Expr(Expr::Assign(assign), _) => Some(&*assign.right),
        _ => None,
    };
    match expr {
        Some(Expr::MethodCall(call)) => {
            Some(call.receiver.span().byte_range().end..call.span().byte_range().end)
        }
        _ => None,
    }
}
