//! Names: which item a path means, across modules and crates. Modules are read when a name leads
//! into them.

mod files;
mod gaps;
mod members;
mod paths;
mod syntax;

pub(crate) use paths::ambiguous;
pub(crate) use syntax::{condition, is_test, item_name, last_is, segments, type_name};

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use syn::{Item, UseTree};

use crate::routes::index::files::join;
use crate::routes::index::syntax::{generated, item_attributes, plain};
use crate::routes::source::{FileId, Sources, number};
use crate::routes::workspace::{CrateId, Workspace};

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
    /// Package of the `.proto` whose generated code is included here.
    generated: Option<String>,
    pub(crate) items: Vec<&'s Item>,
}

/// What a name stands for in its module.
#[derive(Clone)]
enum Def<'s> {
    Item(&'s Item),
    Mod(&'s syn::ItemMod),
    /// An import, and whether it is under `cfg`.
    Use(Vec<String>, bool),
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

/// An associated constant, of a type or of a trait.
#[derive(Clone, Copy)]
pub(crate) struct Constant<'s> {
    pub(crate) module: ModId,
    /// Of an `impl`, the type that has it.
    pub(crate) self_ty: Option<&'s syn::Type>,
    /// Under `cfg`.
    pub(crate) is_conditional: bool,
    pub(crate) expr: &'s syn::Expr,
}

impl Function<'_> {
    /// Whether a program or a platform starts here: `main`, or `#[shuttle_runtime::main]` on any name.
    pub(crate) fn is_main(&self) -> bool {
        self.sig.ident == "main"
            || (self.attrs.iter()).any(|attribute| last_is(attribute.path(), "main"))
    }
}

/// What a path means.
#[derive(Clone)]
pub(crate) enum Target<'s> {
    Module(ModId),
    /// More than one under `cfg`.
    Items(Vec<Found<'s>>),
    /// Something of an item, of each of its twins under `cfg`: a method, a constant, a variant.
    Of(Vec<Found<'s>>, String),
    /// From a crate outside the tree, with the package's name first.
    External(Vec<String>),
    /// Something of the tree under one `cfg`, something of elsewhere under another.
    Several(Vec<Target<'s>>),
    Unknown,
}

/// Name, word, package.
pub(super) type MemberKey = (String, String, Option<usize>);

/// A `mod` item where it stands.
type Declared = (ModId, usize);

pub(super) const DEEPEST: usize = 24;

/// First segment of the path of a server that tonic generates: its package and type follow.
pub(crate) const GENERATED: &str = "include_proto!";

pub(crate) struct Index<'s> {
    pub(crate) sources: &'s Sources,
    pub(crate) workspace: &'s Workspace,
    modules: RefCell<Vec<Rc<Module<'s>>>>,
    roots: RefCell<HashMap<CrateId, Option<ModId>>>,
    children: RefCell<HashMap<Declared, Rc<[ModId]>>>,
    /// Modules under `cfg` that have no file here, as in `children`.
    lost: RefCell<HashSet<Declared>>,
    /// The last walk came to one of them.
    met_lost: Cell<bool>,
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
            lost: RefCell::default(),
            met_lost: Cell::default(),
            blocks: RefCell::default(),
            of_file: RefCell::default(),
            members: RefCell::default(),
            moved: RefCell::default(),
        }
    }

    pub(crate) fn module(&self, id: ModId) -> Rc<Module<'s>> {
        Rc::clone(&self.modules.borrow()[id.0 as usize])
    }

    pub(super) fn add(&self, module: Module<'s>) -> ModId {
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

    /// The modules that `item` may declare in `parent`: one, but where `cfg_attr` chooses its file.
    pub(super) fn children(&self, parent: ModId, item: &'s syn::ItemMod) -> Rc<[ModId]> {
        let key = (parent, std::ptr::from_ref(item) as usize);
        if let Some(known) = self.children.borrow().get(&key) {
            return Rc::clone(known);
        }
        // A module that contains itself ends here.
        self.children.borrow_mut().insert(key, Rc::new([]));
        let above = self.module(parent);
        let test = above.is_test || is_test(&item.attrs);
        let name = plain(&item.ident);
        let found: Rc<[ModId]> = if let Some((_, items)) = &item.content {
            let folder = join(&above.folder, &name);
            let mut inner = build(
                items.iter(),
                above.krate,
                above.file,
                Some(parent),
                folder,
                test,
            );
            inner.is_inline = true;
            Rc::new([self.add(inner)])
        } else {
            let files = self.files_of(&above, item, &name).found;
            (files.into_iter())
                .filter_map(|(file, folder)| {
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
                    let id = self.add(build(
                        ast.items.iter(),
                        above.krate,
                        file,
                        Some(parent),
                        folder,
                        test || is_test(&ast.attrs),
                    ));
                    self.of_file.borrow_mut().entry(file).or_insert(Some(id));
                    Some(id)
                })
                .collect()
        };
        self.children.borrow_mut().insert(key, Rc::clone(&found));
        found
    }

    pub(super) fn is_own_ancestor(&self, from: ModId, file: FileId) -> bool {
        std::iter::successors(Some(from), |id| self.module(*id).parent)
            .any(|id| self.module(id).file == file)
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
        generated: None,
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
            let is_conditional = condition(&inner.attrs).is_some();
            flatten(&inner.tree, &mut Vec::new(), module, is_conditional);
        }
        Item::ExternCrate(inner) => {
            let target = vec![inner.ident.to_string()];
            if let Some((_, rename)) = &inner.rename {
                name(rename, Def::Use(target, condition(&inner.attrs).is_some()));
            }
        }
        Item::Macro(inner) => {
            if let Some(ident) = &inner.ident {
                name(ident, Def::Item(item));
            } else if let Some(package) = generated(&inner.mac) {
                module.generated = Some(package);
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

fn flatten<'s>(
    tree: &'s UseTree,
    seen: &mut Vec<String>,
    module: &mut Module<'s>,
    is_conditional: bool,
) {
    let mut bind = |name: String, path: Vec<String>| {
        module
            .names
            .entry(name)
            .or_default()
            .push(Def::Use(path, is_conditional));
    };
    match tree {
        UseTree::Path(path) => {
            seen.push(plain(&path.ident));
            flatten(&path.tree, seen, module, is_conditional);
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
                flatten(tree, seen, module, is_conditional);
            }
        }
    }
}
