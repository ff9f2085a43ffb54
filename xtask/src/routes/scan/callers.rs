//! Who serves, who registers, and who calls whom.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

use crate::routes::index::{Function, Index, Target, is_test, type_name};
use crate::routes::source::{FileId, Site};

/// In how many files callers of one function are looked for.
const MOST_FILES: usize = 80;

/// Whether a function makes a value of that type: it returns one.
pub(super) fn makes(function: &Function<'_>, name: &str) -> bool {
    struct Names<'a>(&'a str, bool);
    impl<'ast> Visit<'ast> for Names<'_> {
        fn visit_ident(&mut self, ident: &'ast syn::Ident) {
            self.1 |= ident == self.0;
        }
    }
    let syn::ReturnType::Type(_, ty) = &function.sig.output else {
        return false;
    };
    let mut names = Names(name, false);
    if function.self_ty.and_then(type_name).as_deref() == Some(name) {
        // A method of the type itself is a step of a builder, and no start of one.
        if matches!(function.sig.inputs.first(), Some(syn::FnArg::Receiver(_))) {
            return false;
        }
        names.visit_type(ty);
        let itself = std::mem::replace(&mut names.0, "Self");
        names.visit_type(ty);
        names.0 = itself;
        return names.1;
    }
    names.visit_type(ty);
    names.1
}

/// Whether a function may serve a router by itself.
pub(super) fn serves(block: &syn::Block) -> bool {
    struct Serves(bool);
    impl<'ast> Visit<'ast> for Serves {
        fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
            let name = call.method.to_string();
            if name.starts_with("into_make_service")
                || name.starts_with("serve")
                || name == "into_service"
                || name == "oneshot"
                || name == "call"
                || name == "finish"
            {
                self.0 = true;
            }
            syn::visit::visit_expr_method_call(self, call);
        }
        fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
            let name = segment.ident.to_string();
            if name.starts_with("serve")
                || name.starts_with("into_make_service")
                || name == "run"
                || name == "Shared"
                || name == "TowerToHyperService"
                || name == "service_fn"
            {
                self.0 = true;
            }
            syn::visit::visit_path_segment(self, segment);
        }
        fn visit_macro(&mut self, call: &'ast syn::Macro) {
            let text = call.tokens.to_string();
            if text.contains("serve") {
                self.0 = true;
            }
        }
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut serves = Serves(false);
    serves.visit_block(block);
    serves.0
}

/// The places of a function that look like registrations.
pub(super) fn registrations(index: &Index<'_>, function: &Function<'_>) -> Vec<Site> {
    struct Sites<'a> {
        all: Vec<proc_macro2::Span>,
        _marker: std::marker::PhantomData<&'a ()>,
    }
    impl<'ast> Visit<'ast> for Sites<'_> {
        fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
            let name = call.method.to_string();
            let count = call.args.len();
            if matches!(
                (name.as_str(), count),
                (
                    "route" | "route_service" | "nest_service" | "api_route" | "route_with_tsr",
                    2
                ) | ("routes" | "fallback_service", 1)
            ) || matches!(name.as_str(), "get" | "post" | "put" | "patch" | "delete")
                && count == 3
                || name.starts_with("typed_") && count == 1
            {
                self.all.push(call.method.span());
            }
            syn::visit::visit_expr_method_call(self, call);
        }
        fn visit_macro(&mut self, call: &'ast syn::Macro) {
            in_tokens(call.tokens.clone(), &mut self.all);
        }
        fn visit_expr_call(&mut self, call: &'ast syn::ExprCall) {
            // `Router::route(router, path, methods)`.
            if let syn::Expr::Path(path) = &*call.func
                && let Some(last) = path.path.segments.last()
                && (last.ident == "route" || last.ident == "route_service")
                && call.args.len() == 3
            {
                self.all.push(last.ident.span());
            }
            syn::visit::visit_expr_call(self, call);
        }
        fn visit_item(&mut self, _: &'ast syn::Item) {}
    }
    let mut sites = Sites {
        all: Vec::new(),
        _marker: std::marker::PhantomData,
    };
    sites.visit_block(function.block);
    let file = index.module(function.module).file;
    sites
        .all
        .into_iter()
        .map(|span| Site::at(file, span.start()))
        .collect()
}

/// `.route(…)` and its like among what a macro is given.
fn in_tokens(tokens: TokenStream, all: &mut Vec<proc_macro2::Span>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (n, token) in tokens.iter().enumerate() {
        match token {
            TokenTree::Group(group) => in_tokens(group.stream(), all),
            TokenTree::Ident(name)
                if ["route", "route_service", "nest_service", "fallback_service"]
                    .iter()
                    .any(|known| name == known)
                    && matches!(tokens.get(n + 1), Some(TokenTree::Group(_)))
                    && n > 0
                    && matches!(&tokens[n - 1], TokenTree::Punct(dot) if dot.as_char() == '.') =>
            {
                all.push(name.span());
            }
            _ => {}
        }
    }
}

/// The calls of a name in a body.
struct Calls<'a> {
    name: &'a str,
    paths: Vec<syn::Path>,
    methods: bool,
    /// How many arguments a method of that name has to take.
    count: usize,
    macros: bool,
}

impl<'ast> Visit<'ast> for Calls<'_> {
    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path
            .segments
            .last()
            .is_some_and(|last| last.ident == self.name)
        {
            self.paths.push(path.clone());
        }
        syn::visit::visit_path(self, path);
    }
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        self.methods |= call.method == self.name && call.args.len() == self.count;
        syn::visit::visit_expr_method_call(self, call);
    }
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.macros |= call.tokens.to_string().contains(self.name);
    }
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// How many arguments a function takes besides `self`.
fn arguments(function: &Function<'_>) -> usize {
    let inputs = function.sig.inputs.iter();
    inputs
        .filter(|input| matches!(input, syn::FnArg::Typed(_)))
        .count()
}

/// The functions that call another one, by its name or by one that an import gives it.
pub(super) fn callers<'s>(index: &Index<'s>, function: &Function<'s>) -> Vec<Function<'s>> {
    let name = function.sig.ident.to_string();
    let near = match function.self_ty.and_then(type_name) {
        Some(of) => Some(of),
        None => index.module_path(function.module).pop(),
    };
    let near = near.unwrap_or_default();
    let here = index.module(function.module);
    let users = index.workspace.users(here.krate);
    let count = arguments(function);
    let mut names = vec![name];
    let mut all: Vec<Function<'s>> = Vec::new();
    let mut next = 0;
    while let Some(name) = names.get(next).cloned() {
        next += 1;
        let call = format!("{name}(");
        let full = format!("{near}::{call}");
        let mut searches = [
            vec![call.as_str()],
            vec![call.as_str(), near.as_str()],
            vec![full.as_str()],
        ];
        // Who got a function by a re-export need not name its module. A method has a type somewhere,
        // and its name alone is that of many.
        if function.is_member {
            searches.rotate_left(1);
        }
        for words in searches {
            let mut files: Vec<FileId> = (index.sources.containing(&words))
                .filter(|file| {
                    let package = index.workspace.package_at(index.sources.path(*file));
                    package.is_some_and(|package| users.contains(&package))
                        && index.sources.calls(*file, &call, count > 0)
                })
                .collect();
            // A name that everything has leads nowhere.
            if files.len() > MOST_FILES {
                continue;
            }
            if !files.contains(&here.file) {
                files.push(here.file);
            }
            let found = callers_in(index, function, &name, &files);
            if !found.is_empty() {
                all.extend(found);
                break;
            }
        }
        if !function.is_member {
            let renamed = format!("{name} as ");
            for file in index.sources.containing(&[&renamed]) {
                for alias in index.sources.aliases(file, std::slice::from_ref(&name)) {
                    if !names.contains(&alias) {
                        names.push(alias);
                    }
                }
            }
        }
    }
    all
}

pub(super) fn callers_in<'s>(
    index: &Index<'s>,
    function: &Function<'s>,
    name: &str,
    files: &[FileId],
) -> Vec<Function<'s>> {
    let mut all = Vec::new();
    for file in files.iter().copied() {
        for module in index.modules_in(file) {
            let here = index.module(module);
            if here.is_test {
                continue;
            }
            for caller in index.functions(module) {
                if std::ptr::eq(caller.block, function.block) || is_test(caller.attrs) {
                    continue;
                }
                let mut calls = Calls {
                    name,
                    paths: Vec::new(),
                    methods: false,
                    count: arguments(function),
                    macros: false,
                };
                calls.visit_block(caller.block);
                let scope = index.block(module, caller.block);
                let by_path = calls.paths.iter().any(|path| {
                    // `Type::name`, `Self::name`.
                    let of_type = || {
                        let before = path.segments.iter().rev().nth(1);
                        let of = function.self_ty.and_then(type_name);
                        before.is_some_and(|before| {
                            let before = before.ident.to_string();
                            before == "Self"
                                || of.is_none()
                                || of.as_ref() == Some(&before)
                                || of == index.renamed(scope, &before)
                        })
                    };
                    function.is_member && of_type()
                        || !function.is_member
                            && match index.resolve_path(scope, path) {
                                Target::Items(all) => all.iter().any(|found| match found.item {
                                    syn::Item::Fn(item) => {
                                        std::ptr::eq(&raw const *item.block, function.block)
                                    }
                                    _ => false,
                                }),
                                // A local function, or a name from a scope that is not looked into.
                                Target::Unknown => path.segments.len() == 1,
                                _ => false,
                            }
                });
                if by_path || calls.macros || function.is_member && calls.methods {
                    all.push(caller);
                }
            }
        }
    }
    all
}
