//! The tags of releases as git has them, and whether their signatures hold.

use std::collections::BTreeSet;
use std::num::NonZero;
use std::time::Duration;

use anyhow::{Context as _, Result};
use git2::{BranchType, Oid, Repository};
use jiff::civil::Date;
use semver::Version;
use xshell::cmd;

use super::rule;
use crate::cx::Cx;
use crate::exit::Problem;
use crate::policy::Branch;
use crate::repo;
use crate::report::{Finding, text};

/// What git has below `refs/tags/`, oldest first.
pub(super) struct Tags {
    pub(super) releases: Vec<Tag>,
    /// Names of those that are no release's.
    pub(super) others: Vec<String>,
}

/// The tag of a release, `vX.Y.Z` or `vX.Y.Z-rc.N`.
pub(super) struct Tag {
    pub(super) name: String,
    pub(super) version: Version,
    /// What it is on; `None` where that is no commit.
    pub(super) commit: Option<Oid>,
    /// `None` of a lightweight one.
    pub(super) note: Option<Note>,
    /// When it was made, in seconds; of a lightweight one its commit.
    pub(super) time: i64,
}

/// The object of an annotated tag.
pub(super) struct Note {
    /// What it calls itself.
    name: String,
    is_signed: bool,
}

impl Tag {
    /// The day in UTC.
    pub(super) fn day(&self) -> Option<Date> {
        let time = jiff::Timestamp::from_second(self.time).ok()?;
        Some(time.to_zoned(jiff::tz::TimeZone::UTC).date())
    }

    pub(super) fn is_signed(&self) -> bool {
        self.note.as_ref().is_some_and(|note| note.is_signed)
    }
}

impl Tags {
    pub(super) fn read(repo: &Repository) -> Result<Self> {
        let (mut releases, mut others) = (Vec::new(), Vec::new());
        let references = repo.references_glob("refs/tags/*");
        for reference in references.context("failed to read the tags")? {
            let reference = reference.context("failed to read the tags")?;
            let name = String::from_utf8_lossy(reference.shorthand_bytes()).into_owned();
            let Some(version) = repo::release(&name) else {
                others.push(text::clean(&name, text::LINE));
                continue;
            };
            let object = reference.target().and_then(|id| repo.find_tag(id).ok());
            let commit = reference.peel_to_commit().ok();
            let made = object.as_ref().and_then(git2::Tag::tagger);
            let made = made.map(|tagger| tagger.when());
            let time = made.or_else(|| Some(commit.as_ref()?.time()));
            let note = object.map(|object| Note {
                name: String::from_utf8_lossy(object.name_bytes()).into_owned(),
                is_signed: is_signed(object.message_bytes().unwrap_or_default()),
            });
            releases.push(Tag {
                name,
                version,
                commit: commit.map(|commit| commit.id()),
                note,
                time: time.map_or(0, |time| time.seconds()),
            });
        }
        releases.sort_by(|one, other| {
            let by_time = one.time.cmp(&other.time);
            by_time.then_with(|| one.version.cmp(&other.version))
        });
        others.sort();
        Ok(Self { releases, others })
    }
}

/// Whether a message ends in what gpg, gpgsm or ssh-keygen append.
fn is_signed(message: &[u8]) -> bool {
    String::from_utf8_lossy(message).lines().any(|line| {
        line.strip_prefix("-----BEGIN ").is_some_and(|what| {
            [
                "PGP SIGNATURE",
                "PGP MESSAGE",
                "SIGNED MESSAGE",
                "SSH SIGNATURE",
            ]
            .iter()
            .any(|known| what.starts_with(known))
        })
    })
}

/// Tags that are no annotated tag of a commit, or the tag of another release by their own account.
pub(super) fn kinds(tags: &Tags) -> Vec<Finding> {
    let mut findings = Vec::new();
    for tag in &tags.releases {
        let name = &tag.name;
        if tag.commit.is_none() {
            let message = format!("`{name}` is no tag of a commit");
            let help = "a release is tagged once: take the next version";
            findings.push(Finding::error(rule::COMMIT, message).help(help));
        }
        match &tag.note {
            None => {
                let message = format!("`{name}` is a lightweight tag: nobody and no day made it");
                let help = "cargo xtask release makes annotated ones";
                findings.push(Finding::error(rule::LIGHTWEIGHT, message).help(help));
            }
            Some(note) if note.name != *name => {
                let message = format!("`{name}` is the tag `{}` under another name", note.name);
                let help = "its signature, if it has one, is of that name: make a tag of its own";
                findings.push(Finding::error(rule::NAME, message).help(help));
            }
            Some(_) => {}
        }
    }
    findings
}

/// Tags whose commit is in the history of no branch that stays: trunk, and whatever is not named like
/// a topic. The history is walked once for all of them.
pub(super) fn off_branches(
    repo: &Repository,
    policy: &Branch,
    tags: &Tags,
) -> Result<Vec<Finding>> {
    let mut left: BTreeSet<Oid> = tags.releases.iter().filter_map(|tag| tag.commit).collect();
    let mut walk = repo.revwalk()?;
    let mut branches = 0;
    for branch in repo.branches(None).context("failed to list branches")? {
        let (branch, kind) = branch.context("failed to list branches")?;
        let name = String::from_utf8_lossy(branch.name_bytes()?).into_owned();
        let topic = match kind {
            BranchType::Local => name.as_str(),
            BranchType::Remote => name.split_once('/').map_or("", |(_, name)| name),
        };
        let prefixes = policy.prefixes.iter();
        let mut prefixes = prefixes.chain(policy.bots.iter().map(|bot| &bot.prefix));
        if prefixes.any(|prefix| topic.starts_with(prefix.as_str())) {
            continue;
        }
        if let Ok(tip) = branch.get().peel_to_commit() {
            walk.push(tip.id())?;
            branches += 1;
        }
    }
    if branches == 0 && !left.is_empty() {
        let trunk = &policy.trunk;
        return Err(Problem::precondition(format!("there is no `{trunk}` here"))
            .help(format!(
                "git fetch origin {trunk}:refs/remotes/origin/{trunk}"
            ))
            .into());
    }
    for commit in walk {
        if left.is_empty() {
            break;
        }
        left.remove(&commit.context("failed to read the history")?);
    }
    let off = tags.releases.iter().filter(|tag| {
        let commit = tag.commit.as_ref();
        commit.is_some_and(|commit| left.contains(commit))
    });
    let finding = |tag: &Tag| {
        let message = format!("the commit of `{}` is on no branch that stays", tag.name);
        Finding::error(rule::BRANCH, message).help(format!(
            "it was squashed or rebased away; tag the commit on `{}` for the next release",
            policy.trunk
        ))
    };
    Ok(off.map(finding).collect())
}

/// Tags that should have a signature, and signatures that do not hold.
pub(super) fn signatures(cx: &Cx, tags: &Tags) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    let first = tags.releases.iter().position(Tag::is_signed);
    let wants = configured(cx)?;
    let newest = tags.releases.len().saturating_sub(1);
    for (at, tag) in tags.releases.iter().enumerate() {
        if tag.is_signed() || tag.note.is_none() {
            continue;
        }
        let why = match first {
            Some(first) if first < at => format!("`{}` is", tags.releases[first].name),
            _ if wants && at == newest => "git is configured to sign".to_owned(),
            _ => continue,
        };
        let message = format!("`{}` is not signed, and {why}", tag.name);
        let help = "see that `tag.gpgSign` and a key are set where releases are made";
        findings.push(Finding::error(rule::UNSIGNED, message).help(help));
    }
    let signed: Vec<&Tag> = tags.releases.iter().filter(|tag| tag.is_signed()).collect();
    for (tag, why) in refused(cx, &signed)? {
        let message = format!("the signature of `{}` does not hold: {why}", tag.name);
        let help = format!(
            "git verify-tag {}; keys that are trusted: `gpg.ssh.allowedSignersFile`, or gpg's own",
            tag.name
        );
        findings.push(Finding::error(rule::SIGNATURE, message).help(help));
    }
    Ok(findings)
}

/// The tags whose signatures do not hold, and why. Each is a process or two for git, so all cores
/// take a part.
fn refused<'t>(cx: &Cx, signed: &[&'t Tag]) -> Result<Vec<(&'t Tag, String)>> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let part = signed.len().div_ceil(cores).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = signed
            .chunks(part)
            .map(|part| scope.spawn(move || refused_of(cx, part)))
            .collect();
        let mut all = Vec::new();
        for part in parts {
            let found = part.join();
            all.extend(found.map_err(|_| Problem::bug("a thread that verifies tags ended"))??);
        }
        Ok(all)
    })
}

/// One process says that all of them hold; which does not is asked one by one.
fn refused_of<'t>(cx: &Cx, signed: &[&'t Tag]) -> Result<Vec<(&'t Tag, String)>> {
    let mut found = Vec::new();
    if verify(cx, signed)?.is_some() {
        for tag in signed {
            found.extend(verify(cx, &[tag])?.map(|why| (*tag, why)));
        }
    }
    Ok(found)
}

/// What git says against the signatures; `None` where all hold.
fn verify(cx: &Cx, tags: &[&Tag]) -> Result<Option<String>> {
    let shell = cx.shell()?;
    let names = tags.iter().map(|tag| format!("refs/tags/{}", tag.name));
    let done = cx.run(cmd!(shell, "git verify-tag {names...}"))?;
    if done.success() {
        return Ok(None);
    }
    let said = done.stderr();
    let last = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let last = last.unwrap_or("git verify-tag failed");
    Ok(Some(text::clean(last, text::LINE)))
}

/// Whether git signs the tags that are made here.
fn configured(cx: &Cx) -> Result<bool> {
    let shell = cx.shell()?;
    let names = r"^tag\.(gpgsign|forcesignannotated)$";
    let done = cx.run(cmd!(shell, "git config --type=bool --get-regexp {names}"))?;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    Ok(said.lines().any(|line| line.ends_with(" true")))
}

/// Enough for thousands of signatures.
pub(super) const LIMIT: Duration = Duration::from_mins(10);
