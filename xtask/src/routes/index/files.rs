//! Which module a file is, and which file a module.

use std::collections::HashMap;

use syn::Item;

use crate::routes::index::{Index, ModId, Module};
use crate::routes::source::FileId;

impl<'s> Index<'s> {
    /// Where the file of `mod name;` lies, and the folder of its children.
    pub(super) fn file_of(
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

    pub(super) fn search_module(&self, file: FileId) -> Option<ModId> {
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
    pub(super) fn declared(&self, parent: ModId, name: &str, file: FileId) -> Option<ModId> {
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

    pub(super) fn moved_module(&self, file: FileId) -> Option<ModId> {
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
}

pub(super) fn path_attribute(attributes: &[syn::Attribute]) -> Option<String> {
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

pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

/// `a/../b` → `b`.
pub(super) fn normal(path: &str) -> String {
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
