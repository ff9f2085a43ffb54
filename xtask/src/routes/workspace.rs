//! Packages, crates and versions, read from the manifests and the lockfile: nothing is built and no
//! tool is asked.
//!
//! Long because manifests and lockfile tell only together which axum a package is built with.

use std::collections::{BTreeMap, BTreeSet};

use toml_edit::{DocumentMut, Item, TableLike};

use super::source::{FileId, Sources, Tree, normal, number};

/// Index into [`Workspace::crates`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CrateId(pub(crate) u32);

#[derive(Debug, Default)]
pub(crate) struct Workspace {
    pub(crate) packages: Vec<Package>,
    pub(crate) crates: Vec<Crate>,
    /// Manifests, and what keeps their packages from being read.
    pub(crate) problems: Vec<(String, String)>,
}

#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) name: String,
    /// Relative to the root, empty for the root's own.
    pub(crate) dir: String,
    /// By the name the code uses; the value is the package's name, as code would write it.
    pub(crate) dependencies: BTreeMap<String, String>,
    /// Version of axum it is built with, where it or a package below it uses axum.
    pub(crate) axum: Option<String>,
    pub(crate) has_binary: bool,
    /// It can have a router: it depends on axum, directly or by way of what it depends on.
    pub(crate) may_route: bool,
    /// Another package of the tree depends on it.
    pub(crate) is_depended_on: bool,
}

/// One target of cargo.
#[derive(Debug)]
pub(crate) struct Crate {
    pub(crate) package: usize,
    /// As code writes it.
    pub(crate) name: String,
    pub(crate) root: FileId,
    pub(crate) is_lib: bool,
}

/// Folders whose packages and targets serve nobody.
const TESTS: &[&str] = &["tests", "benches", "examples", "fixtures", "testdata"];

/// Whether a path lies below a folder of tests, benchmarks or examples.
pub(crate) fn is_test_path(path: &str) -> bool {
    path.split('/')
        .rev()
        .skip(1)
        .any(|part| TESTS.contains(&part))
}

impl Workspace {
    /// Reads every manifest among `paths`.
    pub(crate) fn read(
        tree: &Tree,
        sources: &Sources,
        paths: &[String],
        guard_dirs: &[String],
    ) -> Self {
        let mut workspace = Self::default();
        let mut manifests = BTreeMap::new();
        for path in paths {
            if path != "Cargo.toml" && !path.ends_with("/Cargo.toml") || is_test_path(path) {
                continue;
            }
            let parsed = tree
                .text(path)
                .map_err(|error| error.to_string())
                .and_then(|text| {
                    text.parse::<DocumentMut>()
                        .map_err(|error| error.to_string())
                });
            match parsed {
                Ok(manifest) => {
                    manifests.insert(
                        path.trim_end_matches("Cargo.toml")
                            .trim_end_matches('/')
                            .to_owned(),
                        manifest,
                    );
                }
                Err(why) => {
                    let why = format!("does not parse: {why}");
                    workspace.problems.push((path.clone(), why));
                }
            }
        }
        let locks: BTreeMap<String, Lock> = paths
            .iter()
            .filter(|path| *path == "Cargo.lock" || path.ends_with("/Cargo.lock"))
            .filter_map(|path| {
                let text = tree.text(path).ok()?;
                Some((
                    path.trim_end_matches("Cargo.lock")
                        .trim_end_matches('/')
                        .to_owned(),
                    Lock::parse(&text),
                ))
            })
            .collect();
        let members: BTreeSet<&str> = manifests.values().filter_map(package_name).collect();
        let mut lost = Vec::new();
        for (dir, manifest) in &manifests {
            let missing =
                workspace.add_package(sources, dir, manifest, &manifests, &members, &locks);
            lost.extend(missing.into_iter().map(|why| (dir, why)));
        }
        workspace.link(guard_dirs);
        for (dir, why) in lost {
            let path = below(dir, "Cargo.toml");
            if workspace.may_route(&path) {
                workspace.problems.push((path, why));
            }
        }
        workspace
    }

    /// Answers which of its targets have no file.
    fn add_package(
        &mut self,
        sources: &Sources,
        dir: &str,
        manifest: &DocumentMut,
        manifests: &BTreeMap<String, DocumentMut>,
        members: &BTreeSet<&str>,
        locks: &BTreeMap<String, Lock>,
    ) -> Vec<String> {
        let Some(name) = package_name(manifest) else {
            return Vec::new();
        };
        let shared = ancestors(dir)
            .find_map(|above| manifests.get(above)?.get("workspace")?.get("dependencies"));
        let mut dependencies = BTreeMap::new();
        let mut required = None;
        let lock = ancestors(dir).find_map(|above| locks.get(above));
        // Without a lockfile nothing is known of what a dependency brings.
        let mut may_route = false;
        let mut tables: Vec<&dyn TableLike> = Vec::new();
        let kinds = ["dependencies", "build-dependencies"];
        for kind in kinds {
            tables.extend(manifest.get(kind).and_then(|table| table.as_table_like()));
        }
        if let Some(targets) = manifest
            .get("target")
            .and_then(|target| target.as_table_like())
        {
            for (_, target) in targets.iter() {
                tables.extend(
                    kinds
                        .iter()
                        .filter_map(|kind| target.get(kind)?.as_table_like()),
                );
            }
        }
        for table in tables {
            for (key, item) in table.iter() {
                let inherited = item
                    .get("workspace")
                    .and_then(Item::as_bool)
                    .filter(|inherits| *inherits)
                    .and_then(|_| shared?.get(key));
                let package = [Some(item), inherited]
                    .into_iter()
                    .flatten()
                    .find_map(|item| item.get("package")?.as_str())
                    .unwrap_or(key);
                if package == "axum" {
                    required = inherited
                        .into_iter()
                        .chain([item])
                        .find_map(|item| item.as_str().or_else(|| item.get("version")?.as_str()))
                        .map(str::to_owned);
                }
                let is_member = members.contains(package);
                may_route |= ROUTING.contains(&package)
                    || !is_member && lock.is_none_or(|lock| lock.reaching.contains(package));
                dependencies.insert(code_name(key), code_name(package));
            }
        }
        let axum = lock.and_then(|lock| lock.axum_of(name)).or(required);

        let package = self.packages.len();
        let join = |path: &str| below(dir, path);
        let mut missing = Vec::new();
        let mut seen = BTreeSet::new();
        let mut add = |crates: &mut Vec<Crate>, name: &str, path: &str, is_lib| {
            let root = normal(path).and_then(|path| sources.find(&path));
            if let Some(root) = root
                && seen.insert((root, is_lib))
            {
                crates.push(Crate {
                    package,
                    name: code_name(name),
                    root,
                    is_lib,
                });
            }
            root.is_some()
        };
        let lib = manifest.get("lib");
        let lib_name = lib
            .and_then(|lib| lib.get("name")?.as_str())
            .unwrap_or(name);
        let lib_path = lib
            .and_then(|lib| lib.get("path")?.as_str())
            .unwrap_or("src/lib.rs");
        if !add(&mut self.crates, lib_name, &join(lib_path), true) && lib.is_some() {
            missing.push(lib_path.to_owned());
        }
        let before = self.crates.len();
        for bin in manifest.get("bin").map(listed).unwrap_or_default() {
            let bin_name = bin
                .get("name")
                .and_then(|name| name.as_str())
                .unwrap_or(name);
            let paths = match bin.get("path").and_then(|path| path.as_str()) {
                Some(path) => vec![path.to_owned()],
                None => vec![
                    format!("src/bin/{bin_name}.rs"),
                    format!("src/bin/{bin_name}/main.rs"),
                    // Where it is called as its package is.
                    "src/main.rs".to_owned(),
                ],
            };
            let mut found = false;
            for path in &paths {
                found |= add(&mut self.crates, bin_name, &join(path), false);
            }
            if !found {
                missing.extend(paths.into_iter().next());
            }
        }
        add(&mut self.crates, name, &join("src/main.rs"), false);
        let bins = join("src/bin/");
        for file in sources.below(&bins) {
            let path = sources.path(file);
            let rest = &path[bins.len()..];
            let stem = match rest.split_once('/') {
                None => rest.strip_suffix(".rs"),
                Some((folder, "main.rs")) => Some(folder),
                Some(_) => None,
            };
            if let Some(stem) = stem {
                add(&mut self.crates, stem, path, false);
            }
        }
        let has_binary = self.crates.len() > before;
        self.packages.push(Package {
            name: name.to_owned(),
            dir: dir.to_owned(),
            dependencies,
            axum,
            has_binary,
            may_route,
            is_depended_on: false,
        });
        missing
            .into_iter()
            .map(|path| format!("names a target whose root is not there: `{path}`"))
            .collect()
    }

    fn link(&mut self, guard_dirs: &[String]) {
        for package in &mut self.packages {
            package.may_route |= guard_dirs.contains(&package.dir);
        }
        // Whoever depends on a package that may has it too.
        loop {
            let may: BTreeSet<String> = self
                .packages
                .iter()
                .filter(|package| package.may_route)
                .map(|package| code_name(&package.name))
                .collect();
            let mut is_done = true;
            for package in &mut self.packages {
                if !package.may_route
                    && package.dependencies.values().any(|name| may.contains(name))
                {
                    package.may_route = true;
                    is_done = false;
                }
            }
            if is_done {
                break;
            }
        }
        let used: BTreeSet<String> = self
            .packages
            .iter()
            .flat_map(|package| package.dependencies.values().cloned())
            .collect();
        for package in &mut self.packages {
            package.is_depended_on = used.contains(&code_name(&package.name));
        }
    }

    /// The package whose folder a file lies in.
    pub(crate) fn package_at(&self, path: &str) -> Option<usize> {
        let holds = |package: &Package| {
            package.dir.is_empty()
                || path
                    .strip_prefix(&package.dir)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        (0..self.packages.len())
            .filter(|package| holds(&self.packages[*package]))
            .max_by_key(|package| self.packages[*package].dir.len())
    }

    /// Whether the package that a file lies in can have a router at all.
    pub(crate) fn may_route(&self, path: &str) -> bool {
        self.package_at(path)
            .is_none_or(|package| self.packages[package].may_route)
    }

    /// The packages whose code can name what a crate has: its own, and all that depend on it, be it
    /// by way of others that hand its names on.
    pub(crate) fn users(&self, id: CrateId) -> BTreeSet<usize> {
        let mut users = BTreeSet::new();
        let mut queue = vec![self.crates[id.0 as usize].package];
        while let Some(package) = queue.pop() {
            if users.insert(package) {
                let name = code_name(&self.packages[package].name);
                queue.extend((0..self.packages.len()).filter(|user| {
                    let below = &self.packages[*user].dependencies;
                    below.values().any(|below| *below == name)
                }));
            }
        }
        users
    }

    pub(crate) fn package_of(&self, id: CrateId) -> &Package {
        &self.packages[self.crates[id.0 as usize].package]
    }

    /// The axum that code of a package is built with: its own, or that of a member it depends on.
    pub(crate) fn axum_of(&self, id: CrateId) -> Option<&str> {
        let mut queue = vec![self.crates[id.0 as usize].package];
        let mut seen = BTreeSet::new();
        while let Some(package) = queue.pop() {
            if !seen.insert(package) {
                continue;
            }
            let package = &self.packages[package];
            if package.axum.is_some() {
                return package.axum.as_deref();
            }
            let below = package.dependencies.values();
            queue.extend(below.filter_map(|name| {
                let is_it = |package: &Package| code_name(&package.name) == *name;
                self.packages.iter().position(is_it)
            }));
        }
        None
    }

    pub(crate) fn ids(&self) -> impl Iterator<Item = CrateId> + use<> {
        (0..number(self.crates.len())).map(CrateId)
    }

    /// The library that a crate's code means by `name`: `Ok` of this tree, `Err` with the name of
    /// the package where it comes from elsewhere; `None` for an unknown name.
    pub(crate) fn extern_crate(
        &self,
        from: CrateId,
        name: &str,
    ) -> Option<Result<CrateId, String>> {
        let here = &self.crates[from.0 as usize];
        let package = &self.packages[here.package];
        // A binary knows its package's library by the library's own name.
        let own = self.ids().find(|id| {
            let other = &self.crates[id.0 as usize];
            other.package == here.package && other.is_lib && *id != from && other.name == name
        });
        if let Some(own) = own {
            return Some(Ok(own));
        }
        let wanted = package.dependencies.get(name)?;
        let found = self.ids().find(|id| {
            let other = &self.crates[id.0 as usize];
            other.is_lib && code_name(&self.packages[other.package].name) == *wanted
        });
        Some(found.ok_or_else(|| wanted.clone()))
    }
}

/// Packages whose users may write routers.
const ROUTING: &[&str] = &["axum", "axum-extra", "aide", "utoipa-axum"];

fn package_name(manifest: &DocumentMut) -> Option<&str> {
    manifest.get("package")?.get("name")?.as_str()
}

/// The tables of `[[bin]]`, or those of `bin = [{ … }]`.
fn listed(item: &Item) -> Vec<&dyn TableLike> {
    if let Some(tables) = item.as_array_of_tables() {
        return tables.iter().map(|table| table as &dyn TableLike).collect();
    }
    let inline = item.as_array().into_iter().flatten();
    inline
        .filter_map(|table| Some(table.as_inline_table()? as &dyn TableLike))
        .collect()
}

/// A path within a folder that may be the root.
fn below(dir: &str, path: &str) -> String {
    if dir.is_empty() {
        path.to_owned()
    } else {
        format!("{dir}/{path}")
    }
}

/// A package's name as code writes it.
fn code_name(name: &str) -> String {
    name.replace('-', "_")
}

/// `a/b`, `a`, and the root.
fn ancestors(dir: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(dir), |dir| {
        if dir.is_empty() {
            None
        } else {
            Some(dir.rsplit_once('/').map_or("", |(above, _)| above))
        }
    })
}

/// What `Cargo.lock` says of axum. Read by line: the files are large, and cargo writes them one way.
#[derive(Debug, Default)]
struct Lock {
    versions: Vec<String>,
    /// Package → the version it names, where there are several.
    named: BTreeMap<String, String>,
    users: BTreeSet<String>,
    edges: BTreeMap<String, Vec<String>>,
    /// Packages that have axum somewhere below them.
    reaching: BTreeSet<String>,
}

impl Lock {
    fn parse(text: &str) -> Self {
        let mut lock = Self::default();
        let mut name = String::new();
        for line in text.lines() {
            let line = line.trim_end();
            if let Some(value) = quoted(line, "name = ") {
                value.clone_into(&mut name);
            } else if let Some(version) = quoted(line, "version = ") {
                if name == "axum" {
                    lock.versions.push(version.to_owned());
                }
            } else if let Some(entry) = quoted(line.trim_start().trim_end_matches(','), "") {
                let mut words = entry.split(' ');
                let dependency = words.next().unwrap_or_default();
                if dependency == "axum" {
                    lock.users.insert(name.clone());
                    if let Some(version) = words.next() {
                        lock.named.insert(name.clone(), version.to_owned());
                    }
                } else {
                    lock.edges
                        .entry(name.clone())
                        .or_default()
                        .push(dependency.to_owned());
                }
            }
        }
        lock.reaching = lock.reach();
        lock
    }

    fn reach(&self) -> BTreeSet<String> {
        let mut above: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (package, below) in &self.edges {
            for name in below {
                above.entry(name).or_default().push(package);
            }
        }
        let mut reaching = self.users.clone();
        let mut queue: Vec<String> = self.users.iter().cloned().collect();
        while let Some(package) = queue.pop() {
            for user in above.get(package.as_str()).into_iter().flatten() {
                if reaching.insert((*user).to_owned()) {
                    queue.push((*user).to_owned());
                }
            }
        }
        reaching
    }

    /// The version that package `name` sees, itself or through what it depends on.
    fn axum_of(&self, name: &str) -> Option<String> {
        if !self.reaching.contains(name) {
            return None;
        }
        let mut queue = std::collections::VecDeque::from([name]);
        let mut seen = BTreeSet::from([name]);
        while let Some(package) = queue.pop_front() {
            if self.users.contains(package) {
                return self.named.get(package).or(self.versions.first()).cloned();
            }
            for next in self.edges.get(package).into_iter().flatten() {
                if seen.insert(next) {
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

fn quoted<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    line.strip_prefix(key)?.strip_prefix('"')?.strip_suffix('"')
}
