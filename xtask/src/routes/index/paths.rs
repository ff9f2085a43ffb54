//! What a path means in a module.

use syn::Item;

use crate::routes::index::{DEEPEST, Def, Found, GENERATED, Index, ModId, Target, segments};
use crate::routes::source::FileId;
use crate::routes::workspace::CrateId;

/// Crates that are meant by their names even where no manifest lists them.
const KNOWN: &[&str] = &[
    "std",
    "core",
    "alloc",
    "axum",
    "axum_extra",
    "utoipa_axum",
    "aide",
    "tower",
    "tower_http",
];

impl<'s> Index<'s> {
    /// What a path means in `module`.
    pub(crate) fn resolve(&self, module: ModId, path: &[String]) -> Target<'s> {
        self.resolve_at(module, path, 0)
    }

    pub(crate) fn resolve_path(&self, module: ModId, path: &syn::Path) -> Target<'s> {
        let segments = segments(path);
        if path.leading_colon.is_some() && !segments.is_empty() {
            return self.resolve_extern(self.module(module).krate, &segments, 0);
        }
        self.resolve(module, &segments)
    }

    pub(super) fn resolve_extern(
        &self,
        krate: CrateId,
        path: &[String],
        depth: usize,
    ) -> Target<'s> {
        match self.workspace.extern_crate(krate, &path[0]) {
            Some(Ok(other)) => match self.root(other) {
                Some(root) => self.walk(root, &path[1..], depth + 1),
                None => Target::Unknown,
            },
            Some(Err(package)) => {
                // A crate that hands axum on: `vendor::axum::Router`.
                if let [_, axum, name, ..] = path
                    && axum == "axum"
                    && is_of_glob(&path[1..2], name)
                {
                    return Target::External(path[1..].to_vec());
                }
                let mut full = path.to_vec();
                full[0] = package;
                Target::External(full)
            }
            None if KNOWN.contains(&path[0].as_str()) => Target::External(path.to_vec()),
            None => Target::Unknown,
        }
    }

    pub(super) fn resolve_at(&self, module: ModId, path: &[String], depth: usize) -> Target<'s> {
        if path.is_empty() || depth > DEEPEST {
            return Target::Unknown;
        }
        let here = self.module(module);
        match path[0].as_str() {
            "crate" | "$crate" => match self.root(here.krate) {
                Some(root) => self.walk(root, &path[1..], depth + 1),
                None => Target::Unknown,
            },
            "self" => self.walk(self.unblocked(module), &path[1..], depth + 1),
            "super" => match self.module(self.unblocked(module)).parent {
                Some(parent) => {
                    let parent = self.unblocked(parent);
                    if path.len() > 1 && path[1] == "super" {
                        self.resolve_at(parent, &path[1..], depth + 1)
                    } else {
                        self.walk(parent, &path[1..], depth + 1)
                    }
                }
                None => Target::Unknown,
            },
            _ => {
                let mut scope = Some(module);
                while let Some(id) = scope {
                    let found = self.walk(id, path, depth + 1);
                    if !matches!(found, Target::Unknown) {
                        return found;
                    }
                    let inner = self.module(id);
                    scope = if inner.is_block { inner.parent } else { None };
                }
                self.resolve_extern(here.krate, path, depth)
            }
        }
    }

    pub(super) fn unblocked(&self, module: ModId) -> ModId {
        let mut id = module;
        loop {
            let module = self.module(id);
            match module.parent {
                Some(parent) if module.is_block => id = parent,
                _ => return id,
            }
        }
    }

    /// `path` within a module.
    pub(super) fn walk(&self, module: ModId, path: &[String], depth: usize) -> Target<'s> {
        let Some(first) = path.first() else {
            return Target::Module(module);
        };
        if depth > DEEPEST {
            return Target::Unknown;
        }
        let here = self.module(module);
        let (mut items, mut all, mut missing, mut named) =
            (Vec::new(), Vec::new(), Vec::new(), None);
        let is_defined = here.names.get(first).is_some_and(|defs| {
            defs.iter()
                .any(|def| matches!(def, Def::Item(item) if !matches!(item, Item::Macro(_))))
        });
        for def in here.names.get(first).into_iter().flatten() {
            match def {
                Def::Item(item) => items.push(Found { module, item }),
                Def::Mod(item) => {
                    let key = (module, std::ptr::from_ref(*item) as usize);
                    if self.lost.borrow().contains(&key) {
                        self.met_lost.set(true);
                    }
                    for child in self.children(module, item).iter() {
                        let found = self.walk(*child, &path[1..], depth + 1);
                        match found {
                            // A function may have a module's name; what a path ends in is the function.
                            Target::Module(_) if path.len() == 1 => named = Some(found),
                            found => all.push(found),
                        }
                    }
                }
                Def::Use(target, is_conditional) => {
                    // `use axum::Router` must not look for `axum` among this module's own names.
                    let full: Vec<String> = target.iter().chain(&path[1..]).cloned().collect();
                    let found = if target.len() == 1 && target[0] == *first {
                        self.resolve_extern(here.krate, &full, depth + 1)
                    } else {
                        self.resolve_at(module, &full, depth + 1)
                    };
                    match found {
                        Target::Module(_) if path.len() == 1 => named = Some(found),
                        // What is defined here has the name; the import is a macro's.
                        Target::External(_) if is_defined && !is_conditional => {}
                        // Beside what is known it is one more thing that the name may be.
                        Target::Unknown if *is_conditional => missing.push(full),
                        found => all.push(found),
                    }
                }
            }
        }
        let is_item = !items.is_empty();
        match path {
            [_] => all.push(Target::Items(items)),
            [_, member] => all.push(Target::Of(items, member.clone())),
            _ => {}
        }
        let united = unite(all);
        if !matches!(united, Target::Unknown) {
            let missing = missing.into_iter().map(Target::External);
            return unite(std::iter::once(united).chain(missing).collect());
        }
        if let Some(named) = named {
            return named;
        }
        if is_item {
            return Target::Unknown;
        }
        if let (Some(package), [server, ty, rest @ ..]) = (&here.generated, path)
            && server.ends_with("_server")
        {
            let full = [GENERATED.to_owned(), package.clone(), ty.clone()];
            return Target::External([full.as_slice(), rest].concat());
        }
        let (mut all, mut trusted) = (Vec::new(), None);
        for glob in &here.globs {
            match self.resolve_at(module, glob, depth + 4) {
                Target::Module(other) if other != module => {
                    all.push(self.walk(other, path, depth + 4));
                }
                // `use axum::routing::*`: what else is in scope is looked at first.
                Target::External(mut full) if trusted.is_none() && is_of_glob(&full, first) => {
                    full.extend(path.iter().cloned());
                    trusted = Some(Target::External(full));
                }
                Target::Items(mut items) if path.len() == 1 => {
                    items.retain(|found| {
                        matches!(found.item, Item::Enum(item) if item.variants.iter().any(|variant| variant.ident == first))
                    });
                    all.push(Target::Of(items, first.clone()));
                }
                _ => {}
            }
        }
        match unite(all) {
            Target::Unknown => trusted.unwrap_or(Target::Unknown),
            found => found,
        }
    }

    /// What an import renamed to `name`, by its own name.
    pub(crate) fn renamed(&self, module: ModId, name: &str) -> Option<String> {
        let mut scope = Some(module);
        while let Some(id) = scope {
            let here = self.module(id);
            for def in here.names.get(name).into_iter().flatten() {
                if let Def::Use(target, _) = def
                    && let Some(last) = target.last()
                    && last != name
                {
                    return Some(last.clone());
                }
            }
            scope = if here.is_block { here.parent } else { None };
        }
        None
    }

    /// Whether a `use` in scope brings `name` from that package: a macro may share its name with what
    /// is defined beside it.
    pub(crate) fn imports(&self, module: ModId, name: &str, package: &str) -> bool {
        let mut scope = Some(module);
        while let Some(id) = scope {
            let here = self.module(id);
            let found = here.names.get(name).into_iter().flatten().any(|def| match def {
                Def::Use(target, _) => matches!(self.resolve_at(id, target, 1), Target::External(path) if path.first().is_some_and(|first| first == package)),
                _ => false,
            });
            if found {
                return true;
            }
            scope = if here.is_block { here.parent } else { None };
        }
        false
    }

    /// The crate's own name for where a module is: `crate::a::b` without the `crate`.
    /// What stands in a block has a path that nobody can write.
    pub(crate) fn module_path(&self, module: ModId) -> Vec<String> {
        let id = module;
        let here = self.module(id);
        let Some(parent) = here.parent else {
            return vec![self.workspace.crates[here.krate.0 as usize].name.clone()];
        };
        let mut path = self.module_path(parent);
        if here.is_block {
            path.push("{}".to_owned());
            return path;
        }
        let above = self.module(self.unblocked(parent));
        let name = above.items.iter().find_map(|item| match item {
            Item::Mod(item) => {
                let key = (self.unblocked(parent), std::ptr::from_ref(item) as usize);
                let children = self.children.borrow();
                let is_it = children.get(&key).is_some_and(|all| all.contains(&id));
                is_it.then(|| item.ident.to_string())
            }
            _ => None,
        });
        path.extend(name);
        path
    }

    /// The item with that full path, the crate first.
    pub(crate) fn item_at(&self, path: &[String]) -> Option<Found<'s>> {
        let (krate, rest) = path.split_first()?;
        self.workspace.ids().find_map(|id| {
            if self.workspace.crates[id.0 as usize].name != *krate {
                return None;
            }
            match self.walk(self.root(id)?, rest, 0) {
                Target::Items(all) => all.first().copied(),
                _ => None,
            }
        })
    }

    /// The function with that full path, and its file.
    pub(crate) fn function_at(&self, path: &[String]) -> Option<(&'s syn::ItemFn, FileId)> {
        let found = self.item_at(path)?;
        match found.item {
            Item::Fn(item) => Some((item, self.module(found.module).file)),
            _ => None,
        }
    }
}

/// What a name means that is there more than once: twins under `cfg` all count.
fn unite(all: Vec<Target<'_>>) -> Target<'_> {
    let (mut items, mut of, mut outside) = (Vec::new(), Vec::new(), Vec::new());
    let (mut member, mut module) = (String::new(), None);
    let each = all.into_iter().flat_map(|target| match target {
        Target::Several(all) => all,
        one => vec![one],
    });
    for target in each {
        match target {
            Target::Items(found) => items.extend(found),
            Target::Of(found, name) => {
                of.extend(found);
                member = name;
            }
            Target::External(path) => {
                if !outside.contains(&path) {
                    outside.push(path);
                }
            }
            Target::Module(_) => module = module.or(Some(target)),
            Target::Several(_) | Target::Unknown => {}
        }
    }
    for all in [&mut items, &mut of] {
        let mut known: Vec<*const Item> = Vec::new();
        all.retain(|found: &Found<'_>| {
            let is_new = !known.contains(&std::ptr::from_ref(found.item));
            known.push(found.item);
            is_new
        });
    }
    let own = if !items.is_empty() {
        Some(Target::Items(items))
    } else if !of.is_empty() {
        Some(Target::Of(of, member))
    } else {
        module
    };
    let is_axum = |path: &Vec<String>| {
        matches!(
            path[0].as_str(),
            "axum" | "axum_extra" | "utoipa_axum" | "aide"
        )
    };
    let outside = match outside.len() {
        0 => return own.unwrap_or(Target::Unknown),
        n if n == 1 || outside.iter().all(is_axum) => outside.swap_remove(0),
        _ => ambiguous(&outside),
    };
    match own {
        Some(own) => Target::Several(vec![own, Target::External(outside)]),
        None => Target::External(outside),
    }
}

/// A path that is none of several, for what may be any of them: in what they end all agree.
pub(crate) fn ambiguous(paths: &[Vec<String>]) -> Vec<String> {
    let shortest = paths.iter().map(Vec::len).min().unwrap_or(0);
    let from_end = |path: &Vec<String>, n: usize| path[path.len() - n].clone();
    let shared = (1..shortest)
        .take_while(|n| {
            paths
                .iter()
                .all(|path| from_end(path, *n) == from_end(&paths[0], *n))
        })
        .count();
    let heads: Vec<String> = paths
        .iter()
        .map(|path| path[..path.len() - shared].join("::"))
        .collect();
    let tail = paths[0][paths[0].len() - shared..].iter().cloned();
    std::iter::once(heads.join("|")).chain(tail).collect()
}

/// Names that a glob import of a known crate is trusted to bring.
fn is_of_glob(path: &[String], name: &str) -> bool {
    match path.first().map(String::as_str) {
        Some("axum") => match path.get(1).map(String::as_str) {
            Some("routing") => {
                name.chars().next().is_some_and(char::is_lowercase)
                    || matches!(name, "MethodFilter" | "MethodRouter" | "Router")
            }
            Some("middleware") => name.starts_with("from_") || name.starts_with("map_"),
            None => matches!(
                name,
                "Router" | "serve" | "routing" | "middleware" | "handler" | "extract"
            ),
            Some(_) => false,
        },
        Some("utoipa_axum" | "aide" | "axum_extra") => true,
        _ => false,
    }
}
