//! The ledger of releases: tags, changelog, manifests, dates, links and signatures, held against each
//! other. All that is wrong is told at once; nothing is written.

mod ledger;
mod tags;

use std::sync::Arc;

use anyhow::{Context as _, Result};
use git2::{Oid, Repository};
use semver::Version;
use serde::Serialize;

use crate::cli::say;
use crate::cx::{Cx, Shared};
use crate::exit::{Code, Problem};
use crate::release::changelog::{self, FILE};
use crate::repo;
use crate::report::Finding;
use crate::report::text::plural;
use tags::{Tag, Tags};

/// What each finding is called.
mod rule {
    pub(super) const BRANCH: &str = "audit/branch";
    pub(super) const CHANGELOG: &str = "audit/changelog";
    pub(super) const COMMIT: &str = "audit/commit";
    pub(super) const DATE: &str = "audit/date";
    pub(super) const DUPLICATE: &str = "audit/duplicate";
    pub(super) const LIGHTWEIGHT: &str = "audit/lightweight";
    pub(super) const LINK: &str = "audit/link";
    pub(super) const MANIFEST: &str = "audit/manifest";
    pub(super) const NAME: &str = "audit/name";
    pub(super) const ORDER: &str = "audit/order";
    pub(super) const SECTION: &str = "audit/section";
    pub(super) const SIGNATURE: &str = "audit/signature";
    pub(super) const TAG: &str = "audit/tag";
    pub(super) const UNSIGNED: &str = "audit/unsigned";
}

/// What was looked at, and what is wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    /// Release tags.
    tags: usize,
    /// Headings of releases in the changelog.
    sections: usize,
    signed: usize,
    /// Tags that are no release's: listed, not judged.
    others: Vec<String>,
    findings: Vec<Finding>,
}

impl Audit {
    pub(crate) fn is_red(&self) -> bool {
        !self.findings.is_empty()
    }
}

/// Audits what HEAD says.
///
/// # Errors
/// Exit 3 without git, without a commit, in a shallow clone, and where no branch is here.
pub(crate) fn audit(shared: &Arc<Shared>) -> Result<Audit> {
    let repo = super::history(&shared.root)?;
    let head = repo.head().and_then(|head| head.peel_to_commit());
    let head = head.context("there is no commit yet")?.id();
    let cx = Cx::new(shared, tags::LIMIT);
    let tags = Tags::read(&repo)?;
    let text = repo::file_at(&repo, &shared.root, head, FILE)?;
    let mut findings = Vec::new();
    let mut sections = 0;
    if let Some(text) = &text {
        let log = changelog::parse(text);
        let named = log.releases.iter();
        sections = named.filter(|release| release.version().is_some()).count();
        findings.extend(ledger::pairs(&log, &tags));
        findings.extend(ledger::duplicates(&log));
        findings.extend(ledger::days(&log, &tags, shared.policy.branch.max_age_days));
        findings.extend(ledger::order(&log));
        findings.extend(ledger::links(&log));
    } else {
        let finding = Finding::error(rule::CHANGELOG, format!("there is no `{FILE}`"));
        findings.push(finding.help("write down what the releases changed"));
    }
    findings.extend(tags::kinds(&tags));
    findings.extend(tags::off_branches(&repo, &shared.policy.branch, &tags)?);
    for tag in &tags.releases {
        if let Some(commit) = tag.commit {
            findings.extend(contents(&repo, shared, tag, commit)?);
        }
    }
    findings.extend(tags::signatures(&cx, &tags)?);
    Ok(Audit {
        tags: tags.releases.len(),
        sections,
        signed: tags.releases.iter().filter(|tag| tag.is_signed()).count(),
        others: tags.others,
        findings,
    })
}

/// Version and commit of a release tag that has nothing wrong with it; signatures, and what HEAD says
/// of it, aside.
///
/// # Errors
/// Exit 3 without such a tag, 1 with all that is wrong.
pub(crate) fn sound(shared: &Shared, repo: &Repository, name: &str) -> Result<(Version, Oid)> {
    let mut tags = Tags::read(repo)?;
    tags.releases.retain(|tag| tag.name == name);
    let mut findings = tags::kinds(&tags);
    findings.extend(tags::off_branches(repo, &shared.policy.branch, &tags)?);
    let tag = tags.releases.pop().ok_or_else(|| {
        Problem::precondition(format!("there is no release tag `{name}` here"))
            .help("git fetch --tags; release tags look like `v1.2.3`")
    })?;
    if let Some(commit) = tag.commit {
        findings.extend(contents(repo, shared, &tag, commit)?);
        if findings.is_empty() {
            return Ok((tag.version, commit));
        }
    }
    let all: Vec<_> = findings
        .iter()
        .map(|found| found.message.as_str())
        .collect();
    let message = format!("`{name}` is no sound release: {}", all.join("; "));
    let help = findings.first().and_then(|found| found.help.clone());
    Err(Problem::new(Code::Red, message)
        .help(help.unwrap_or_default())
        .into())
}

/// What the tagged commit itself says: its manifest's version, and the newest of its changelog.
fn contents(repo: &Repository, shared: &Shared, tag: &Tag, commit: Oid) -> Result<Vec<Finding>> {
    let name = &tag.name;
    let mut findings = Vec::new();
    let mut add = |rule: &str, message: String| {
        let help = "a tag stays where it is: release the next version";
        findings.push(Finding::error(rule, message).help(help));
    };
    match super::version_at(repo, &shared.root, commit) {
        Ok(version) if version == tag.version => {}
        Ok(version) => add(
            rule::MANIFEST,
            format!("`Cargo.toml` of `{name}` says {version}"),
        ),
        Err(error) => add(rule::MANIFEST, format!("of `{name}`: {error:#}")),
    }
    let text = repo::file_at(repo, &shared.root, commit, FILE)?;
    let newest = text.as_deref().and_then(newest);
    match newest {
        Some(version) if version == tag.version => {}
        Some(version) => add(
            rule::CHANGELOG,
            format!("the newest version in `{FILE}` of `{name}` is {version}"),
        ),
        None => add(
            rule::CHANGELOG,
            format!("`{FILE}` of `{name}` names no version"),
        ),
    }
    Ok(findings)
}

/// The first version of a changelog. The top of the file has it mostly, and files of hundreds of tags
/// are many: a part that ends with a line says the same as the whole.
fn newest(text: &str) -> Option<Version> {
    let mut size = 4096;
    loop {
        let end = text.floor_char_boundary(size);
        let part = text[..end].rfind('\n').filter(|_| end < text.len());
        let part = part.map_or(text, |at| &text[..=at]);
        let log = changelog::parse(part);
        let found = log.releases.iter().find_map(changelog::Release::version);
        if found.is_some() || part.len() == text.len() {
            return found;
        }
        size *= 4;
    }
}

/// An audit for people.
pub(crate) fn show(audit: &Audit) -> Result<()> {
    for finding in &audit.findings {
        let place = finding.place().map(|place| format!("{place}  "));
        say(format!(
            "error  {}  {}{}",
            finding.rule,
            place.unwrap_or_default(),
            finding.message
        ))?;
        if let Some(help) = &finding.help {
            say(format!("    help: {help}"))?;
        }
    }
    if !audit.others.is_empty() {
        say(format!(
            "tags that are no release's: {}",
            audit.others.join(", ")
        ))?;
    }
    say(format!(
        "{}, {} of them signed, {}: {}",
        plural(audit.tags, "release tag"),
        audit.signed,
        plural(audit.sections, "section"),
        plural(audit.findings.len(), "finding")
    ))
}
