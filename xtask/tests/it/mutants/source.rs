//! Rust source as text with the places that operators edit, found by the spans of the parser.

use std::ops::Range;

use syn::spanned::Spanned as _;
use syn::visit::Visit;
use syn::{Expr, ExprMethodCall, Stmt};

/// A file, and where its routers, imports and functions are.
pub(crate) struct Source {
    pub(crate) file: String,
    pub(crate) text: String,
    pub(crate) chains: Vec<Chain>,
    pub(crate) imports: Vec<Import>,
    pub(crate) functions: Vec<Function>,
    /// Paths in expressions and types: the first name, the last name, all of it.
    pub(crate) paths: Vec<[Range<usize>; 3]>,
}

/// Calls on one value after another: `a.b().c()`, or `x = x.b(); x = x.c();`.
pub(crate) struct Chain {
    pub(crate) kind: Kind,
    /// The value at the start.
    pub(crate) root: Range<usize>,
    pub(crate) range: Range<usize>,
    pub(crate) segments: Vec<Segment>,
    /// The text of the function around it, where names in arguments are bound.
    pub(crate) function: Range<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Router,
    /// The methods of one path.
    Methods,
    ServiceBuilder,
    Guarded,
    Other,
}

/// One call of a chain, from the end of its receiver on, so that segments can change places.
#[derive(Clone)]
pub(crate) struct Segment {
    pub(crate) name: String,
    pub(crate) name_range: Range<usize>,
    pub(crate) range: Range<usize>,
    /// The value that the call is made on.
    pub(crate) receiver: Range<usize>,
    pub(crate) args: Vec<Range<usize>>,
    /// The line of its name, from 1.
    pub(crate) line: usize,
}

/// One name that a `use` brings in.
pub(crate) struct Import {
    /// `web::auth::require_user`.
    pub(crate) path: String,
    pub(crate) range: Range<usize>,
}

pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) range: Range<usize>,
    pub(crate) body: Range<usize>,
    pub(crate) has_next: bool,
}

impl Source {
    pub(crate) fn read(file: &str, text: &str) -> Self {
        let ast = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut reader = Reader {
            source: Self {
                file: file.to_owned(),
                text: text.to_owned(),
                chains: Vec::new(),
                imports: Vec::new(),
                functions: Vec::new(),
                paths: Vec::new(),
            },
            function: 0..0,
        };
        reader.visit_file(&ast);
        reader.source
    }

    pub(crate) fn at(&self, range: &Range<usize>) -> &str {
        &self.text[range.clone()]
    }

    /// The text with other text in place of each of these parts.
    pub(crate) fn edited(&self, edits: &[(Range<usize>, String)]) -> String {
        let mut edits: Vec<_> = edits.iter().collect();
        edits.sort_by_key(|(range, _)| range.start);
        let mut text = String::new();
        let mut done = 0;
        for (range, new) in edits {
            assert!(done <= range.start, "{}: edits overlap", self.file);
            text.push_str(&self.text[done..range.start]);
            text.push_str(new);
            done = range.end;
        }
        text.push_str(&self.text[done..]);
        assert_ne!(text, self.text, "{}: edits change nothing", self.file);
        text
    }

    /// The lines of a part, from 1.
    pub(crate) fn lines(&self, range: &Range<usize>) -> Range<usize> {
        let line = |at: usize| self.text[..at].matches('\n').count() + 1;
        line(range.start)..line(range.end) + 1
    }

    pub(crate) fn place(&self, line: usize) -> String {
        format!("{}:{line}", self.file)
    }

    /// The text of an argument with what the names in it are bound to in its function.
    pub(crate) fn bound(&self, chain: &Chain, arg: &Range<usize>) -> String {
        let mut text = self.at(arg).to_owned();
        let name = text.split('.').next().unwrap_or_default().trim().to_owned();
        let function = self.at(&chain.function);
        if let Some(at) = function.find(&format!("let {name} = ")) {
            let bound = &function[at..];
            text.push_str(&bound[..bound.find(';').unwrap_or(bound.len())]);
        }
        text
    }
}

struct Reader {
    source: Source,
    function: Range<usize>,
}

const VERBS: &[&str] = &["get", "post", "put", "patch", "delete", "any"];
const ROUTING: &[&str] = &["route", "nest", "merge", "layer", "route_layer"];

impl Reader {
    fn segment(call: &ExprMethodCall) -> Segment {
        let receiver = call.receiver.span().byte_range();
        Segment {
            name: call.method.to_string(),
            name_range: call.method.span().byte_range(),
            range: receiver.end..call.span().byte_range().end,
            receiver,
            args: call
                .args
                .iter()
                .map(|arg| arg.span().byte_range())
                .collect(),
            line: call.method.span().start().line,
        }
    }

    /// The calls of a chain in order, and what it starts with.
    fn calls(call: &ExprMethodCall) -> (Vec<&ExprMethodCall>, &Expr) {
        let mut calls = vec![call];
        let mut root = &*call.receiver;
        while let Expr::MethodCall(inner) = root {
            calls.push(inner);
            root = &inner.receiver;
        }
        calls.reverse();
        (calls, root)
    }

    fn add_chain(&mut self, segments: Vec<Segment>, root: Range<usize>, range: Range<usize>) {
        let start = self.source.at(&root);
        let routes = segments
            .iter()
            .any(|segment| ROUTING.contains(&segment.name.as_str()));
        let is_name = start.chars().all(|c| c.is_alphanumeric() || c == '_');
        let called = start.split('(').next().unwrap_or_default();
        let called = called.rsplit("::").next().unwrap_or_default();
        let kind = if start.starts_with("GuardedRouter::new") {
            Kind::Guarded
        } else if start.starts_with("ServiceBuilder::new") {
            Kind::ServiceBuilder
        } else if start.starts_with("Router::new") || is_name && routes {
            Kind::Router
        } else if VERBS.contains(&called) {
            Kind::Methods
        } else {
            Kind::Other
        };
        self.source.chains.push(Chain {
            kind,
            root,
            range,
            segments,
            function: self.function.clone(),
        });
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let range = item.span().byte_range();
        let has_next = item.sig.inputs.iter().any(|input| {
            matches!(input, syn::FnArg::Typed(arg) if self.source.at(&arg.ty.span().byte_range()) == "Next")
        });
        self.source.functions.push(Function {
            name: item.sig.ident.to_string(),
            range: range.clone(),
            body: item.block.span().byte_range(),
            has_next,
        });
        self.function = range;
        syn::visit::visit_item_fn(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let (calls, root) = Self::calls(call);
        let segments = calls.iter().map(|call| Self::segment(call)).collect();
        let range = call.span().byte_range();
        self.add_chain(segments, root.span().byte_range(), range);
        self.visit_expr(root);
        for arg in calls.iter().flat_map(|call| &call.args) {
            self.visit_expr(arg);
        }
    }

    /// Statements that hand one variable on and on are one chain.
    fn visit_block(&mut self, block: &'ast syn::Block) {
        let mut run: Vec<(&'ast ExprMethodCall, Range<usize>)> = Vec::new();
        for stmt in &block.stmts {
            let handed_on = match stmt {
                Stmt::Expr(Expr::Assign(assign), Some(_)) => {
                    match (&*assign.left, &*assign.right) {
                        (Expr::Path(left), Expr::MethodCall(call)) => match &*call.receiver {
                            Expr::Path(root) if root.path.get_ident() == left.path.get_ident() => {
                                Some(call)
                            }
                            _ => None,
                        },
                        _ => None,
                    }
                }
                _ => None,
            };
            match handed_on {
                Some(call) => run.push((call, stmt.span().byte_range())),
                None => self.visit_stmt(stmt),
            }
        }
        if let (Some((first, start)), Some((_, end))) = (run.first(), run.last()) {
            let range = start.start..end.end;
            let root = first.receiver.span().byte_range();
            let segments = run.iter().map(|(call, _)| Self::segment(call)).collect();
            self.add_chain(segments, root, range);
        }
        for arg in run.iter().flat_map(|(call, _)| &call.args) {
            self.visit_expr(arg);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if let (Some(first), Some(last)) = (path.segments.first(), path.segments.last()) {
            self.source.paths.push([
                first.ident.span().byte_range(),
                last.ident.span().byte_range(),
                path.span().byte_range(),
            ]);
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        leaves(&item.tree, "", &mut self.source.imports);
    }
}

fn leaves(tree: &syn::UseTree, above: &str, into: &mut Vec<Import>) {
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, &format!("{above}{}::", path.ident), into),
        syn::UseTree::Group(group) => {
            for tree in &group.items {
                leaves(tree, above, into);
            }
        }
        syn::UseTree::Name(name) => into.push(Import {
            path: format!("{above}{}", name.ident),
            range: name.ident.span().byte_range(),
        }),
        syn::UseTree::Rename(_) | syn::UseTree::Glob(_) => {}
    }
}
