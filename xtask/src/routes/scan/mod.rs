//! From the files of a workspace to its routes: which functions are read, and what they serve.

mod callers;
mod rows;

pub(crate) use rows::{Answer, Row};

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use crate::routes::eval::{Eval, Unresolved};
use crate::routes::index::{Function, Index};
use crate::routes::passing::passes;
use crate::routes::router::Stack;
use crate::routes::scan::callers::{callers, makes, registrations, serves};
use crate::routes::scan::rows::{flatten, merge_rows};
use crate::routes::source::{Site, Sources};
use crate::routes::workspace::{Workspace, is_test_path};

/// How often callers of callers are asked.
const ROUNDS: usize = 8;

/// What was found.
#[derive(Default)]
pub(crate) struct Scan {
    pub(crate) rows: Vec<Row>,
    pub(crate) answers: Vec<Answer>,
    pub(crate) unresolved: BTreeSet<Unresolved>,
    pub(crate) panics: Vec<(Site, String)>,
    /// A merge that dropped the layers of the built-in 404.
    pub(crate) dropped: Vec<(Site, Stack)>,
    /// Registrations that nothing serves.
    pub(crate) orphans: Vec<Site>,
    /// Manifests, and what keeps their packages from being read.
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
) -> Scan {
    let index = Index::new(sources, workspace);
    let mut eval = Eval::new(&index, guard_crates);
    eval.reads_arguments = reads_arguments;
    let mut found = Scan::default();

    let mut functions: Vec<Function<'_>> = Vec::new();
    for file in sources.relevant() {
        let path = sources.path(file);
        if !workspace.may_route(path)
            || is_test_path(path) && index.module_of(file).is_none()
            || sources.ast(file).is_none()
        {
            continue;
        }
        for module in index.modules_in(file) {
            if !index.module(module).is_test && !eval.in_guard_crate(module) {
                functions.extend(index.functions(module));
                eval.item_macros(module);
            }
        }
    }
    for file in sources.naming_files() {
        if workspace.may_route(sources.path(file)) {
            for (site, what) in index.gaps(file) {
                eval.give_up(site, what);
            }
        }
    }
    let mut entered: HashSet<*const syn::Block> = HashSet::new();
    let mut queue: Vec<Function<'_>> = functions
        .iter()
        .copied()
        .filter(|function| serves(function.block) || function.is_main())
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
                let beside = index.functions(function.module);
                let all = functions.iter().chain(&beside);
                for maker in all.filter(|maker| makes(maker, &ty.name)) {
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
                    held_by: Vec::new(),
                });
            } else if !new.is_empty() {
                orphans.push((*function, new));
            }
        }
    }
    found.orphans = orphans.into_iter().flat_map(|(_, sites)| sites).collect();
    found.orphans.sort();
    found.orphans.dedup();

    // An object with a method that serves what it holds is served by that, wherever it went before.
    let servers: HashSet<String> = eval.servers.iter().map(|(ty, _)| ty.clone()).collect();
    (eval.roots).retain(|root| !root.held_by.iter().any(|ty| servers.contains(ty)));

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
