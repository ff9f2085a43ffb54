//! What goes round the guard: raw routers where only the guarded one may be, and what switches off
//! clippy's ban on them. Of a workspace that has a guard crate; names are resolved through each
//! file's imports.

use std::collections::BTreeSet;

use syn::spanned::Spanned as _;
use syn::visit::Visit;

/// Something that reaches a route without the guard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bypass {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) what: String,
    /// Not a route, but clippy's ban on raw routers switched off.
    pub(crate) is_lifted_ban: bool,
}

/// Registration methods that only a raw axum router has.
const RAW: &[&str] = &[
    "fallback",
    "fallback_service",
    "method_not_allowed_fallback",
    "nest_service",
    "route",
    "route_layer",
    "route_service",
];

/// Items of axum that make or serve a raw router.
const AXUM: &[&str] = &["Router", "handler", "middleware", "routing", "serve"];

/// Reads one file. `axum` are the names its crate knows axum by, see [`aliases`]. A file that does
/// not parse has none; the scan reports it.
pub(crate) fn bypasses(text: &str, axum: &BTreeSet<String>) -> Vec<Bypass> {
    let Ok(file) = syn::parse_file(text) else {
        return Vec::new();
    };
    let mut visitor = Visitor {
        axum,
        bypasses: Vec::new(),
    };
    if !is_test(&file.attrs) {
        file.attrs
            .iter()
            .for_each(|attribute| visitor.visit_attribute(attribute));
        visitor.visit_file(&file);
    }
    visitor.bypasses
}

/// Adds the names that one file gives axum: `use axum as web`, `use axum::{self as web}`,
/// `extern crate axum as web`. A file that does not parse gives none; the scan reports it.
pub(crate) fn aliases(text: &str, axum: &mut BTreeSet<String>) {
    if let Ok(file) = syn::parse_file(text) {
        Aliases(axum).visit_file(&file);
    }
}

/// `#[cfg(test)]` and `#[test]`: not part of what is served.
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute
                    .parse_args::<syn::Ident>()
                    .is_ok_and(|condition| condition == "test")
    })
}

const LIFTED: &str = "the ban on raw routers is lifted";

struct Aliases<'a>(&'a mut BTreeSet<String>);

impl<'ast> Visit<'ast> for Aliases<'_> {
    fn visit_use_rename(&mut self, rename: &'ast syn::UseRename) {
        if self.0.contains(&rename.ident.to_string()) {
            self.0.insert(rename.rename.to_string());
        }
    }

    fn visit_use_path(&mut self, path: &'ast syn::UsePath) {
        if self.0.contains(&path.ident.to_string()) {
            let items = match &*path.tree {
                syn::UseTree::Group(group) => group.items.iter().collect(),
                tree => vec![tree],
            };
            for item in items {
                if let syn::UseTree::Rename(rename) = item
                    && rename.ident == "self"
                {
                    self.0.insert(rename.rename.to_string());
                }
            }
        }
        syn::visit::visit_use_path(self, path);
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        if let Some((_, rename)) = &item.rename
            && self.0.contains(&item.ident.to_string())
        {
            self.0.insert(rename.to_string());
        }
    }
}

struct Visitor<'a> {
    axum: &'a BTreeSet<String>,
    bypasses: Vec<Bypass>,
}

impl Visitor<'_> {
    fn bypass(&mut self, span: proc_macro2::Span, what: String) {
        let start = span.start();
        let bypass = Bypass {
            line: start.line,
            column: start.column + 1,
            is_lifted_ban: what == LIFTED,
            what,
        };
        if self.bypasses.last() != Some(&bypass) {
            self.bypasses.push(bypass);
        }
    }

    /// Walks `use axum::{Router, routing::get}`; `seen` is the path so far.
    fn walk_use(&mut self, tree: &syn::UseTree, seen: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                seen.push(path.ident.to_string());
                self.walk_use(&path.tree, seen);
                seen.pop();
            }
            syn::UseTree::Group(group) => group
                .items
                .iter()
                .for_each(|item| self.walk_use(item, seen)),
            syn::UseTree::Name(name) => self.check(
                &[seen.as_slice(), &[name.ident.to_string()]].concat(),
                name.span(),
            ),
            syn::UseTree::Rename(name) => self.check(
                &[seen.as_slice(), &[name.ident.to_string()]].concat(),
                name.span(),
            ),
            syn::UseTree::Glob(glob) => {
                self.check(&[seen.as_slice(), &["*".to_owned()]].concat(), glob.span());
            }
        }
    }

    fn check(&mut self, path: &[String], span: proc_macro2::Span) {
        let path = match path {
            [first, rest @ ..] if matches!(first.as_str(), "crate" | "self" | "super") => rest,
            path => path,
        };
        let [first, second, ..] = path else { return };
        if self.axum.contains(first) && (AXUM.contains(&second.as_str()) || second == "*") {
            self.bypass(
                span,
                format!("`{}` makes a route without the guard", path.join("::")),
            );
        }
    }
}

impl<'ast> Visit<'ast> for Visitor<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let attributes = match item {
            syn::Item::Fn(item) => &item.attrs,
            syn::Item::Mod(item) => &item.attrs,
            syn::Item::Impl(item) => &item.attrs,
            syn::Item::Use(item) => &item.attrs,
            _ => return syn::visit::visit_item(self, item),
        };
        if !is_test(attributes) {
            syn::visit::visit_item(self, item);
        }
    }

    /// What the scan cannot follow, and what switches off the second lock, clippy's ban.
    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        let span = attribute.span();
        if attribute.path().is_ident("path") {
            self.bypass(
                span,
                "`#[path]` takes a module from where the scan does not look".to_owned(),
            );
        }
        let lifts = attribute.path().is_ident("allow") || attribute.path().is_ident("expect");
        if let syn::Meta::List(list) = &attribute.meta
            && lifts
            && list.tokens.to_string().contains("disallowed_")
        {
            self.bypass(span, LIFTED.to_owned());
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.walk_use(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        self.check(&segments, path.span());
        syn::visit::visit_path(self, path);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        let name = call.method.to_string();
        if RAW.contains(&name.as_str()) {
            self.bypass(
                call.method.span(),
                format!("`.{name}(…)` registers without the guard"),
            );
        }
        syn::visit::visit_expr_method_call(self, call);
    }

    /// A macro is tokens to `syn`: one that names axum's router is refused rather than overlooked.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let text = call.tokens.to_string();
        if call.path.is_ident("include") {
            self.bypass(
                call.path.span(),
                "`include!` takes code from where the scan does not look".to_owned(),
            );
        }
        let hides = self.axum.iter().any(|name| {
            AXUM.iter()
                .any(|item| text.contains(&format!("{name} :: {item}")))
                || text.contains(&format!("{name} :: {{"))
        });
        let raw = RAW.iter().any(|method| {
            text.contains(&format!(". {method} (")) || text.contains(&format!(".{method}("))
        });
        if hides || raw {
            self.bypass(call.path.span(), "a macro hides a registration".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut names = BTreeSet::from(["axum".to_owned()]);
        aliases(text, &mut names);
        bypasses(text, &names)
            .into_iter()
            .map(|bypass| bypass.what)
            .collect()
    }

    #[test]
    fn raw_axum_is_found_under_any_name() {
        for text in [
            "use axum::Router;",
            "use axum::{extract::State, routing::get};",
            "use axum::routing::get as g;",
            "use axum as web; fn f() -> web::Router { web::Router::new() }",
            "extern crate axum as web; fn f() { web::serve(a, b); }",
            "use axum::*;",
            "use axum::{self as web}; type R = web::Router;",
            "pub(crate) use axum as web; use crate::web::Router;",
            "fn f() { make!(use axum::{Router};) }",
            "#[path = \"../raw.rs\"] mod raw;",
            "include!(\"raw.rs\");",
            "#![expect(clippy::disallowed_types, reason = \"x\")]",
            "#[allow(clippy::disallowed_methods)] fn f() {}",
            "use ::axum::Router;",
            "fn f() -> ::axum::Router { todo() }",
            "fn f(r: R) -> R { r.route(\"/x\", h) }",
            "fn f(r: R) -> R { r.nest_service(\"/x\", h) }",
            "fn f() { app!(axum::Router::new()) }",
            "fn f() { chain!(r.route(\"/x\", h)) }",
            "macro_rules! m { () => { axum::routing::get(h) } }",
        ] {
            assert!(!found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn extractors_and_tests_are_no_bypass() {
        for text in [
            "use axum::extract::{Path, State}; use axum::Json;",
            "#[cfg(test)] mod tests { use axum::Router; }",
            "#[test] fn f() { let r = axum::Router::new(); }",
            "fn f(map: M) { map.get(\"x\"); }",
            "// axum::Router\nfn f() {}",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }
}
