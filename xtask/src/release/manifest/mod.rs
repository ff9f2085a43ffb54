//! The manifests of the workspace: where its version is written, and what is written there after a
//! release. Nothing is asked of cargo and nothing is built.

mod members;
mod requirement;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use semver::Version;
use toml_edit::Item;

use self::members::Manifests;
use super::toml::{Edits, Literal, Toml, splice};
use crate::exit::Problem;

/// Every manifest of a repository, and the one version that the members of its workspace have.
#[derive(Debug)]
pub(crate) struct Workspace<'a> {
    pub(crate) version: Version,
    manifests: Manifests<'a>,
    /// Names of the members that have the version, by folder.
    members: BTreeMap<String, String>,
    /// Where the version is written, by folder of the manifest.
    versions: Vec<(String, Literal)>,
}

/// Where a package has its version from.
enum Source {
    Workspace,
    Own(Literal),
    /// It has none: cargo takes it for 0.0.0.
    Nowhere,
}

impl<'a> Workspace<'a> {
    /// Reads the workspace whose root is `Cargo.toml` in `files`: texts of all manifests by their
    /// path, relative to the root. Those that belong to no member need not parse.
    ///
    /// # Errors
    /// A member's manifest is missing or does not parse, there is no version, there are two, or it
    /// is none by SemVer.
    pub(crate) fn read(files: &'a BTreeMap<String, String>) -> Result<Self> {
        let mut manifests = Manifests::default();
        for (path, text) in files {
            let Some(dir) = folder(path, "Cargo.toml") else {
                continue;
            };
            match Toml::parse(path, text) {
                Ok(toml) => drop(manifests.parsed.insert(dir.to_owned(), toml)),
                Err(error) => drop(manifests.broken.insert(dir.to_owned(), error)),
            }
        }
        let dirs = members::members(&manifests, "")?;
        for dir in dirs.iter().map(String::as_str).chain([""]) {
            if let Some(error) = manifests.broken.remove(dir) {
                return Err(error);
            }
        }
        let root = manifest(&manifests, "")?;
        let shared = root.at(&["workspace", "package", "version"]);
        let shared = shared
            .map(|item| root.literal(item).ok_or_else(|| strange(root, item)))
            .transpose()?;
        let mut members = BTreeMap::new();
        let mut versions: Vec<(String, Literal)> = Vec::new();
        versions.extend(shared.clone().map(|literal| (String::new(), literal)));
        for dir in dirs {
            let toml = manifest(&manifests, &dir)?;
            let name = toml.at(&["package", "name"]).and_then(Item::as_str);
            let name = name.ok_or_else(|| {
                Problem::precondition(format!("`{}` is a member without a name", toml.path))
                    .help("write `[package]` with a `name` in it")
            })?;
            match source(toml)? {
                Source::Own(literal) => versions.push((dir.clone(), literal)),
                Source::Workspace if shared.is_none() => {
                    let message = format!(
                        "`{}` takes its version from the workspace, which has none",
                        toml.path
                    );
                    let help = "write `version` below `[workspace.package]` in `Cargo.toml`";
                    return Err(Problem::precondition(message).help(help).into());
                }
                Source::Workspace => {}
                Source::Nowhere => continue,
            }
            members.insert(dir, name.to_owned());
        }
        let version = the_one(&manifests, &versions)?;
        // What reads a release later, of many commits, looks there and nowhere else.
        if !versions.iter().any(|(dir, _)| dir.is_empty()) {
            return Err(Problem::precondition(format!(
                "`{version}` is written in members, and not in `Cargo.toml` at the root"
            ))
            .help("write it below `[workspace.package]`, and `version.workspace = true` in the members")
            .into());
        }
        Ok(Self {
            version,
            manifests,
            members,
            versions,
        })
    }

    /// New texts, by path, of the manifests that change when the version becomes `new`: the version
    /// itself, and every requirement on a member, also in packages that are no members.
    ///
    /// # Errors
    /// A requirement that does not match `new` and says more than an operator and a version.
    pub(crate) fn set(&self, new: &Version) -> Result<BTreeMap<String, String>> {
        let mut files = BTreeMap::new();
        for (dir, toml) in &self.manifests.parsed {
            let mut edits = Edits::new();
            for (_, literal) in self.versions.iter().filter(|(place, _)| place == dir) {
                // The first release may be of the version that is written already.
                if self.version != *new {
                    edits.push(literal.edit(toml.text, &new.to_string()));
                }
            }
            for dependency in members::dependencies(dir, toml) {
                let Some(literal) = dependency.version else {
                    continue;
                };
                if !self.members.contains_key(&dependency.dir) {
                    continue;
                }
                let text = requirement::carry(&literal.value, new).map_err(|why| {
                    let key = dependency.key;
                    Problem::precondition(format!(
                        "`{key} = \"{}\"` in `{}`, line {}, {why}",
                        literal.value,
                        toml.path,
                        literal.line(toml.text)
                    ))
                    .help(format!(
                        "write it as `{key} = \"{}\"`: a release carries that along",
                        self.version
                    ))
                })?;
                if text != literal.value {
                    edits.push(literal.edit(toml.text, &text));
                }
            }
            if !edits.is_empty() {
                files.insert(toml.path.to_owned(), splice(toml.text, edits));
            }
        }
        Ok(files)
    }

    /// Names of the members that the lockfile `path` can hold with the workspace's version: all for
    /// the root's, for another's those that its packages depend on by path.
    ///
    /// # Errors
    /// The manifest beside it lists members by what is no pattern.
    pub(crate) fn locked(&self, path: &str) -> Result<BTreeSet<String>> {
        let dir = folder(path, "Cargo.lock");
        // Cargo does not look at a lockfile in the folder of a member.
        let is_read = |dir: &&str| dir.is_empty() || !self.members.contains_key(*dir);
        let Some(dir) = dir.filter(is_read) else {
            return Ok(BTreeSet::new());
        };
        let packages = members::members(&self.manifests, dir)?;
        let packages = members::with_needs(&self.manifests, packages);
        let names = packages.iter().filter_map(|dir| self.members.get(dir));
        Ok(names.cloned().collect())
    }
}

/// The folder of `path`, if the file is called `name`.
fn folder<'p>(path: &'p str, name: &str) -> Option<&'p str> {
    let dir = path.strip_suffix(name)?;
    dir.strip_suffix('/').or(dir.is_empty().then_some(""))
}

fn manifest<'m, 'a>(manifests: &'m Manifests<'a>, dir: &str) -> Result<&'m Toml<'a>> {
    let toml = manifests.parsed.get(dir).ok_or_else(|| match dir {
        "" => Problem::precondition("there is no `Cargo.toml` at the root")
            .help("release from a repository whose root is the workspace"),
        dir => Problem::precondition(format!(
            "`{dir}` is a member by `Cargo.toml`, and `{dir}/Cargo.toml` is not tracked"
        ))
        .help(format!(
            "git add {dir}/Cargo.toml, or take it out of `members`"
        )),
    })?;
    Ok(toml)
}

fn source(toml: &Toml<'_>) -> Result<Source> {
    let Some(item) = toml.at(&["package", "version"]) else {
        return Ok(Source::Nowhere);
    };
    if let Some(literal) = toml.literal(item) {
        return Ok(Source::Own(literal));
    }
    match item.get("workspace").and_then(Item::as_bool) {
        Some(true) => Ok(Source::Workspace),
        _ => Err(strange(toml, item).into()),
    }
}

fn strange(toml: &Toml<'_>, item: &Item) -> Problem {
    Problem::precondition(format!(
        "`version` in `{}`, a {}, is no version",
        toml.path,
        item.type_name()
    ))
    .help("write `version.workspace = true`, or `version = \"1.2.3\"`")
}

/// The version that is written at all `places`.
fn the_one(manifests: &Manifests<'_>, places: &[(String, Literal)]) -> Result<Version> {
    const HELP: &str = "write it once, below `[workspace.package]` in `Cargo.toml`, and `version.workspace = true` in the members";
    let mut files: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (dir, literal) in places {
        let toml = manifest(manifests, dir)?;
        let place = format!("`{}`, line {}", toml.path, literal.line(toml.text));
        files.entry(&literal.value).or_default().push(place);
    }
    let mut versions = files.iter();
    let (Some((text, places)), None) = (versions.next(), versions.next()) else {
        let all: Vec<String> = files
            .iter()
            .map(|(text, places)| format!("{text} in {}", places.join(", in ")))
            .collect();
        let message = match all.len() {
            0 => "the workspace has no version".to_owned(),
            n => format!("the workspace has {n} versions: {}", all.join("; ")),
        };
        return Err(Problem::precondition(message).help(HELP).into());
    };
    Version::parse(text).with_context(|| {
        Problem::precondition(format!(
            "`{text}` is no version, in {}",
            places.join(", in ")
        ))
        .help("write three numbers: `version = \"1.2.3\"`")
    })
}
