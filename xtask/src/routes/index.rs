//! Names: which item a path means, across modules and crates. Modules are read when a name leads
//! into them.
//!
//! Long because resolving a name reads modules on its way, so both work on the same private tables.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use syn::{Item, UseTree};

use super::source::{FileId, Sources, Word, number};
use super::workspace::{CrateId, Workspace};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ModId(u32);

/// A module, or a block with items of its own.
pub(crate) struct Module<'s> {
    pub(crate) krate: CrateId,
    pub(crate) file: FileId,
    pub(crate) is_test: bool,
    parent: Option<ModId>,
    is_block: bool,
    /// Written between braces in its parent's file.
    is_inline: bool,
    /// Folder in which the files of its child modules lie.
    folder: String,
    names: HashMap<String, Vec<Def<'s>>>,
    globs: Vec<Vec<String>>,
    pub(crate) items: Vec<&'s Item>,
}

/// What a name stands for in its module.
#[derive(Clone)]
enum Def<'s> {
    Item(&'s Item),
    Mod(&'s syn::ItemMod),
    Use(Vec<String>),
}

/// An item and the module it stands in.
#[derive(Clone, Copy)]
pub(crate) struct Found<'s> {
    pub(crate) module: ModId,
    pub(crate) item: &'s Item,
}

/// A function with a body, free or of an `impl` or trait.
#[derive(Clone, Copy)]
pub(crate) struct Function<'s> {
    pub(crate) module: ModId,
    pub(crate) sig: &'s syn::Signature,
    pub(crate) block: &'s syn::Block,
    pub(crate) attrs: &'s [syn::Attribute],
    /// The type of `self`, where there is one.
    pub(crate) self_ty: Option<&'s syn::Type>,
    /// Of an `impl` or a trait.
    pub(crate) is_member: bool,
}

/// What a path means.
#[derive(Clone)]
pub(crate) enum Target<'s> {
    Module(ModId),
    /// More than one under `cfg`.
    Items(Vec<Found<'s>>),
    /// Something of an item: a method, a constant, a variant.
    Of(Found<'s>, String),
    /// From a crate outside the tree, with the package's name first.
    External(Vec<String>),
    Unknown,
}

/// Name, word, package.
type MemberKey = (String, String, Option<usize>);

const DEEPEST: usize = 24;

pub(crate) struct Index<'s> {
    pub(crate) sources: &'s Sources,
    pub(crate) workspace: &'s Workspace,
    modules: RefCell<Vec<Rc<Module<'s>>>>,
    roots: RefCell<HashMap<CrateId, Option<ModId>>>,
    children: RefCell<HashMap<(ModId, usize), Option<ModId>>>,
    blocks: RefCell<HashMap<(usize, ModId), Option<ModId>>>,
    of_file: RefCell<HashMap<FileId, Option<ModId>>>,
    members: RefCell<HashMap<MemberKey, Vec<Function<'s>>>>,
    /// Files that a `#[path]` leads to, and the module that says so.
    moved: RefCell<Option<HashMap<FileId, (ModId, String)>>>,
}

impl<'s> Index<'s> {
    pub(crate) fn new(sources: &'s Sources, workspace: &'s Workspace) -> Self {
        Self {
            sources,
            workspace,
            modules: RefCell::default(),
            roots: RefCell::default(),
            children: RefCell::default(),
            blocks: RefCell::default(),
            of_file: RefCell::default(),
            members: RefCell::default(),
            moved: RefCell::default(),
        }
    }

    pub(crate) fn module(&self, id: ModId) -> Rc<Module<'s>> {
        Rc::clone(&self.modules.borrow()[id.0 as usize])
    }

    fn add(&self, module: Module<'s>) -> ModId {
        let mut modules = self.modules.borrow_mut();
        modules.push(Rc::new(module));
        ModId(number(modules.len() - 1))
    }

    /// The root module of a crate.
    pub(crate) fn root(&self, krate: CrateId) -> Option<ModId> {
        if let Some(known) = self.roots.borrow().get(&krate) {
            return *known;
        }
        let file = self.workspace.crates[krate.0 as usize].root;
        let path = self.sources.path(file);
        let folder = path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder)
            .to_owned();
        let root = self.sources.ast(file).map(|ast| {
            self.add(build(
                ast.items.iter(),
                krate,
                file,
                None,
                folder,
                is_test(&ast.attrs),
            ))
        });
        self.roots.borrow_mut().insert(krate, root);
        if let Some(root) = root {
            self.of_file.borrow_mut().entry(file).or_insert(Some(root));
        }
        root
    }

    /// The module that `item` declares in `parent`.
    fn child(&self, parent: ModId, item: &'s syn::ItemMod) -> Option<ModId> {
        let key = (parent, std::ptr::from_ref(item) as usize);
        if let Some(known) = self.children.borrow().get(&key) {
            return *known;
        }
        // A module that contains itself ends here.
        self.children.borrow_mut().insert(key, None);
        let above = self.module(parent);
        let test = above.is_test || is_test(&item.attrs);
        let name = item.ident.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name);
        let found = if let Some((_, items)) = &item.content {
            let folder = join(&above.folder, name);
            let mut inner = build(
                items.iter(),
                above.krate,
                above.file,
                Some(parent),
                folder,
                test,
            );
            inner.is_inline = true;
            Some(self.add(inner))
        } else {
            self.file_of(&above, item, name).and_then(|(file, folder)| {
                if self.is_own_ancestor(parent, file) {
                    let line = number(item.ident.span().start().line);
                    self.sources.problem(
                        above.file,
                        line,
                        format!("module `{name}` contains itself"),
                    );
                    return None;
                }
                let ast = self.sources.ast(file)?;
                let test = test || is_test(&ast.attrs);
                let id = self.add(build(
                    ast.items.iter(),
                    above.krate,
                    file,
                    Some(parent),
                    folder,
                    test,
                ));
                self.of_file.borrow_mut().entry(file).or_insert(Some(id));
                Some(id)
            })
        };
        self.children.borrow_mut().insert(key, found);
        found
    }

    fn is_own_ancestor(&self, from: ModId, file: FileId) -> bool {
        std::iter::successors(Some(from), |id| self.module(*id).parent)
            .any(|id| self.module(id).file == file)
    }

    /// Where the file of `mod name;` lies, and the folder of its children.
    fn file_of(
        &self,
        above: &Module<'s>,
        item: &syn::ItemMod,
        name: &str,
    ) -> Option<(FileId, String)> {
        if let Some(path) = path_attribute(&item.attrs) {
            let own = self.sources.path(above.file);
            let beside = if above.is_inline {
                above.folder.as_str()
            } else {
                own.rsplit_once('/').map_or("", |(folder, _)| folder)
            };
            let full = normal(&join(beside, &path));
            let folder = full
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder)
                .to_owned();
            return Some((self.sources.find(&full)?, folder));
        }
        let folder = join(&above.folder, name);
        [format!("{folder}.rs"), format!("{folder}/mod.rs")]
            .iter()
            .find_map(|path| self.sources.find(path))
            .map(|file| (file, folder))
    }

    /// The module that a file is, if one of the tree's crates has it.
    pub(crate) fn module_of(&self, file: FileId) -> Option<ModId> {
        if let Some(known) = self.of_file.borrow().get(&file) {
            return *known;
        }
        self.of_file.borrow_mut().insert(file, None);
        let found = self.search_module(file).or_else(|| self.moved_module(file));
        self.of_file.borrow_mut().insert(file, found);
        found
    }

    fn search_module(&self, file: FileId) -> Option<ModId> {
        for krate in self.workspace.ids() {
            if self.workspace.crates[krate.0 as usize].root == file {
                return self.root(krate);
            }
        }
        let path = self.sources.path(file);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.strip_suffix(".rs")?;
        let (folder, stem) = if stem == "mod" {
            folder.rsplit_once('/').unwrap_or(("", folder))
        } else {
            (folder, stem)
        };
        // The parent is beside it (`lib.rs`, `main.rs`, `mod.rs`) or one folder up.
        let mut parents: Vec<FileId> = ["lib.rs", "main.rs", "mod.rs"]
            .iter()
            .filter_map(|name| self.sources.find(&join(folder, name)))
            .collect();
        parents.extend(self.sources.find(&format!("{folder}.rs")));
        for krate in self.workspace.ids() {
            let root = self.workspace.crates[krate.0 as usize].root;
            let beside = self
                .sources
                .path(root)
                .rsplit_once('/')
                .map_or("", |(folder, _)| folder);
            if beside == folder && !parents.contains(&root) {
                parents.push(root);
            }
        }
        parents
            .into_iter()
            .filter(|parent| *parent != file)
            .find_map(|parent| {
                let parent = self.module_of(parent)?;
                self.declared(parent, stem, file)
            })
    }

    /// Whether some crate of the tree has that file: what no `mod` names is never compiled.
    pub(crate) fn is_compiled(&self, file: FileId) -> bool {
        if self.workspace.crates.iter().any(|krate| krate.root == file)
            || self.module_of(file).is_some()
        {
            return true;
        }
        let path = self.sources.path(file);
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = name.strip_suffix(".rs").unwrap_or(name);
        let (folder, stem) = if stem == "mod" {
            folder.rsplit_once('/').unwrap_or(("", folder))
        } else {
            (folder, stem)
        };
        let beside = ["lib.rs", "main.rs", "mod.rs"]
            .iter()
            .filter_map(|name| self.sources.find(&join(folder, name)));
        let roots = self
            .workspace
            .crates
            .iter()
            .map(|krate| krate.root)
            .filter(|root| {
                self.sources
                    .path(*root)
                    .rsplit_once('/')
                    .map_or("", |(folder, _)| folder)
                    == folder
            });
        beside
            .chain(self.sources.find(&format!("{folder}.rs")))
            .chain(roots)
            .filter_map(|parent| self.module_of(parent))
            .any(|parent| {
                self.module(parent)
                    .items
                    .iter()
                    .any(|item| matches!(item, Item::Mod(item) if item.ident == stem && item.content.is_none()))
            })
    }

    /// The child `name` of a module that is this very file; inline modules are looked through.
    fn declared(&self, parent: ModId, name: &str, file: FileId) -> Option<ModId> {
        let module = self.module(parent);
        module.items.iter().find_map(|item| {
            let Item::Mod(item) = item else { return None };
            if item.ident == name && item.content.is_none() {
                let child = self.child(parent, item)?;
                (self.module(child).file == file).then_some(child)
            } else {
                None
            }
        })
    }

    fn moved_module(&self, file: FileId) -> Option<ModId> {
        if self.moved.borrow().is_none() {
            *self.moved.borrow_mut() = Some(HashMap::new());
            let mut moved = HashMap::new();
            for declaring in self.sources.containing(&["#[path"]).collect::<Vec<_>>() {
                let Some(parent) = self.module_of(declaring) else {
                    continue;
                };
                let module = self.module(parent);
                for item in &module.items {
                    if let Item::Mod(item) = item
                        && path_attribute(&item.attrs).is_some()
                        && let Some((target, _)) =
                            self.file_of(&module, item, &item.ident.to_string())
                    {
                        moved.insert(target, (parent, item.ident.to_string()));
                    }
                }
            }
            *self.moved.borrow_mut() = Some(moved);
        }
        let (parent, name) = self.moved.borrow().as_ref()?.get(&file)?.clone();
        self.declared(parent, &name, file)
    }

    /// The scope of a block's own items, or `module` itself where it has none.
    pub(crate) fn block(&self, module: ModId, block: &'s syn::Block) -> ModId {
        let key = (std::ptr::from_ref(block) as usize, module);
        if let Some(known) = self.blocks.borrow().get(&key) {
            return known.unwrap_or(module);
        }
        let items: Vec<&'s Item> = block
            .stmts
            .iter()
            .filter_map(|stmt| match stmt {
                syn::Stmt::Item(item) => Some(item),
                _ => None,
            })
            .collect();
        let scope = (!items.is_empty()).then(|| {
            let above = self.module(module);
            let mut inner = build(
                items.into_iter(),
                above.krate,
                above.file,
                Some(module),
                above.folder.clone(),
                above.is_test,
            );
            inner.is_block = true;
            self.add(inner)
        });
        self.blocks.borrow_mut().insert(key, scope);
        scope.unwrap_or(module)
    }

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

    fn resolve_extern(&self, krate: CrateId, path: &[String], depth: usize) -> Target<'s> {
        match self.workspace.extern_crate(krate, &path[0]) {
            Some(Ok(other)) => match self.root(other) {
                Some(root) => self.walk(root, &path[1..], depth + 1),
                None => Target::Unknown,
            },
            Some(Err(package)) => {
                let mut full = path.to_vec();
                full[0] = package;
                Target::External(full)
            }
            None if KNOWN.contains(&path[0].as_str()) => Target::External(path.to_vec()),
            None => Target::Unknown,
        }
    }

    fn resolve_at(&self, module: ModId, path: &[String], depth: usize) -> Target<'s> {
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

    fn unblocked(&self, module: ModId) -> ModId {
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
    fn walk(&self, module: ModId, path: &[String], depth: usize) -> Target<'s> {
        let Some(first) = path.first() else {
            return Target::Module(module);
        };
        if depth > DEEPEST {
            return Target::Unknown;
        }
        let here = self.module(module);
        let (mut items, mut whole, mut named) = (Vec::new(), Vec::new(), None);
        let is_defined = here.names.get(first).is_some_and(|defs| {
            defs.iter()
                .any(|def| matches!(def, Def::Item(item) if !matches!(item, Item::Macro(_))))
        });
        for def in here.names.get(first).into_iter().flatten() {
            match def {
                Def::Item(item) => items.push(Found { module, item }),
                Def::Mod(item) => {
                    if let Some(child) = self.child(module, item) {
                        let found = self.walk(child, &path[1..], depth + 1);
                        match found {
                            // A function may have a module's name; what a path ends in is the function.
                            Target::Module(_) if path.len() == 1 => named = Some(found),
                            // Twin modules under `cfg` both count.
                            Target::Items(found) => whole.extend(found),
                            Target::Unknown => {}
                            found => return found,
                        }
                    }
                }
                Def::Use(target) => {
                    // `use axum::Router` must not look for `axum` among this module's own names.
                    let full: Vec<String> = target.iter().chain(&path[1..]).cloned().collect();
                    let found = if target.len() == 1 && target[0] == *first {
                        self.resolve_extern(here.krate, &full, depth + 1)
                    } else {
                        self.resolve_at(module, &full, depth + 1)
                    };
                    match found {
                        Target::Items(found) => whole.extend(found),
                        Target::Unknown => {}
                        Target::Module(_) if path.len() == 1 => named = Some(found),
                        // What is defined here has the name; the import is a macro's.
                        Target::External(_) if is_defined => {}
                        other => return other,
                    }
                }
            }
        }
        if path.len() == 1 {
            whole.append(&mut items);
        }
        if !whole.is_empty() {
            return Target::Items(whole);
        }
        if let Some(named) = named {
            return named;
        }
        if !items.is_empty() {
            return match path {
                [_, member] => Target::Of(items[0], member.clone()),
                _ => Target::Unknown,
            };
        }
        for glob in &here.globs {
            let found = self.resolve_at(module, glob, depth + 4);
            let found = match found {
                Target::Module(other) if other != module => self.walk(other, path, depth + 4),
                // `use axum::routing::*`: what else is in scope is looked at first.
                Target::External(mut full) if is_of_glob(&full, first) => {
                    full.extend(path.iter().cloned());
                    Target::External(full)
                }
                Target::Items(items)
                    if path.len() == 1
                        && matches!(items[0].item, Item::Enum(item) if item.variants.iter().any(|variant| variant.ident == first)) =>
                {
                    Target::Of(items[0], first.clone())
                }
                _ => Target::Unknown,
            };
            if !matches!(found, Target::Unknown) {
                return found;
            }
        }
        Target::Unknown
    }

    /// What an import renamed to `name`, by its own name.
    pub(crate) fn renamed(&self, module: ModId, name: &str) -> Option<String> {
        let mut scope = Some(module);
        while let Some(id) = scope {
            let here = self.module(id);
            for def in here.names.get(name).into_iter().flatten() {
                if let Def::Use(target) = def
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
                Def::Use(target) => matches!(self.resolve_at(id, target, 1), Target::External(path) if path.first().is_some_and(|first| first == package)),
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
    pub(crate) fn module_path(&self, module: ModId) -> Vec<String> {
        let id = self.unblocked(module);
        let here = self.module(id);
        let Some(parent) = here.parent else {
            return vec![self.workspace.crates[here.krate.0 as usize].name.clone()];
        };
        let mut path = self.module_path(parent);
        let above = self.module(self.unblocked(parent));
        let name = above.items.iter().find_map(|item| match item {
            Item::Mod(item) => {
                let key = (self.unblocked(parent), std::ptr::from_ref(item) as usize);
                (self.children.borrow().get(&key) == Some(&Some(id)))
                    .then(|| item.ident.to_string())
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

    /// The modules of a file's tree, inline ones with them.
    pub(crate) fn modules_in(&self, file: FileId) -> Vec<ModId> {
        let mut all: Vec<ModId> = self.module_of(file).into_iter().collect();
        let mut next = 0;
        while next < all.len() {
            let module = self.module(all[next]);
            for item in &module.items {
                if let Item::Mod(item) = item
                    && item.content.is_some()
                {
                    all.extend(self.child(all[next], item));
                }
            }
            next += 1;
        }
        all
    }

    /// Every function of a module: free, of an `impl`, with a body in a trait.
    pub(crate) fn functions(&self, module: ModId) -> Vec<Function<'s>> {
        let here = self.module(module);
        let mut all = Vec::new();
        for item in &here.items {
            match item {
                Item::Fn(item) => all.push(Function {
                    module,
                    sig: &item.sig,
                    block: &item.block,
                    attrs: &item.attrs,
                    self_ty: None,
                    is_member: false,
                }),
                Item::Impl(block) if !is_test(&block.attrs) => {
                    for member in &block.items {
                        if let syn::ImplItem::Fn(member) = member {
                            all.push(Function {
                                module,
                                sig: &member.sig,
                                block: &member.block,
                                attrs: &member.attrs,
                                self_ty: Some(&block.self_ty),
                                is_member: true,
                            });
                        }
                    }
                }
                Item::Trait(block) if !is_test(&block.attrs) => {
                    for member in &block.items {
                        if let syn::TraitItem::Fn(member) = member
                            && let Some(body) = &member.default
                        {
                            all.push(Function {
                                module,
                                sig: &member.sig,
                                block: body,
                                attrs: &member.attrs,
                                self_ty: None,
                                is_member: true,
                            });
                        }
                    }
                }
                _ => {}
            }
        }
        all.retain(|function| !is_test(function.attrs));
        all
    }

    /// Every function called `name` that belongs to an `impl` or a trait, in files that name `of`: of
    /// one package, or of the tree.
    pub(crate) fn members(
        &self,
        name: &str,
        of: &str,
        package: Option<usize>,
    ) -> Vec<Function<'s>> {
        let key = (name.to_owned(), of.to_owned(), package);
        if let Some(known) = self.members.borrow().get(&key) {
            return known.clone();
        }
        let found = self.find_members(name, of, package);
        self.members.borrow_mut().insert(key, found.clone());
        found
    }

    fn find_members(&self, name: &str, of: &str, package: Option<usize>) -> Vec<Function<'s>> {
        let dir = package.map_or("", |package| self.workspace.packages[package].dir.as_str());
        let mut all = Vec::new();
        let finder = Word::new(of);
        for file in self.sources.defining("fn ", name) {
            if !self.sources.path(*file).starts_with(dir) || !finder.is_in(self.sources.text(*file))
            {
                continue;
            }
            for module in self.modules_in(*file) {
                if self.module(module).is_test {
                    continue;
                }
                all.extend(
                    self.functions(module)
                        .into_iter()
                        .filter(|function| function.sig.ident == name && function.is_member),
                );
            }
        }
        all
    }

    /// The `impl`'s or trait's own associated constant of that name.
    pub(crate) fn associated(
        &self,
        found: Found<'s>,
        name: &str,
    ) -> Option<(ModId, &'s syn::Expr)> {
        let of = item_name(found.item)?;
        if let Item::Enum(item) = found.item
            && item.variants.iter().any(|variant| variant.ident == name)
        {
            return None;
        }
        for file in self.sources.defining("const ", name) {
            for module in self.modules_in(*file) {
                for item in &self.module(module).items {
                    match item {
                        Item::Impl(block)
                            if type_name(&block.self_ty).is_some_and(|ty| ty == of) =>
                        {
                            for member in &block.items {
                                if let syn::ImplItem::Const(member) = member
                                    && member.ident == name
                                {
                                    return Some((module, &member.expr));
                                }
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        None
    }
}

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

fn build<'s>(
    items: impl Iterator<Item = &'s Item>,
    krate: CrateId,
    file: FileId,
    parent: Option<ModId>,
    folder: String,
    is_test_module: bool,
) -> Module<'s> {
    let mut module = Module {
        krate,
        file,
        is_test: is_test_module,
        parent,
        is_block: false,
        is_inline: false,
        folder,
        names: HashMap::new(),
        globs: Vec::new(),
        items: Vec::new(),
    };
    for item in items {
        if !is_test(item_attributes(item)) {
            enter(&mut module, item);
        }
    }
    module
}

fn enter<'s>(module: &mut Module<'s>, item: &'s Item) {
    module.items.push(item);
    let mut name = |name: &syn::Ident, def| {
        let name = name.to_string();
        let name = name.strip_prefix("r#").unwrap_or(&name).to_owned();
        module.names.entry(name).or_default().push(def);
    };
    match item {
        Item::Mod(inner) => name(&inner.ident, Def::Mod(inner)),
        Item::Use(inner) => {
            flatten(&inner.tree, &mut Vec::new(), module);
        }
        Item::ExternCrate(inner) => {
            let target = vec![inner.ident.to_string()];
            if let Some((_, rename)) = &inner.rename {
                name(rename, Def::Use(target));
            }
        }
        Item::Macro(inner) => {
            if let Some(ident) = &inner.ident {
                name(ident, Def::Item(item));
            }
        }
        Item::Fn(inner) => name(&inner.sig.ident, Def::Item(item)),
        Item::Const(inner) => name(&inner.ident, Def::Item(item)),
        Item::Static(inner) => name(&inner.ident, Def::Item(item)),
        Item::Struct(inner) => name(&inner.ident, Def::Item(item)),
        Item::Enum(inner) => name(&inner.ident, Def::Item(item)),
        Item::Type(inner) => name(&inner.ident, Def::Item(item)),
        Item::Trait(inner) => name(&inner.ident, Def::Item(item)),
        _ => {}
    }
}

fn flatten<'s>(tree: &'s UseTree, seen: &mut Vec<String>, module: &mut Module<'s>) {
    let mut bind = |name: String, path: Vec<String>| {
        module.names.entry(name).or_default().push(Def::Use(path));
    };
    match tree {
        UseTree::Path(path) => {
            seen.push(plain(&path.ident));
            flatten(&path.tree, seen, module);
            seen.pop();
        }
        UseTree::Name(name) => {
            let name = plain(&name.ident);
            if name == "self" {
                if let Some(last) = seen.last() {
                    bind(last.clone(), seen.clone());
                }
            } else {
                bind(name.clone(), [seen.as_slice(), &[name]].concat());
            }
        }
        UseTree::Rename(rename) => {
            let name = plain(&rename.ident);
            let path = if name == "self" {
                seen.clone()
            } else {
                [seen.as_slice(), &[name]].concat()
            };
            bind(plain(&rename.rename), path);
        }
        UseTree::Glob(_) => module.globs.push(seen.clone()),
        UseTree::Group(group) => {
            for tree in &group.items {
                flatten(tree, seen, module);
            }
        }
    }
}

fn plain(ident: &syn::Ident) -> String {
    let name = ident.to_string();
    name.strip_prefix("r#").map_or(name.clone(), str::to_owned)
}

pub(crate) fn segments(path: &syn::Path) -> Vec<String> {
    path.segments
        .iter()
        .map(|segment| plain(&segment.ident))
        .collect()
}

pub(crate) fn last_is(path: &syn::Path, name: &str) -> bool {
    path.segments.last().is_some_and(|last| last.ident == name)
}

/// The last name of a type's path; references and parentheses are looked through.
pub(crate) fn type_name(ty: &syn::Type) -> Option<String> {
    match ty {
        syn::Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()),
        syn::Type::Reference(inner) => type_name(&inner.elem),
        syn::Type::Paren(inner) => type_name(&inner.elem),
        syn::Type::Group(inner) => type_name(&inner.elem),
        _ => None,
    }
}

pub(crate) fn item_name(item: &Item) -> Option<String> {
    let ident = match item {
        Item::Fn(item) => &item.sig.ident,
        Item::Const(item) => &item.ident,
        Item::Static(item) => &item.ident,
        Item::Struct(item) => &item.ident,
        Item::Enum(item) => &item.ident,
        Item::Type(item) => &item.ident,
        Item::Trait(item) => &item.ident,
        Item::Mod(item) => &item.ident,
        Item::Macro(item) => item.ident.as_ref()?,
        _ => return None,
    };
    Some(plain(ident))
}

fn item_attributes(item: &Item) -> &[syn::Attribute] {
    match item {
        Item::Fn(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[tokio::test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`: not part of what is served.
pub(crate) fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        last_is(attribute.path(), "test")
            || attribute.path().is_ident("cfg")
                && matches!(&attribute.meta, syn::Meta::List(list) if needs_test(&list.tokens.to_string()))
    })
}

/// Whether a `cfg` holds in tests only: `test`, or `all(…)` with it.
fn needs_test(condition: &str) -> bool {
    let condition = condition.trim();
    if condition == "test" {
        return true;
    }
    condition
        .strip_prefix("all")
        .map(str::trim)
        .and_then(|inner| inner.strip_prefix('(')?.strip_suffix(')'))
        .is_some_and(|inner| inner.split(',').any(|part| part.trim() == "test"))
}

/// The condition of a `#[cfg(…)]` that may leave something out.
pub(crate) fn condition(attributes: &[syn::Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            syn::Meta::List(list) if attribute.path().is_ident("cfg") => {
                let text: String = list.tokens.to_string().split_whitespace().collect();
                (text != "not(test)").then(|| format!("cfg({text})"))
            }
            _ => None,
        })
}

fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            syn::Meta::NameValue(pair) if attribute.path().is_ident("path") => match &pair.value {
                syn::Expr::Lit(syn::ExprLit {
                    lit: syn::Lit::Str(text),
                    ..
                }) => Some(text.value()),
                _ => None,
            },
            _ => None,
        })
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// `a/../b` → `b`.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}
