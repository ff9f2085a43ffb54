//! `cargo xtask migrate new` and `renumber`: makes migrations and keeps them in order.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::cli::say;
use crate::cx::Cx;
use crate::exit::{Code, Problem};
use crate::migrations::files::{self, Migration};
use crate::migrations::{Engine, stamp};
use crate::repo;

pub(super) fn new(cx: &Cx, name: &str) -> Result<Code> {
    if !files::is_name(name) {
        let problem = Problem::new(
            Code::Usage,
            format!("`{name}` is no name of a migration: lower case letters, digits and `_`"),
        );
        let near = match files::near_name(name).as_str() {
            "" => "orders_have_notes".to_owned(),
            near => near.to_owned(),
        };
        return Err(problem
            .help(format!("cargo xtask migrate new {near}"))
            .into());
    }
    let trunk = Trunk::read(cx)?;
    let newest = trunk
        .newest
        .max(trunk.listed.iter().map(|file| file.version).max());
    let (version, is_ahead) = stamp::next(jiff::Timestamp::now(), newest)?;
    let mut written: Vec<PathBuf> = Vec::new();
    for engine in Engine::ALL {
        let path = cx
            .root
            .join(engine.folder())
            .join(format!("{version}_{name}.sql"));
        if let Err(error) = create(&path) {
            // One of two would be a version that only one engine has.
            for path in &written {
                let _ = std::fs::remove_file(path);
            }
            return Err(error);
        }
        written.push(path);
    }
    for path in &written {
        say(format!("wrote {}", shown(cx, path)))?;
    }
    if is_ahead {
        say(format!(
            "note: the newest migration is ahead of this machine's clock; {version} follows it"
        ))?;
    }
    say("\nnext: write what it does for each engine, then cargo xtask fix migrations")?;
    Ok(Code::Done)
}

fn create(path: &Path) -> Result<()> {
    let folder = path.parent().unwrap_or(path);
    let failed = || format!("failed to write `{}`", path.display());
    std::fs::create_dir_all(folder).with_context(failed)?;
    let mut file = std::fs::File::create_new(path).with_context(failed)?;
    file.write_all(b"-- What changes, and why.\n")
        .with_context(failed)
}

/// Files of this branch, and what trunk has.
struct Trunk {
    listed: Vec<Migration>,
    newest: Option<i64>,
    /// Of `listed`, those that trunk does not have.
    unmerged: Vec<Migration>,
}

impl Trunk {
    fn read(cx: &Cx) -> Result<Self> {
        let listed = files::list(cx)?.migrations;
        let Some(repo) = repo::open(&cx.root)? else {
            return Ok(Self {
                unmerged: listed.clone(),
                listed,
                newest: None,
            });
        };
        let base = repo::base(&repo, &cx.policy.branch.trunk)?;
        let merged = match base.tip.or(base.commit) {
            Some(tip) => files::merged(cx, &repo, tip)?,
            None => Vec::new(),
        };
        let is_merged = |file: &Migration| merged.iter().any(|other| other.file == file.file);
        Ok(Self {
            newest: merged.iter().map(|file| file.version).max(),
            unmerged: listed
                .iter()
                .filter(|file| !is_merged(file))
                .cloned()
                .collect(),
            listed,
        })
    }
}

/// From the first late one on every migration of this branch moves, so that their order stays.
pub(super) fn renumber(cx: &Cx) -> Result<Code> {
    let trunk = Trunk::read(cx)?;
    let mut versions: Vec<i64> = trunk.unmerged.iter().map(|file| file.version).collect();
    versions.sort_unstable();
    versions.dedup();
    let is_late = |version: &i64| trunk.newest.is_some_and(|newest| *version <= newest);
    let Some(first) = versions.iter().position(is_late) else {
        say("every migration of this branch is newer than trunk's newest")?;
        return Ok(Code::Done);
    };
    let last_kept = versions[..first].last().copied();
    let mut newest = trunk.newest.max(last_kept);
    let mut renames: Vec<(PathBuf, PathBuf)> = Vec::new();
    for old in &versions[first..] {
        let (version, _) = stamp::next(jiff::Timestamp::now(), newest)?;
        newest = Some(version);
        for file in trunk.unmerged.iter().filter(|file| file.version == *old) {
            let from = cx.root.join(&file.file);
            let name = file.file.rsplit('/').next().unwrap_or_default();
            let rest = name.split_once('_').map_or("", |(_, rest)| rest);
            renames.push((
                from.clone(),
                from.with_file_name(format!("{version}_{rest}")),
            ));
        }
    }
    // All new names are newer than all there is, so no step can meet another file.
    for (n, (from, to)) in renames.iter().enumerate() {
        if let Err(error) = std::fs::rename(from, to) {
            for (from, to) in renames[..n].iter().rev() {
                let _ = std::fs::rename(to, from);
            }
            return Err(error).with_context(|| format!("failed to rename `{}`", shown(cx, from)));
        }
    }
    for (from, to) in &renames {
        say(format!("{} -> {}", shown(cx, from), shown(cx, to)))?;
    }
    say(
        "\nnext: cargo xtask ci migrations; where a local database has applied them, move it away: cargo xtask setup makes a new one",
    )?;
    Ok(Code::Done)
}

fn shown(cx: &Cx, path: &Path) -> String {
    crate::report::slashed(path.strip_prefix(&cx.root).unwrap_or(path))
}
