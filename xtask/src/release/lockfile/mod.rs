//! The members' version in a lockfile, and nothing else of it. Cargo is not asked: it would want to
//! be online, or move other packages too.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use anyhow::{Context as _, Result};
use semver::Version;
use toml_edit::{Item, Table};

use super::toml::{Edits, Literal, Toml, splice};
use crate::exit::Problem;

/// The text of the lockfile `path` after `members`, packages by name, went from `old` to `new`, as
/// cargo would write it; `None` if nothing changes.
///
/// # Errors
/// The lockfile does not parse, or is stale: it has a member at another version, or has another
/// package in a folder that a member would be taken for.
pub(crate) fn set(
    path: &str,
    text: &str,
    members: &BTreeSet<String>,
    old: &Version,
    new: &Version,
) -> Result<Option<String>> {
    if members.is_empty() {
        // It is not for a release, and need not even be one: a sample of a broken one, say.
        return Ok(None);
    }
    let lock = Lock::parse(path, text)?;
    let moved = lock.members(members, old)?;
    // The first release may be of the version that is written already.
    if moved.is_empty() || old == new {
        return Ok(None);
    }
    let mut wanted = lock.clone();
    for at in moved {
        wanted.packages[at].version = new.clone();
    }
    let mut seen = BTreeSet::new();
    if let Some(twice) = wanted
        .packages
        .iter()
        .find(|package| !seen.insert(package.id()))
    {
        let name = &twice.name;
        let message =
            format!("`{path}` would have two packages `{name} {new}`, which lie in two folders");
        let help = format!("give the `{name}` outside of the workspace another version");
        return Err(Problem::precondition(message).help(help).into());
    }
    let text = splice(text, edits(&lock, &wanted));
    // What was written is read anew: it says what was said, but for these versions.
    let written = Lock::parse(path, &text)?;
    if written.says() != wanted.says() || written.around() != lock.around() {
        let message = format!("the new `{path}` changes more than the members' version");
        return Err(Problem::bug(message).into());
    }
    Ok(Some(text))
}

#[derive(Clone)]
struct Lock<'a> {
    path: &'a str,
    text: &'a str,
    packages: Vec<Package>,
    /// Indices of the packages by name.
    named: BTreeMap<String, Vec<usize>>,
}

#[derive(Clone)]
struct Package {
    name: String,
    version: Version,
    /// `None` for a folder.
    source: Option<String>,
    /// Where the version is written.
    literal: Literal,
    /// Packages, as indices, and how they are written: as much of `name version (source)` as tells
    /// them from others.
    dependencies: Vec<(usize, Literal)>,
    /// Its checksum, say.
    others: BTreeMap<String, String>,
    /// From its header to its last value.
    range: Range<usize>,
}

/// Name, version and source: what tells a package from all others.
type Id<'p> = (&'p str, &'p Version, Option<&'p str>);

/// A package, its dependencies, and all else that is said of it.
type Saying<'p> = (Id<'p>, BTreeSet<Id<'p>>, &'p BTreeMap<String, String>);

impl Package {
    fn id(&self) -> Id<'_> {
        (&self.name, &self.version, self.source.as_deref())
    }
}

impl<'a> Lock<'a> {
    fn parse(path: &'a str, text: &'a str) -> Result<Self> {
        let toml = Toml::parse(path, text)?;
        let tables = toml.at(&["package"]).and_then(Item::as_array_of_tables);
        let mut packages: Vec<Package> = Vec::new();
        let mut named: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for table in tables.into_iter().flatten() {
            let package = package(&toml, table).with_context(|| {
                Problem::precondition(format!(
                    "`{path}` has a package without a name or a version"
                ))
                .help(update(path))
            })?;
            let namesakes = named.entry(package.name.clone()).or_default();
            namesakes.push(packages.len());
            packages.push(package);
        }
        let mut lock = Self {
            path,
            text,
            packages,
            named,
        };
        for (at, table) in tables.into_iter().flatten().enumerate() {
            let written = table.get("dependencies").and_then(Item::as_array);
            let written = written.into_iter().flatten();
            lock.packages[at].dependencies = written
                .filter_map(|value| toml.literal_of(value))
                .map(|literal| Ok((lock.find(&literal)?, literal)))
                .collect::<Result<_>>()?;
        }
        Ok(lock)
    }

    /// The packages that are called `name`, with their indices.
    fn namesakes(&self, name: &str) -> impl Iterator<Item = (usize, &Package)> {
        let all = self.named.get(name).into_iter().flatten();
        all.map(|at| (*at, &self.packages[*at]))
    }

    /// The package that a dependency names.
    fn find(&self, dependency: &Literal) -> Result<usize> {
        let mut words = dependency.value.splitn(3, ' ');
        let (name, version) = (words.next().unwrap_or_default(), words.next());
        let source = words.next().map(|source| source.trim_matches(['(', ')']));
        let fits = |package: &Package| {
            version.is_none_or(|version| package.version.to_string() == version)
                && source.is_none_or(|source| package.source.as_deref() == Some(source))
        };
        // Where two fit, the source is left out for the folder, which stands first.
        let found = self.namesakes(name).find(|(_, package)| fits(package));
        let (at, _) = found.ok_or_else(|| {
            Problem::precondition(format!(
                "`{}`, line {}, depends on `{}`, which it does not hold",
                self.path,
                dependency.line(self.text),
                dependency.value
            ))
            .help(update(self.path))
        })?;
        Ok(at)
    }

    /// How a dependency on the package at `at` is written.
    fn called(&self, at: usize) -> String {
        let Package {
            name,
            version,
            source,
            ..
        } = &self.packages[at];
        let namesakes = self.namesakes(name).count();
        let same = self.namesakes(name);
        let same = same.filter(|(_, other)| other.version == *version).count();
        match source {
            Some(source) if same > 1 => format!("{name} {version} ({source})"),
            _ if namesakes > 1 => format!("{name} {version}"),
            _ => name.clone(),
        }
    }

    /// Indices of `members`, which are at `version`.
    fn members(&self, members: &BTreeSet<String>, version: &Version) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        let mut stale = Vec::new();
        let mut missing = None;
        // That of the workspace has every member. Another one has those that its own packages need,
        // which may be fewer than they name: not what they need for tests alone.
        let is_whole = self.path == "Cargo.lock";
        for name in members {
            let local = self.namesakes(name);
            let local: Vec<_> = local
                .filter(|(_, package)| package.source.is_none())
                .collect();
            missing = missing.or((local.is_empty() && is_whole).then_some(name));
            // Beside the member there may be a package of its name in a folder outside.
            match local
                .iter()
                .find(|(_, package)| package.version == *version)
            {
                Some((at, _)) => found.push(*at),
                None => stale.extend(local),
            }
        }
        if !stale.is_empty() {
            let stale: Vec<String> = stale
                .iter()
                .map(|(_, Package { name, version, .. })| format!("`{name} {version}`"))
                .collect();
            let stale = stale.join(", ");
            let message = format!(
                "`{}` is stale: it has {stale}, the workspace is at {version}",
                self.path
            );
            return Err(Problem::precondition(message)
                .help(update(self.path))
                .into());
        }
        if let Some(name) = missing {
            let message = format!("`{}` is stale: it has no `{name}`", self.path);
            return Err(Problem::precondition(message)
                .help(update(self.path))
                .into());
        }
        Ok(found)
    }

    /// All it says of packages, in no order.
    fn says(&self) -> BTreeSet<Saying<'_>> {
        let all = self.packages.iter();
        all.map(|package| {
            let dependencies = package.dependencies.iter();
            let dependencies = dependencies.map(|(at, _)| self.packages[*at].id());
            (package.id(), dependencies.collect(), &package.others)
        })
        .collect()
    }

    /// Its text before and after the packages.
    fn around(&self) -> (&str, &str) {
        let start = self
            .packages
            .first()
            .map_or(0, |package| package.range.start);
        let end = self.packages.last().map_or(0, |package| package.range.end);
        (&self.text[..start], &self.text[end..])
    }
}

/// A package without its dependencies.
fn package(toml: &Toml<'_>, table: &Table) -> Result<Package> {
    let text = |key: &str| Some(toml.literal(table.get(key)?)?.value);
    let literal = table.get("version").and_then(|item| toml.literal(item));
    let literal = literal.context("no `version`")?;
    let known = ["name", "version", "source", "dependencies"];
    let others = table.iter().filter(|(key, _)| !known.contains(key));
    let others = others.filter_map(|(key, item)| Some((key.to_owned(), toml.literal(item)?.value)));
    Ok(Package {
        name: text("name").context("no `name`")?,
        version: literal.value.parse()?,
        source: text("source"),
        dependencies: Vec::new(),
        others: others.collect(),
        range: toml.range(table),
        literal,
    })
}

/// The edits that turn `lock` into `wanted`, which has other versions.
fn edits(lock: &Lock<'_>, wanted: &Lock<'_>) -> Edits {
    let pairs = lock.packages.iter().zip(&wanted.packages);
    let moved: BTreeSet<&str> = pairs
        .filter(|(old, new)| old.version != new.version)
        .map(|(old, _)| old.name.as_str())
        .collect();
    // Packages of one name stand in the order of their versions.
    let mut order: Vec<usize> = (0..lock.packages.len()).collect();
    for places in moved.iter().filter_map(|name| lock.named.get(*name)) {
        let mut sorted = places.clone();
        sorted.sort_by_key(|at| wanted.packages[*at].id());
        for (place, from) in places.iter().zip(sorted) {
            order[*place] = from;
        }
    }
    let places = lock.packages.iter().map(|package| package.range.clone());
    let blocks = order
        .into_iter()
        .map(|from| block(lock, wanted, &moved, from));
    places.zip(blocks).collect()
}

/// The text of the package at `at` in `wanted`; `moved` are the names with another version.
fn block(lock: &Lock<'_>, wanted: &Lock<'_>, moved: &BTreeSet<&str>, at: usize) -> String {
    let Package {
        literal,
        dependencies,
        range,
        ..
    } = &lock.packages[at];
    let mut edits = vec![literal.edit(lock.text, &wanted.packages[at].version.to_string())];
    let mut names: Vec<String> = dependencies
        .iter()
        .map(|(to, literal)| match &lock.packages[*to].name {
            name if moved.contains(name.as_str()) => wanted.called(*to),
            _ => literal.value.clone(),
        })
        .collect();
    let literals = || dependencies.iter().map(|(_, literal)| literal);
    if names.iter().ne(literals().map(|literal| &literal.value)) {
        // Dependencies stand in the order of their letters.
        names.sort();
        let all = literals().zip(names);
        edits.extend(all.map(|(literal, name)| literal.edit(lock.text, &name)));
    }
    for (place, _) in &mut edits {
        *place = place.start - range.start..place.end - range.start;
    }
    splice(&lock.text[range.clone()], edits)
}

/// The command that mends a stale lockfile.
fn update(path: &str) -> String {
    match path.strip_suffix("/Cargo.lock") {
        Some(dir) => format!("cargo update --workspace --manifest-path {dir}/Cargo.toml"),
        None => "cargo update --workspace".to_owned(),
    }
}
