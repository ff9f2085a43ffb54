//! Rules of migration files, against the merge base: no database is asked.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use git2::{ObjectType, Oid, Repository, TreeWalkMode, TreeWalkResult};

use super::{Engine, stamp};
use crate::cx::Cx;
use crate::repo::{self, Base};
use crate::report::{Finding, text};

/// One well-formed migration.
#[derive(Clone, Debug)]
pub(crate) struct Migration {
    pub(crate) engine: Engine,
    pub(crate) version: i64,
    /// From the root.
    pub(crate) file: String,
}

/// The files of the folders, and what is wrong with their names.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) migrations: Vec<Migration>,
    pub(crate) findings: Vec<Finding>,
}

/// `YYYYMMDDHHMMSS_name.sql` with a real date and a name of lower case letters, digits and `_`.
pub(crate) fn version(name: &str) -> Option<i64> {
    let (version, rest) = name.split_once('_')?;
    stamp::time(version)?;
    is_name(rest.strip_suffix(".sql")?).then_some(())?;
    version.parse().ok()
}

/// Whether a migration may be called so.
pub(crate) fn is_name(name: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    !name.is_empty() && name.len() <= 100 && name.bytes().all(fits)
}

/// The nearest name that a migration may have; empty where nothing of it is left.
pub(crate) fn near_name(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<_> = words.filter(|word| !word.is_empty()).collect();
    let mut near = words.join("_").to_ascii_lowercase();
    near.truncate(100);
    near
}

pub(crate) fn list(cx: &Cx) -> Result<Listed> {
    let mut listed = Listed::default();
    let mut versions: BTreeMap<(&str, i64), String> = BTreeMap::new();
    for engine in Engine::ALL {
        let below = format!("{}/", engine.folder());
        for file in cx.files()?.iter().filter(|file| file.starts_with(&below)) {
            let Some(version) = version(&file[below.len()..]) else {
                listed.findings.push(
                    Finding::error(
                        "migrations/name",
                        format!("`{}` would be skipped silently", &file[below.len()..]),
                    )
                    .file(file)
                    .help(
                        "name it YYYYMMDDHHMMSS_name.sql, with a real date and lower case letters",
                    ),
                );
                continue;
            };
            if let Some(other) = versions.insert((engine.name(), version), file.clone()) {
                listed.findings.push(
                    Finding::error(
                        "migrations/duplicate",
                        format!("version {version} is also `{other}`"),
                    )
                    .file(file)
                    .help("give one of them a newer timestamp, by hand or with cargo xtask migrate renumber"),
                );
            }
            listed.migrations.push(Migration {
                engine,
                version,
                file: file.clone(),
            });
        }
    }
    for migration in &listed.migrations {
        for other in Engine::ALL
            .into_iter()
            .filter(|other| *other != migration.engine)
        {
            if !versions.contains_key(&(other.name(), migration.version)) {
                listed.findings.push(
                    Finding::error(
                        "migrations/unpaired",
                        format!("version {} has no {} file", migration.version, other.name()),
                    )
                    .file(&migration.file)
                    .help(format!(
                        "write it in `{}`, even if it is only a comment",
                        other.folder()
                    )),
                );
            }
        }
    }
    Ok(listed)
}

/// What changed since `base` that must never change: merged files are history.
pub(crate) fn against_base(
    cx: &Cx,
    repo: &Repository,
    base: &Base,
    listed: &Listed,
) -> Result<Vec<Finding>> {
    let merged_at = |commit: Option<Oid>| match commit {
        Some(commit) => merged_files(cx, repo, commit),
        None => Ok(BTreeMap::new()),
    };
    let merged = merged_at(base.commit)?;
    let mut history: Vec<(Oid, String, String)> = Vec::new();
    for commit in [base.commit, base.head].into_iter().flatten() {
        for (file, old) in merged_files(cx, repo, commit)? {
            if !history.iter().any(|(_, known, _)| *known == file) {
                history.push((commit, file, old));
            }
        }
    }
    let mut findings = Vec::new();
    for (base, file, old) in &history {
        if !cx.root.join(file).is_file() {
            findings.push(
                Finding::error(
                    "migrations/removed",
                    format!("`{file}` was merged and is gone"),
                )
                .file(file)
                .help(format!(
                    "git checkout {base} -- {file}; undo its effect in a new migration"
                )),
            );
            continue;
        }
        let (old, new) = (normal(old), normal(&cx.read(file)?));
        if old != new {
            let line = text::first_difference(&old, &new);
            findings.push(
                Finding::error(
                    "migrations/edited",
                    format!("`{file}` was edited after it was merged"),
                )
                .at(file, line)
                .help(format!(
                    "git checkout {base} -- {file}; write the change as a new migration"
                ))
                .fix(text::diff(file, &old, &new)),
            );
        }
    }
    // Trunk may have gone on since the base: late is what is late after the merge.
    let of_trunk = match base.tip {
        Some(tip) if base.commit != Some(tip) => merged_files(cx, repo, tip)?,
        _ => merged.clone(),
    };
    let known: BTreeSet<&str> = merged.keys().map(String::as_str).collect();
    for migration in listed
        .migrations
        .iter()
        .filter(|migration| !known.contains(migration.file.as_str()))
    {
        let below = format!("{}/", migration.engine.folder());
        // On trunk itself HEAD has brought it: then what counts is what was there before.
        let before = if of_trunk.contains_key(&migration.file) {
            &merged
        } else {
            &of_trunk
        };
        let newest = before
            .keys()
            .filter_map(|file| version(file.strip_prefix(&below)?))
            .max();
        if let Some(newest) = newest.filter(|newest| migration.version <= *newest) {
            let message = format!(
                "version {} is not newer than {newest}, the newest on trunk",
                migration.version
            );
            findings.push(
                Finding::error("migrations/late", message)
                    .file(&migration.file)
                    .help("cargo xtask migrate renumber: databases that are past it would never run it in order"),
            );
        }
    }
    Ok(findings)
}

/// The well-formed migrations of a commit.
pub(crate) fn merged(cx: &Cx, repo: &Repository, commit: Oid) -> Result<Vec<Migration>> {
    let files = merged_files(cx, repo, commit)?.into_keys();
    let of_file = |file: String| {
        let engine = Engine::ALL
            .into_iter()
            .find(|engine| file.starts_with(&format!("{}/", engine.folder())))?;
        let version = version(&file[engine.folder().len() + 1..])?;
        Some(Migration {
            engine,
            version,
            file,
        })
    };
    Ok(files.filter_map(of_file).collect())
}

/// Migration files of the base commit, by path from the workspace root.
pub(super) fn merged_files(
    cx: &Cx,
    repo: &Repository,
    base: Oid,
) -> Result<BTreeMap<String, String>> {
    let prefix = repo::prefix(repo, &cx.root)?;
    let mut files = BTreeMap::new();
    let mut unreadable = None;
    repo.find_commit(base)?
        .tree()?
        .walk(TreeWalkMode::PreOrder, |folder, entry| {
            let path = format!(
                "{}{}",
                String::from_utf8_lossy(folder.as_bytes()),
                String::from_utf8_lossy(entry.name_bytes())
            );
            let Some(path) = path.strip_prefix(&prefix) else {
                return TreeWalkResult::Ok;
            };
            let is_migration = Engine::ALL
                .iter()
                .any(|engine| path.starts_with(&format!("{}/", engine.folder())));
            if entry.kind() == Some(ObjectType::Blob) && is_migration {
                match repo.find_blob(entry.id()) {
                    Ok(blob) => {
                        files.insert(
                            path.to_owned(),
                            String::from_utf8_lossy(blob.content()).into_owned(),
                        );
                    }
                    Err(error) => unreadable = Some(error),
                }
            }
            TreeWalkResult::Ok
        })?;
    match unreadable {
        Some(error) => Err(error).context("failed to read the migrations of the base commit"),
        None => Ok(files),
    }
}

/// A byte-order mark and line endings are not edits.
fn normal(text: &str) -> String {
    text.strip_prefix('\u{feff}')
        .unwrap_or(text)
        .replace("\r\n", "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(
            version("20261121080000_env_marker.sql"),
            Some(20_261_121_080_000)
        );
        for wrong in [
            "2026112108000_short.sql",
            "20261321080000_month.sql",
            "20260230080000_day.sql",
            "20261121080000.sql",
            "20261121080000_.sql",
            "20261121080000_Upper.sql",
            "20261121080000_a.SQL",
            "20261121080000_a.up.sql",
            "README.md",
            "20261121250000_hour.sql",
            "２0261121080000_x.sql",
        ] {
            assert_eq!(version(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn line_endings_and_byte_order_marks_are_no_edit() {
        assert_eq!(normal("\u{feff}a\r\nb\r\n"), normal("a\nb\n"));
        assert_ne!(normal("a\nb"), normal("a\nb\n"));
    }
}
