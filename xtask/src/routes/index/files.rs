//! Which module a file is, and which file a module.

use std::collections::HashMap;

use syn::Item;
use syn::parse::Parser as _;
use syn::punctuated::Punctuated;

use crate::routes::index::syntax::plain;
use crate::routes::index::{Index, ModId, Module};
use crate::routes::source::{FileId, normal};

/// The files of a `mod name;`, with the folders of their children. More than one where `cfg_attr`
/// chooses.
#[derive(Default)]
pub(super) struct Files {
    pub(super) found: Vec<(FileId, String)>,
    /// One that it may be is not there.
    pub(super) has_gap: bool,
}

impl<'s> Index<'s> {
    /// Where the files of `mod name;` lie.
    pub(super) fn files_of(&self, above: &Module<'s>, item: &syn::ItemMod, name: &str) -> Files {
        let mut files = Files::default();
        let mut is_moved = false;
        for (path, is_certain) in path_attributes(&item.attrs) {
            is_moved |= is_certain;
            let own = self.sources.path(above.file);
            let beside = if above.is_inline {
                above.folder.as_str()
            } else {
                folder_of(own)
            };
            let full = normal(&join(beside, &path));
            match full.and_then(|full| Some((self.sources.find(&full)?, full))) {
                Some((file, full)) => files.found.push((file, folder_of(&full).to_owned())),
                None => files.has_gap = true,
            }
        }
        if !is_moved {
            let folder = join(&above.folder, name);
            let own = [format!("{folder}.rs"), format!("{folder}/mod.rs")]
                .iter()
                .find_map(|path| self.sources.find(path));
            match own {
                Some(file) => files.found.push((file, folder)),
                // Every system may have a file of its own.
                None => files.has_gap |= files.found.is_empty(),
            }
        }
        files
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

    pub(super) fn search_module(&self, file: FileId) -> Option<ModId> {
        for krate in self.workspace.ids() {
            if self.workspace.crates[krate.0 as usize].root == file {
                return self.root(krate);
            }
        }
        let (folder, name) = place(self.sources.path(file));
        let above = self.modules_above(&folder, file);
        above
            .into_iter()
            .find_map(|parent| self.declared(parent, &name, file))
    }

    /// The modules whose children lie in `folder`; not `file`, which asks for its own parent.
    fn modules_above(&self, folder: &str, file: FileId) -> Vec<ModId> {
        let named = ["lib.rs", "main.rs", "mod.rs"]
            .iter()
            .filter_map(|name| self.sources.find(&join(folder, name)))
            .chain(self.sources.find(&format!("{folder}.rs")));
        let roots = (self.workspace.crates.iter())
            .map(|krate| krate.root)
            .filter(|root| folder_of(self.sources.path(*root)) == folder);
        let mut files: Vec<FileId> = Vec::new();
        for parent in named.chain(roots) {
            if parent != file && !files.contains(&parent) {
                files.push(parent);
            }
        }
        let mut above: Vec<ModId> = files
            .into_iter()
            .filter_map(|parent| self.module_of(parent))
            .collect();
        // `mod folder { mod name; }` of a file further up.
        if above.is_empty() && !folder.is_empty() {
            let name = folder.rsplit('/').next().unwrap_or_default();
            for outer in self.modules_above(folder_of(folder), file) {
                for item in &self.module(outer).items {
                    if let Item::Mod(item) = item
                        && item.content.is_some()
                        && item.ident == name
                    {
                        above.extend(self.children(outer, item).iter());
                    }
                }
            }
        }
        above
    }

    /// Whether some crate of the tree has that file: what no `mod` names is never compiled.
    pub(crate) fn is_compiled(&self, file: FileId) -> bool {
        if self.module_of(file).is_some() {
            return true;
        }
        // What does not parse is no module, but is named all the same.
        let (folder, stem) = place(self.sources.path(file));
        self.modules_above(&folder, file).into_iter().any(|parent| {
            self.module(parent)
                .items
                .iter()
                .any(|item| matches!(item, Item::Mod(item) if item.ident == stem && item.content.is_none()))
        })
    }

    /// The child `name` of a module that is this very file.
    pub(super) fn declared(&self, parent: ModId, name: &str, file: FileId) -> Option<ModId> {
        let module = self.module(parent);
        module.items.iter().find_map(|item| match item {
            Item::Mod(item) if item.ident == name && item.content.is_none() => self
                .children(parent, item)
                .iter()
                .copied()
                .find(|child| self.module(*child).file == file),
            _ => None,
        })
    }

    pub(super) fn moved_module(&self, file: FileId) -> Option<ModId> {
        if self.moved.borrow().is_none() {
            *self.moved.borrow_mut() = Some(HashMap::new());
            let mut moved = HashMap::new();
            let moved_by = self.sources.containing(&["#[path"]);
            let chosen = self.sources.containing(&["cfg_attr", ".rs\""]);
            for declaring in moved_by.chain(chosen).collect::<Vec<_>>() {
                let Some(parent) = self.module_of(declaring) else {
                    continue;
                };
                let module = self.module(parent);
                for item in &module.items {
                    if let Item::Mod(item) = item
                        && path_attributes(&item.attrs).next().is_some()
                    {
                        let name = plain(&item.ident);
                        for (target, _) in self.files_of(&module, item, &name).found {
                            moved.insert(target, (parent, name.clone()));
                        }
                    }
                }
            }
            *self.moved.borrow_mut() = Some(moved);
        }
        let (parent, name) = self.moved.borrow().as_ref()?.get(&file)?.clone();
        self.declared(parent, &name, file)
    }
}

/// What `#[path = "…"]` says, and whether it always holds: not in `cfg_attr`.
fn path_attributes(attributes: &[syn::Attribute]) -> impl Iterator<Item = (String, bool)> {
    attributes.iter().filter_map(|attribute| {
        if attribute.path().is_ident("path") {
            return Some((path_of(&attribute.meta)?, true));
        }
        let syn::Meta::List(list) = &attribute.meta else {
            return None;
        };
        if !attribute.path().is_ident("cfg_attr") {
            return None;
        }
        let parts = Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
        let parts = parts.parse2(list.tokens.clone()).ok()?;
        let path = parts.iter().skip(1).find_map(path_of)?;
        Some((path, false))
    })
}

/// The text of `path = "…"`.
fn path_of(meta: &syn::Meta) -> Option<String> {
    match meta {
        syn::Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            syn::Expr::Lit(syn::ExprLit {
                lit: syn::Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// The folder that a file's parent has its children in, and the name it goes by there.
fn place(path: &str) -> (String, String) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let stem = name.strip_suffix(".rs").unwrap_or(name);
    let (folder, stem) = if stem == "mod" {
        folder.rsplit_once('/').unwrap_or(("", folder))
    } else {
        (folder, stem)
    };
    (folder.to_owned(), stem.to_owned())
}

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}
