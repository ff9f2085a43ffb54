//! From the files of a workspace to its routes: which functions are read, and what they serve.
//!
//! Long because the walks that find entries, callers and registrations serve nothing but this
//! search.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use syn::visit::Visit;

use super::eval::{Eval, Unresolved};
use super::index::{Function, Index, Target, is_test, type_name};
use super::passing::passes;
use super::router::{Endpoint, Fallback, Handler, Kind, Late, Router, Served, Stack, Text};
use super::source::{FileId, Site, Sources};
use super::workspace::{Workspace, is_test_path};

/// In how many files callers of one function are looked for.
const MOST_FILES: usize = 80;

/// How often callers of callers are asked.
const ROUNDS: usize = 8;

/// One route as it is served.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) app: String,
    pub(crate) method: &'static str,
    pub(crate) path: Text,
    pub(crate) site: Site,
    pub(crate) handler: Rc<Handler>,
    pub(crate) stack: Stack,
    pub(crate) late: Vec<Late>,
    pub(crate) condition: Option<Rc<str>>,
    /// What kept it from being read.
    pub(crate) opaque: Option<Rc<str>>,
    pub(crate) is_fallback: bool,
}

/// An answer that axum gives by itself: 404 or 405.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) app: String,
    pub(crate) root: Site,
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    pub(crate) stack: Stack,
    /// The registration it belongs to.
    pub(crate) site: Site,
    pub(crate) kind_of_router: Kind,
    /// Where the program answers itself: `method_not_allowed_fallback`.
    pub(crate) handler: Option<Rc<Handler>>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) rows: Vec<Row>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) unresolved: BTreeSet<Unresolved>,
    pub(crate) panics: Vec<(Site, String)>,
    /// A merge that dropped the layers of the built-in 404.
    pub(crate) dropped: Vec<(Site, Stack)>,
    /// Registrations that nothing serves.
    pub(crate) orphans: Vec<Site>,
    /// Manifests that do not parse.
    pub(crate) manifests: Vec<(String, String)>,
    /// Where the names of the policy lead: through re-exports to the thing itself.
    pub(crate) canonical: BTreeMap<String, String>,
    /// Guards that let a request through unseen, and where.
    pub(crate) passing: Vec<(String, Site)>,
    /// Packages that serve something.
    pub(crate) apps: BTreeSet<String>,
}

/// Evaluates every router of the tree.
pub(crate) fn scan(
    sources: &Sources,
    workspace: &Workspace,
    guard_crates: BTreeSet<String>,
    names: &BTreeSet<&str>,
    guards: &BTreeSet<&str>,
    reads_arguments: bool,
) -> Found {
    let index = Index::new(sources, workspace);
    let mut eval = Eval::new(&index, guard_crates);
    eval.reads_arguments = reads_arguments;
    let mut found = Found::default();

    let mut functions: Vec<Function<'_>> = Vec::new();
    for file in sources.relevant() {
        let path = sources.path(file);
        if is_test_path(path) || !workspace.may_route(path) || sources.ast(file).is_none() {
            continue;
        }
        for module in index.modules_in(file) {
            if !index.module(module).is_test && !eval.in_guard_crate(module) {
                functions.extend(index.functions(module));
                eval.item_macros(module);
            }
        }
    }
    let mut entered: HashSet<*const syn::Block> = HashSet::new();
    let mut queue: Vec<Function<'_>> = functions
        .iter()
        .copied()
        .filter(|function| serves(function.block) || function.sig.ident == "main")
        .collect();
    let mut asked = HashSet::new();
    for _ in 0..ROUNDS {
        for function in std::mem::take(&mut queue) {
            if entered.insert(std::ptr::from_ref(function.block)) {
                eval.enter(function);
            }
        }
        for (function, _) in eval.wants_callers.clone() {
            if !asked.insert(std::ptr::from_ref(function.block)) {
                continue;
            }
            queue.extend(callers(&index, &function).into_iter().filter(|caller| {
                !entered.contains(&std::ptr::from_ref(caller.block))
                    && !eval.in_guard_crate(caller.module)
            }));
            // Nobody need call it by name: whoever makes its object has it served.
            if let Some(ty) = eval.server_type(&function) {
                eval.servers.push((ty.path.join("::"), function));
                for maker in functions.iter().filter(|maker| makes(maker, &ty.name)) {
                    for caller in callers(&index, maker) {
                        entered.remove(&std::ptr::from_ref(caller.block));
                        queue.push(caller);
                    }
                }
            }
        }
        if queue.is_empty() {
            break;
        }
    }

    // What is registered and was never on the way to a root: a library's own router, or nobody's.
    let mut orphans: Vec<(Function<'_>, Vec<Site>)> = Vec::new();
    for function in &functions {
        if entered.contains(&std::ptr::from_ref(function.block)) {
            continue;
        }
        let sites = registrations(&index, function);
        if sites.iter().any(|site| !eval.visited.contains(site)) {
            let before = eval.visited.clone();
            let roots = eval.roots.len();
            let wanted = eval.wants_callers.len();
            let value = eval.enter(*function);
            let new: Vec<Site> = eval.visited.difference(&before).copied().collect();
            eval.roots.truncate(roots);
            eval.wants_callers.truncate(wanted);
            let package = workspace.package_of(index.module(function.module).krate);
            let is_library = !package.has_binary && !package.is_depended_on;
            if is_library && let Some(router) = value.router() {
                let site = eval.site(
                    &super::eval::Frame::new(function.module, None),
                    function.sig.ident.span(),
                );
                eval.roots.push(super::eval::Root {
                    site,
                    router: Rc::clone(router),
                    entry: *function,
                });
            } else if !new.is_empty() {
                orphans.push((*function, new));
            }
        }
    }
    found.orphans = orphans.into_iter().flat_map(|(_, sites)| sites).collect();
    found.orphans.sort();
    found.orphans.dedup();

    // A root that was read with all it is given says more than the same root read alone.
    let closed: HashSet<Site> = eval
        .roots
        .iter()
        .filter(|root| !root.router.is_open)
        .map(|root| root.site)
        .collect();
    // What nobody in this tree gives cannot be judged.
    for (_, site) in eval.wants_callers.clone() {
        if !closed.contains(&site) {
            eval.give_up(
                site,
                "what is served here comes from a caller that is not found",
            );
        }
    }
    for root in &eval.roots {
        if root.router.is_open && closed.contains(&root.site) {
            continue;
        }
        let krate = index.module(root.entry.module).krate;
        let app = workspace.package_of(krate).name.clone();
        found.apps.insert(app.clone());
        flatten(&root.router, &app, root.site, &mut found);
    }
    found.unresolved = std::mem::take(&mut eval.unresolved);
    found.manifests.clone_from(&workspace.problems);
    for name in names {
        let path: Vec<String> = name.split("::").map(str::to_owned).collect();
        if let Some(item) = index.item_at(&path) {
            found
                .canonical
                .insert((*name).to_owned(), eval.full_path(item).join("::"));
        }
    }
    for guard in guards {
        let path: Vec<String> = guard.split("::").map(str::to_owned).collect();
        if let Some((function, file)) = index.function_at(&path)
            && let Some(place) = passes(&function.block)
        {
            found
                .passing
                .push(((*guard).to_owned(), Site::at(file, place)));
        }
    }
    merge_rows(&mut found);
    found
}

/// What answers the other methods of a path: the layers before it, where it was registered, and the
/// handler, if it is not axum's 405.
type Miss = (Stack, Site, Option<Rc<Handler>>);

/// The rows of a served router.
fn flatten(router: &Router, app: &str, root: Site, found: &mut Found) {
    let mut row = |method,
                   path: &Text,
                   site,
                   endpoint: &Endpoint,
                   condition: Option<&Rc<str>>,
                   opaque: Option<&Rc<str>>,
                   is_fallback| {
        found.rows.push(Row {
            app: app.to_owned(),
            method,
            path: path.clone(),
            site,
            handler: Rc::clone(&endpoint.handler),
            stack: endpoint.stack.clone(),
            late: endpoint.late.clone(),
            condition: condition.cloned(),
            opaque: opaque.cloned(),
            is_fallback,
        });
    };
    let mut misses: BTreeMap<String, Option<Miss>> = BTreeMap::new();
    for entry in &router.entries {
        match &entry.served {
            Served::Methods(methods) => {
                for (verb, endpoint) in &methods.verbs {
                    row(
                        verb,
                        &entry.path,
                        entry.site,
                        endpoint,
                        entry.condition.as_ref(),
                        entry.opaque.as_ref(),
                        false,
                    );
                }
                if let Some(endpoint) = &methods.other
                    && methods.refuses
                {
                    misses.insert(
                        entry.path.shown.clone(),
                        Some((
                            endpoint.stack.clone(),
                            entry.site,
                            Some(Rc::clone(&endpoint.handler)),
                        )),
                    );
                } else if let Some(endpoint) = &methods.other {
                    row(
                        "ANY",
                        &entry.path,
                        entry.site,
                        endpoint,
                        entry.condition.as_ref(),
                        entry.opaque.as_ref(),
                        false,
                    );
                    misses.insert(entry.path.shown.clone(), None);
                } else if entry.opaque.is_none() {
                    let miss = misses
                        .entry(entry.path.shown.clone())
                        .or_insert_with(|| Some((Vec::new(), entry.site, None)));
                    if let Some(miss @ (.., None)) = miss {
                        *miss = (methods.miss.clone(), entry.site, None);
                    }
                }
            }
            Served::Service(endpoint) => {
                row(
                    "ANY",
                    &entry.path,
                    entry.site,
                    endpoint,
                    entry.condition.as_ref(),
                    entry.opaque.as_ref(),
                    false,
                );
                misses.insert(entry.path.shown.clone(), None);
            }
        }
    }
    for (prefix, endpoint, site) in router.nested.iter().chain(&router.inside) {
        let path = Text {
            shown: format!("<fallback:{}>", prefix.shown),
            ..prefix.clone()
        };
        row("ANY", &path, *site, endpoint, None, None, true);
    }
    let answer = |kind, path: String, stack: &Stack, site, handler| Answer {
        app: app.to_owned(),
        root,
        kind,
        path,
        stack: stack.clone(),
        site,
        kind_of_router: router.kind,
        handler,
    };
    match &router.fallback {
        Fallback::Custom(endpoint, site) => row(
            "ANY",
            &Text::known("<fallback:/>"),
            *site,
            endpoint,
            None,
            None,
            true,
        ),
        Fallback::Default(stack) => {
            found
                .answers
                .push(answer("404", "<fallback:/>".to_owned(), stack, root, None));
        }
    }
    for (path, miss) in misses {
        if let Some((stack, site, handler)) = miss {
            found
                .answers
                .push(answer("405", path, &stack, site, handler));
        }
    }
    for panic in router.panics.iter().cloned().chain(router.conflicts()) {
        if !found.panics.contains(&panic) {
            found.panics.push(panic);
        }
    }
    for dropped in &router.dropped {
        if !found.dropped.iter().any(|(site, _)| *site == dropped.0) {
            found.dropped.push(dropped.clone());
        }
    }
}

/// One row per app, method, path and registration: what several roots or ways serve is joined.
fn merge_rows(found: &mut Found) {
    let mut rows: Vec<Row> = Vec::new();
    let mut places: BTreeMap<(String, &'static str, String, Site, String), usize> = BTreeMap::new();
    for row in std::mem::take(&mut found.rows) {
        let key = (
            row.app.clone(),
            row.method,
            row.path.shown.clone(),
            row.site,
            row.handler.name.clone(),
        );
        if let Some(at) = places.get(&key) {
            let known = &mut rows[*at];
            known.stack = super::router::join_stacks(&known.stack, &row.stack);
            if row.condition.is_none() {
                known.condition = None;
            }
        } else {
            places.insert(key, rows.len());
            rows.push(row);
        }
    }
    rows.sort_by(|a, b| {
        (&a.app, a.site, &a.path.shown, a.method).cmp(&(&b.app, b.site, &b.path.shown, b.method))
    });
    found.rows = rows;
}

/// Whether a function makes a value of that type: it returns one.
fn makes(function: &Function<'_>, name: &str) -> bool {
    struct Names<'a>(&'a str, bool);
    impl<'ast> Visit<'ast> for Names<'_> {
        fn visit_ident(&mut self, ident: &'ast syn::Ident) {
            self.1 |= ident == self.0;
        }
    }
    let syn::ReturnType::Type(_, ty) = &function.sig.output else {
        return false;
    };
    // A method of the type itself is a step of a builder.
    if function.self_ty.and_then(type_name).as_deref() == Some(name) {
        return false;
    }
    let mut names = Names(name, false);
    names.visit_type(ty);
    names.1
}

/// Whether a function may serve a router by itself.
fn serves(block: &syn::Block) -> bool {
    struct Serves(bool);
    impl<'ast> Visit<'ast> for Serves {
        fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
            let name = call.method.to_string();
            if name.starts_with("into_make_service")
                || name == "serve"
                || name == "into_service"
                || name == "oneshot"
                || name == "finish"
            {
                self.0 = true;
            }
            syn::visit::visit_expr_method_call(self, call);
        }
        fn visit_path_segment(&mut self, segment: &'ast syn::PathSegment) {
            let name = segment.ident.to_string();
            if name == "serve"
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
fn registrations(index: &Index<'_>, function: &Function<'_>) -> Vec<Site> {
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
                ("route" | "route_service" | "nest_service", 2) | ("routes", 1)
            ) || matches!(name.as_str(), "get" | "post" | "put" | "patch" | "delete")
                && count == 3
            {
                self.all.push(call.method.span());
            }
            syn::visit::visit_expr_method_call(self, call);
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

/// The calls of a name in a body.
struct Calls<'a> {
    name: &'a str,
    paths: Vec<syn::Path>,
    methods: bool,
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
        self.methods |= call.method == self.name;
        syn::visit::visit_expr_method_call(self, call);
    }
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.macros |= call.tokens.to_string().contains(self.name);
    }
    fn visit_item(&mut self, _: &'ast syn::Item) {}
}

/// The functions that call another one.
fn callers<'s>(index: &Index<'s>, function: &Function<'s>) -> Vec<Function<'s>> {
    let name = function.sig.ident.to_string();
    // Who calls it names its type or module somewhere; who got it by a re-export may not.
    let near = match function.self_ty.and_then(type_name) {
        Some(of) => Some(of),
        None => index.module_path(function.module).pop(),
    };
    let call = format!("{name}(");
    let own = index.module(function.module).file;
    for words in [
        near.as_deref().map(|near| vec![call.as_str(), near]),
        Some(vec![call.as_str()]),
    ] {
        let Some(words) = words else { continue };
        let mut files: Vec<FileId> = index.sources.containing(&words).collect();
        // A name that everything has leads nowhere.
        if files.len() > MOST_FILES {
            continue;
        }
        if !files.contains(&own) {
            files.push(own);
        }
        let all = callers_in(index, function, &name, &files);
        if !all.is_empty() {
            return all;
        }
    }
    Vec::new()
}

fn callers_in<'s>(
    index: &Index<'s>,
    function: &Function<'s>,
    name: &str,
    files: &[FileId],
) -> Vec<Function<'s>> {
    let krate = &index.workspace.crates[index.module(function.module).krate.0 as usize].name;
    let mut all = Vec::new();
    for file in files.iter().copied() {
        if is_test_path(index.sources.path(file)) {
            continue;
        }
        for module in index.modules_in(file) {
            let here = index.module(module);
            let is_near = index.workspace.crates[here.krate.0 as usize].name == *krate
                || index.workspace.extern_crate(here.krate, krate).is_some();
            if here.is_test || !is_near {
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
                    macros: false,
                };
                calls.visit_block(caller.block);
                let scope = index.block(module, caller.block);
                let by_path = calls.paths.iter().any(|path| {
                    // `Type::name`, `Self::name`.
                    let of_type = || {
                        let before = path.segments.iter().rev().nth(1);
                        before.is_some_and(|before| {
                            before.ident == "Self"
                                || function.self_ty.is_none()
                                || function
                                    .self_ty
                                    .and_then(type_name)
                                    .is_some_and(|of| before.ident == of)
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
