//! The functions of a module, and those that belong to a type.

use syn::Item;

use crate::routes::index::{
    Constant, Function, Index, ModId, condition, is_test, last_is, type_name,
};
use crate::routes::source::{FileId, Word};

impl<'s> Index<'s> {
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
                    all.extend(self.children(all[next], item).iter());
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

    pub(super) fn find_members(
        &self,
        name: &str,
        of: &str,
        package: Option<usize>,
    ) -> Vec<Function<'s>> {
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

    /// What a type has from its traits without writing it: the functions of that name with a body in
    /// a trait that it implements.
    pub(crate) fn defaults(&self, name: &str, of: &str) -> Vec<Function<'s>> {
        let mut all = Vec::new();
        for file in self.sources.defining("fn ", name) {
            for module in self.modules_in(*file) {
                for item in &self.module(module).items {
                    let Item::Trait(item) = item else { continue };
                    let body = item.items.iter().find_map(|member| match member {
                        syn::TraitItem::Fn(member) if member.sig.ident == name => {
                            Some((member, member.default.as_ref()?))
                        }
                        _ => None,
                    });
                    if let Some((member, block)) = body
                        && !is_test(&member.attrs)
                        && self.implements(of, &item.ident.to_string())
                    {
                        all.push(Function {
                            module,
                            sig: &member.sig,
                            block,
                            attrs: &member.attrs,
                            self_ty: None,
                            is_member: true,
                        });
                    }
                }
            }
        }
        all
    }

    /// Whether a type implements a trait, both by their names.
    fn implements(&self, ty: &str, name: &str) -> bool {
        self.sources.containing(&["impl", name, ty]).any(|file| {
            self.modules_in(file).into_iter().any(|module| {
                self.module(module).items.iter().any(|item| {
                    matches!(item, Item::Impl(block)
                        if type_name(&block.self_ty).is_some_and(|own| own == ty)
                            && matches!(&block.trait_, Some((path, _)) if last_is(path, name)))
                })
            })
        })
    }

    /// The associated constants of that name: of the `impl`s of types that are called `of`, and of the
    /// traits that such a type implements.
    pub(crate) fn constants(&self, of: &str, name: &str) -> Vec<Constant<'s>> {
        let mut all = Vec::new();
        for file in self.sources.defining("const ", name) {
            for module in self.modules_in(*file) {
                for item in &self.module(module).items {
                    match item {
                        Item::Impl(block)
                            if type_name(&block.self_ty).is_some_and(|ty| ty == of) =>
                        {
                            all.extend(block.items.iter().filter_map(|member| match member {
                                syn::ImplItem::Const(member) if member.ident == name => {
                                    let under = [&block.attrs, &member.attrs];
                                    Some(Constant {
                                        module,
                                        self_ty: Some(&block.self_ty),
                                        is_conditional: under
                                            .iter()
                                            .any(|attrs| condition(attrs).is_some()),
                                        expr: &member.expr,
                                    })
                                }
                                _ => None,
                            }));
                        }
                        Item::Trait(block) => {
                            let default = block.items.iter().find_map(|member| match member {
                                syn::TraitItem::Const(member) if member.ident == name => {
                                    Some(&member.default.as_ref()?.1)
                                }
                                _ => None,
                            });
                            if let Some(expr) = default
                                && self.implements(of, &block.ident.to_string())
                            {
                                all.push(Constant {
                                    module,
                                    self_ty: None,
                                    is_conditional: false,
                                    expr,
                                });
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        all
    }
}
