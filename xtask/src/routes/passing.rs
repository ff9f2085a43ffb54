//! Whether a guard turns anybody away before it lets a request through: a plain walk over its body.

use proc_macro2::LineColumn;
use syn::visit::Visit;
use syn::{Block, Expr, Stmt};

/// The place of a `next.run(…)` that is reached without a rejection before it or in a branch beside
/// it.
pub(crate) fn passes(block: &Block) -> Option<LineColumn> {
    let mut walk = Walk {
        rejects: false,
        found: None,
    };
    walk.block(block, false);
    walk.found
}

struct Walk {
    /// A way out without the handler was seen on the way here.
    rejects: bool,
    found: Option<LineColumn>,
}

impl Walk {
    fn block(&mut self, block: &Block, beside: bool) {
        for stmt in &block.stmts {
            match stmt {
                Stmt::Local(local) => {
                    if let Some(init) = &local.init {
                        self.expr(&init.expr, beside);
                        if let Some((_, other)) = &init.diverge {
                            self.rejects |= leaves(other);
                        }
                    }
                }
                Stmt::Expr(expr, _) => self.expr(expr, beside),
                Stmt::Macro(_) | Stmt::Item(_) => {}
            }
        }
    }

    /// `beside`: another branch of the same decision rejects.
    fn expr(&mut self, expr: &Expr, beside: bool) {
        match expr {
            Expr::If(branch) => {
                let then = block_rejects(&branch.then_branch);
                let other = branch
                    .else_branch
                    .as_ref()
                    .is_some_and(|(_, other)| rejects(other));
                self.expr(&branch.cond, beside);
                self.block(&branch.then_branch, beside || other);
                if let Some((_, other)) = &branch.else_branch {
                    self.expr(other, beside || then);
                }
                self.rejects |= then || other;
            }
            Expr::Match(branch) => {
                self.expr(&branch.expr, beside);
                let any = branch.arms.iter().any(|arm| rejects(&arm.body));
                for arm in &branch.arms {
                    self.expr(&arm.body, beside || any);
                }
                self.rejects |= any;
            }
            Expr::Block(inner) => self.block(&inner.block, beside),
            Expr::Async(inner) => self.block(&inner.block, beside),
            other => {
                let mut calls = Calls {
                    run: None,
                    tries: false,
                };
                calls.visit_expr(other);
                if let Some(at) = calls.run
                    && !self.rejects
                    && !beside
                    // `check(&request)?` in the same expression comes before.
                    && (!calls.tries || ends_in_try(other))
                {
                    self.found = self.found.or(Some(at));
                }
                self.rejects |= calls.tries || leaves(other);
            }
        }
    }
}

fn ends_in_try(expr: &Expr) -> bool {
    matches!(expr, Expr::Try(_))
}

struct Calls {
    run: Option<LineColumn>,
    tries: bool,
}

impl<'ast> Visit<'ast> for Calls {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let on_next = matches!(&*call.receiver, Expr::Path(path) if path.path.is_ident("next"));
        if call.method == "run" && on_next {
            self.run = Some(call.method.span().start());
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    fn visit_expr_try(&mut self, expr: &'ast syn::ExprTry) {
        self.tries = true;
        syn::visit::visit_expr_try(self, expr);
    }

    fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
}

/// Whether an expression is a way out that does not go through the handler.
fn rejects(expr: &Expr) -> bool {
    match expr {
        Expr::Block(inner) => block_rejects(&inner.block),
        Expr::If(branch) => {
            block_rejects(&branch.then_branch)
                || branch
                    .else_branch
                    .as_ref()
                    .is_some_and(|(_, other)| rejects(other))
        }
        other => leaves(other) || is_answer(other),
    }
}

fn block_rejects(block: &Block) -> bool {
    let leaves = block.stmts.iter().any(|stmt| match stmt {
        Stmt::Expr(expr, _) => leaves(expr),
        Stmt::Local(local) => local.init.as_ref().is_some_and(|init| leaves(&init.expr)),
        _ => false,
    });
    let answers = matches!(block.stmts.last(), Some(Stmt::Expr(expr, None)) if is_answer(expr));
    leaves || answers
}

/// `return …` or `…?`, without the handler's answer in it.
fn leaves(expr: &Expr) -> bool {
    struct Leaves(bool);
    impl<'ast> Visit<'ast> for Leaves {
        fn visit_expr_return(&mut self, expr: &'ast syn::ExprReturn) {
            let mut calls = Calls {
                run: None,
                tries: false,
            };
            calls.visit_expr_return(expr);
            self.0 |= calls.run.is_none();
        }
        fn visit_expr_closure(&mut self, _: &'ast syn::ExprClosure) {}
    }
    let mut leaves = Leaves(false);
    leaves.visit_expr(expr);
    leaves.0
}

/// A last expression that answers by itself: `Err(…)`, a status, `….into_response()`.
fn is_answer(expr: &Expr) -> bool {
    let mut calls = Calls {
        run: None,
        tries: false,
    };
    calls.visit_expr(expr);
    calls.run.is_none() && !matches!(expr, Expr::Tuple(tuple) if tuple.elems.is_empty())
}
