//! Code that is not in the tree: modules without a file, and what is included.

use syn::Item;
use syn::spanned::Spanned as _;

use crate::routes::index::files::{folder_of, join};
use crate::routes::index::syntax::{item_attributes, plain};
use crate::routes::index::{Index, ModId, Module, Target, condition, last_is};
use crate::routes::source::{FileId, Site, includes, normal};

impl<'s> Index<'s> {
    /// The code of a file that is not where the scan looks: `mod name;` without a file, and what is
    /// included. A module under `cfg` may well have its file elsewhere: it is kept for
    /// [`Index::is_lost`], which tells where that matters.
    pub(crate) fn gaps(&self, file: FileId) -> Vec<(Site, String)> {
        let mut gaps = Vec::new();
        if !self.may_have_gaps(file) {
            return gaps;
        }
        for module in self.modules_in(file) {
            let here = self.module(module);
            if here.is_test {
                continue;
            }
            for item in &here.items {
                match item {
                    Item::Mod(item) if item.content.is_none() => {
                        let name = plain(&item.ident);
                        if !self.files_of(&here, item, &name).has_gap {
                            continue;
                        }
                        if condition(&item.attrs).is_some() {
                            let key = (module, std::ptr::from_ref(item) as usize);
                            self.lost.borrow_mut().insert(key);
                        } else {
                            let site = Site::at(file, item.ident.span().start());
                            gaps.push((
                                site,
                                format!("the file of `mod {name}` is not in the tree"),
                            ));
                        }
                    }
                    Item::Macro(item) if self.includes_unseen(&here, &item.mac) => {
                        let site = Site::at(file, item.mac.path.span().start());
                        let what = "`include!` takes code from where the scan does not look";
                        gaps.push((site, what.to_owned()));
                    }
                    _ => {}
                }
            }
        }
        gaps
    }

    /// Whether a path leads, on one way at least, into a module under `cfg` that has no file here.
    pub(crate) fn is_lost(&self, module: ModId, path: &syn::Path) -> bool {
        if self.lost.borrow().is_empty() {
            return false;
        }
        self.met_lost.set(false);
        match self.resolve_path(module, path) {
            // What is defined under `cfg` may come by a glob import under the opposite `cfg`.
            Target::Items(all) => {
                for found in all {
                    if condition(item_attributes(found.item)).is_some() {
                        for glob in &self.module(found.module).globs {
                            self.resolve(found.module, glob);
                        }
                    }
                }
            }
            // A glob import was looked into on the way to another crate.
            Target::External(_) | Target::Module(_) => self.met_lost.set(false),
            Target::Of(..) | Target::Several(_) | Target::Unknown => {}
        }
        self.met_lost.take()
    }

    /// Whether the text names a module that has no file beside it, or includes something. An inline
    /// module's children are further down, which only the syntax tells.
    fn may_have_gaps(&self, file: FileId) -> bool {
        let (path, text) = (self.sources.path(file), self.sources.text(file));
        let (folder, stem) = path.rsplit_once('/').unwrap_or(("", path));
        let is_root = self.workspace.crates.iter().any(|krate| krate.root == file);
        let folder = match stem.strip_suffix(".rs") {
            Some(stem) if stem != "mod" && !is_root => join(folder, stem),
            _ => folder.to_owned(),
        };
        includes(text)
            || self.sources.modules_named(file).any(|name| {
                let path = join(&folder, name);
                self.sources.find(&format!("{path}.rs")).is_none()
                    && self.sources.find(&format!("{path}/mod.rs")).is_none()
            })
    }

    /// Whether an `include!` brings code that may have a router. What a build script writes is not
    /// there to be read: a router out of it is missed where it is used.
    fn includes_unseen(&self, above: &Module<'s>, call: &syn::Macro) -> bool {
        if !last_is(&call.path, "include") {
            return false;
        }
        let Ok(path) = call.parse_body::<syn::LitStr>() else {
            return false;
        };
        let beside = folder_of(self.sources.path(above.file));
        let file = normal(&join(beside, &path.value())).and_then(|path| self.sources.find(&path));
        file.is_none_or(|file| self.sources.is_relevant(file))
    }
}
