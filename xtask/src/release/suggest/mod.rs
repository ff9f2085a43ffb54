//! The level that the next release needs, from three readings: what the changelog says, what the
//! commits say, and how the committed OpenAPI documents differ from those of the last release. A
//! reading that fails, or that says more than the changelog does, blocks.

mod commits;
mod level;
mod log;
mod openapi;
mod show;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context as _, Result};
use git2::{Oid, Repository};
use semver::Version;
use serde::Serialize;

use crate::exit::Problem;
use crate::release::changelog;
use crate::repo;
use crate::report::text;

use level::{Level, Step};
pub(crate) use show::show;

/// One thing that a reading found: its level, where, and what it says.
#[derive(Debug, Serialize)]
struct Evidence {
    level: Level,
    /// `CHANGELOG.md:10`, a commit, or a place in the API.
    place: String,
    text: String,
}

impl Evidence {
    fn new(level: Level, place: &str, said: &str) -> Self {
        Self {
            level,
            place: text::clean(place, text::LINE),
            text: text::clean(said, text::LINE),
        }
    }
}

/// What one source says.
#[derive(Debug, Serialize)]
struct Reading {
    name: &'static str,
    /// `None` says nothing.
    level: Option<Level>,
    /// Why it could not be read.
    failed: Option<String>,
    note: String,
    evidence: Vec<Evidence>,
}

impl Reading {
    fn of(name: &'static str, note: impl Into<String>, evidence: Vec<Evidence>) -> Self {
        Self {
            name,
            level: evidence.iter().map(|found| found.level).max(),
            failed: None,
            note: note.into(),
            evidence,
        }
    }

    fn failed(name: &'static str, error: &anyhow::Error) -> Self {
        let failed = text::clean(&format!("{error:#}"), text::MESSAGE);
        Self {
            failed: Some(failed),
            ..Self::of(name, "", Vec::new())
        }
    }
}

/// A reason not to suggest anything, and what to do about it.
#[derive(Debug, Serialize)]
struct Objection {
    message: String,
    help: String,
}

/// The readings, and what follows from them.
#[derive(Debug, Serialize)]
pub(crate) struct Suggestion {
    /// The tag of the last release; `None` before the first one.
    since: Option<String>,
    /// What `Cargo.toml` says.
    version: String,
    readings: Vec<Reading>,
    /// `None` where something objects.
    release: Option<Step>,
    objections: Vec<Objection>,
}

impl Suggestion {
    pub(crate) fn is_blocked(&self) -> bool {
        self.release.is_none()
    }
}

/// Where the readings look: from the last release to HEAD.
struct Span<'a> {
    repo: &'a Repository,
    root: &'a Path,
    head: Oid,
    /// Tag and commit of the last release that is no candidate.
    last: Option<(String, Oid)>,
    version: Version,
}

/// Reads what HEAD has, not the work tree.
///
/// # Errors
/// Exit 3 where there is no history to read: no git, no commit, a shallow clone, tags that are not
/// here, a manifest without version.
pub(crate) fn suggest(root: &Path) -> Result<Suggestion> {
    let repo = super::history(root)?;
    let head = repo.head().and_then(|head| head.peel_to_commit());
    let head = head.context("there is no commit yet")?.id();
    let version = super::version_at(&repo, root, head)?;
    let span = Span {
        repo: &repo,
        root,
        head,
        last: repo::last_release(&repo, head)?,
        version,
    };
    let log = repo::file_at(&repo, root, head, changelog::FILE)?;
    let log = log.as_deref().map(changelog::parse);
    span.check_tags(log.as_ref())?;
    let last = span.last.as_ref().map(|(_, commit)| *commit);
    let log = log.as_ref();
    let or_failed = |name, reading: Result<Reading>| {
        reading.unwrap_or_else(|error| Reading::failed(name, &error))
    };
    let written = log::read(&span, log);
    let is_new = written.as_ref().is_ok_and(|written| written.has_unreleased);
    let readings = vec![
        or_failed("changelog", written.map(|written| written.reading)),
        or_failed("commits", commits::read(&repo, head, last)),
        or_failed("api", api(&span)),
    ];
    Ok(span.concluded(readings, is_new))
}

impl Span<'_> {
    /// Refuses a manifest and tags that do not belong together: some may not be here.
    fn check_tags(&self, log: Option<&changelog::Changelog<'_>>) -> Result<()> {
        let version = &self.version;
        let tag = format!("v{version}");
        let found = match &self.last {
            Some((last, _)) if *last == tag => return Ok(()),
            Some((last, _)) => format!("the last release tag behind HEAD is `{last}`"),
            None => "there is no release tag behind HEAD".to_owned(),
        };
        let is_candidate = !version.pre.is_empty();
        if is_candidate && repo::tagged_behind(self.repo, &tag, self.head)?.is_some() {
            return Ok(());
        }
        let is_written = log.is_some_and(|log| !log.named(version).is_empty());
        // The first release is still to come.
        if self.last.is_none() && !is_candidate && !is_written {
            return Ok(());
        }
        let message = format!("`Cargo.toml` says {version}, and {found}");
        let help = "git fetch --tags; a release that was merged and not tagged yet: cargo xtask release tag";
        Err(Problem::precondition(message).help(help).into())
    }

    fn concluded(self, readings: Vec<Reading>, is_new: bool) -> Suggestion {
        let mut objections = objections(&readings, &self.version);
        let written = readings.first().and_then(|reading| reading.level);
        let release = written.filter(|_| objections.is_empty()).map(|level| {
            if self.version.pre.is_empty() {
                level.step(&self.version)
            } else if is_new {
                Step::Rc
            } else {
                Step::Final
            }
        });
        // A candidate has said already how far it goes.
        if let (Some(level), Some((tag, _))) = (written, &self.last)
            && let Some(last) = repo::release(tag)
            && !self.version.pre.is_empty()
            && Step::between(&last, &self.version) < level.step(&last)
        {
            objections.push(Objection {
                message: format!(
                    "`{}` is no {} release after `{tag}`, and the changelog says {}",
                    self.version,
                    level.step(&last).name(),
                    level.name()
                ),
                help: "cargo xtask release X.Y.Z-rc.1, with the version that it needs".to_owned(),
            });
        }
        Suggestion {
            since: self.last.map(|(tag, _)| tag),
            version: self.version.to_string(),
            release: release.filter(|_| objections.is_empty()),
            readings,
            objections,
        }
    }
}

/// What stands against the changelog, which is the first of the readings.
fn objections(readings: &[Reading], version: &Version) -> Vec<Objection> {
    let command = |level: Level| {
        if version.pre.is_empty() {
            format!("cargo xtask release {}", level.step(version).name())
        } else {
            "cargo xtask release rc, or final".to_owned()
        }
    };
    let by_hand = |level: Option<Level>| {
        level.map_or_else(
            || "cargo xtask release --help lists the levels".to_owned(),
            |level| format!("if you know better: {}", command(level)),
        )
    };
    let mut found = Vec::new();
    let written = readings.first().and_then(|reading| reading.level);
    let highest = readings.iter().filter_map(|reading| reading.level).max();
    for reading in readings {
        if let Some(why) = &reading.failed {
            found.push(Objection {
                message: format!("`{}` cannot be read: {why}", reading.name),
                help: by_hand(highest),
            });
        }
    }
    let is_read = readings.first().is_some_and(|log| log.failed.is_none());
    if written.is_none() && is_read {
        found.push(Objection {
            message: "the changelog says nothing of what changed".to_owned(),
            help: "write below `## [Unreleased]` what the release changes, and commit it"
                .to_owned(),
        });
    }
    for reading in readings.iter().skip(1).filter(|_| is_read) {
        if let Some(level) = reading.level.filter(|level| Some(*level) > written) {
            let says = written.map_or("nothing", Level::name);
            let write = match level {
                Level::Breaking => "`- **Breaking:** …`, or `### Removed`",
                Level::Feature => "an entry below `### Added`, `### Changed` or `### Deprecated`",
                Level::Fix => "an entry below `### Fixed` or `### Security`",
            };
            found.push(Objection {
                message: format!(
                    "`{}` says {}, and the changelog says {says}",
                    reading.name,
                    level.name()
                ),
                help: format!("write {write}; {}", by_hand(written.or(Some(level)))),
            });
        }
    }
    found
}

/// What the committed documents say: `docs/openapi.json`, or one per app.
fn api(span: &Span<'_>) -> Result<Reading> {
    const FOLDER: &str = "docs";
    let Some((_, last)) = span.last else {
        return Ok(Reading::of("api", "no release to compare with", Vec::new()));
    };
    let names = |commit| -> Result<Vec<String>> {
        let mut names = repo::names_at(span.repo, span.root, commit, FOLDER)?;
        let is_json = |name: &str| Path::new(name).extension().is_some_and(|end| end == "json");
        names.retain(|name| name.starts_with("openapi.") && is_json(name));
        Ok(names)
    };
    let all: BTreeSet<String> = names(last)?.into_iter().chain(names(span.head)?).collect();
    let mut evidence = Vec::new();
    for name in &all {
        let file = format!("{FOLDER}/{name}");
        let at = |commit, whose: &str| {
            repo::file_at(span.repo, span.root, commit, &file)?
                .with_context(|| format!("{whose} has no `{file}`"))
        };
        let (before, after) = (at(last, "the last release")?, at(span.head, "HEAD")?);
        let found = openapi::compare(&before, &after);
        evidence.extend(found.with_context(|| format!("failed to compare `{file}`"))?);
    }
    let note = match (all.len(), evidence.len()) {
        (0, _) => "no OpenAPI document".to_owned(),
        (n, 0) => format!("{}, the same to callers", text::plural(n, "document")),
        (n, m) => format!(
            "{}, {}",
            text::plural(n, "document"),
            text::plural(m, "difference")
        ),
    };
    Ok(Reading::of("api", note, evidence))
}
