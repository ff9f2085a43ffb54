//! `CHANGELOG.md` is a Keep a Changelog: readable by people and by the release, and what has been
//! released stays as it is.

use anyhow::{Context as _, Result};
use git2::{DiffOptions, Oid, Repository};

use super::{Cache, Gate, Input, Plant, Platform, Rule, Tier, minutes};
use crate::cx::Cx;
use crate::environment;
use crate::release::changelog::{self, Change, Changelog, Edit, FILE};
use crate::repo;
use crate::report::{Finding, NotRun, Report};
use crate::runner::tree::{Spot, Tree};

pub(super) const GATE: Gate = Gate {
    id: "changelog",
    about: "`CHANGELOG.md` that is not a Keep a Changelog",
    tier: Tier::Hook,
    needs: &[],
    locks: &[],
    inputs: &[Input::Files(FILE), Input::Git],
    cache: Cache::Never,
    platforms: Platform::ALL,
    timeout: minutes(1),
    rules: &[
        Rule::error("changelog/missing", "there is no `CHANGELOG.md`"),
        Rule::error("changelog/unreleased", "no `## [Unreleased]` at the top"),
        Rule::error("changelog/version", "a release heading that is no version"),
        Rule::error("changelog/order", "releases out of order, or twice"),
        Rule::error("changelog/date", "a release without a `YYYY-MM-DD` date"),
        Rule::error(
            "changelog/section",
            "a section that Keep a Changelog does not know, or twice in a release",
        ),
        Rule::error(
            "changelog/entry",
            "an entry under no section, or a section without entry",
        ),
        Rule::error(
            "changelog/link",
            "a release in brackets without its link definition",
        ),
        Rule::error(
            "changelog/stale-link",
            "a link that leads to another release",
        ),
        Rule::error(
            "changelog/duplicate",
            "a link defined twice, and not the same",
        ),
        Rule::error(
            "changelog/misfiled",
            "an entry below a version that is released already, here or once merged",
        ),
        Rule::error(
            "changelog/released",
            "what trunk says of a released version, changed or taken out",
        ),
        Rule::error(
            "changelog/none",
            "a branch without an entry, where the policy demands one",
        ),
        Rule::warning("changelog/time", "a release dated before the one below it"),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "changelog/missing",
            plant: |tree| tree.remove(FILE),
        },
        Plant {
            rule: "changelog/unreleased",
            plant: |tree| {
                tree.replace(FILE, "## [Unreleased]\n", "## [999.0.0] - 2026-01-01\n")?;
                Ok(Spot::file(FILE))
            },
        },
        Plant {
            rule: "changelog/version",
            plant: |tree| below(tree, "## [soon] - 2026-01-01\n", 0),
        },
        Plant {
            rule: "changelog/order",
            plant: |tree| {
                below(
                    tree,
                    "## [0.0.1] - 2026-01-01\n\n## [0.0.2] - 2026-01-02\n",
                    2,
                )
            },
        },
        Plant {
            rule: "changelog/date",
            plant: |tree| below(tree, "## [0.0.1] - 2026-02-30\n", 0),
        },
        Plant {
            rule: "changelog/section",
            plant: |tree| below(tree, "### Improved\n\n- x\n", 0),
        },
        Plant {
            rule: "changelog/entry",
            plant: |tree| {
                let spot =
                    tree.replace(FILE, "## [Unreleased]\n", "## [Unreleased]\n\n- planted\n")?;
                Ok(Spot {
                    line: spot.line.map(|line| line + 2),
                    ..spot
                })
            },
        },
        Plant {
            rule: "changelog/link",
            plant: |tree| below(tree, "## [0.0.1] - 2026-01-01\n", 0),
        },
        Plant {
            rule: "changelog/stale-link",
            plant: |tree| {
                let target = "https://h/o/n/releases/tag/v0.0.2";
                let text = format!("## [0.0.1] - 2026-01-01\n\n[0.0.1]: {target}\n");
                below(tree, &text, 2)
            },
        },
        Plant {
            rule: "changelog/duplicate",
            plant: |tree| {
                below(
                    tree,
                    "\n[planted]: https://one\n[Planted]: https://two\n",
                    2,
                )
            },
        },
        Plant {
            rule: "changelog/misfiled",
            plant: |tree| after_release(tree, "- old\n", "- old\n- new\n", 1),
        },
        Plant {
            rule: "changelog/released",
            plant: |tree| after_release(tree, "- old\n", "- new\n", 0),
        },
        Plant {
            rule: "changelog/none",
            plant: |tree| {
                tree.append("xtask.toml", "\n[changelog]\nentry-per-branch = true\n")?;
                Ok(Spot::file(FILE))
            },
        },
        Plant {
            rule: "changelog/time",
            plant: |tree| {
                let text = "## 0.0.2 - 2026-01-01\n\n## 0.0.1 - 2026-01-02\n";
                below(tree, text, 0)
            },
        },
    ],
};

/// Keep a Changelog, "What kinds of changes are there".
const SECTIONS: &[&str] = &[
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

/// Puts `text` at the end of the releases, before the link definitions; the spot is `offset` lines in.
fn below(tree: &Tree, text: &str, offset: usize) -> Result<Spot> {
    let old = tree.read(FILE)?;
    let at = changelog::parse(&old)
        .links
        .first()
        .map_or(old.lines().count(), |link| link.line - 1);
    let lines: Vec<&str> = old.lines().collect();
    let (head, tail) = lines.split_at(at);
    let (head, tail) = (head.join("\n"), tail.join("\n"));
    tree.write(FILE, &format!("{head}\n{text}\n{tail}\n"))?;
    Ok(Spot::line(FILE, at + 1 + offset))
}

/// A release that trunk has, and then a change below it.
fn after_release(tree: &Tree, from: &str, to: &str, offset: usize) -> Result<Spot> {
    below(tree, "## 0.0.1 - 2026-01-01\n\n### Fixed\n\n- old\n", 0)?;
    tree.merge(FILE)?;
    let spot = tree.replace(FILE, from, to)?;
    Ok(Spot {
        line: spot.line.map(|line| line + offset),
        ..spot
    })
}

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    if !cx.root.join(FILE).is_file() {
        report.findings.push(
            Finding::error("changelog/missing", "there is no `CHANGELOG.md`")
                .file(FILE)
                .help("start one with `# Changelog` and `## [Unreleased]`"),
        );
        return Ok(report);
    }
    let text = cx.read(FILE)?;
    let log = changelog::parse(&text);
    report.findings = findings(&log);
    report.count("releases", log.releases.len());
    match repo::open(&cx.root)? {
        Some(repo) => {
            report.findings.extend(history(cx, &repo, &log)?);
            report.findings.extend(missing(cx, &repo, &log)?);
        }
        None => report.not_run.push(NotRun {
            what: "released sections against trunk".to_owned(),
            reason: "this is not a git repository".to_owned(),
            required_by: "XTASK_REQUIRE_GIT".to_owned(),
            required: environment::requires("XTASK_REQUIRE_GIT"),
            help: "git init, or clone instead of unpacking".to_owned(),
            hides: Vec::new(),
        }),
    }
    Ok(report)
}

/// A commit with this trailer, and a reason, may change what was released.
const OVERRIDE: &str = "Changelog-Edit";
/// And one with this may leave the changelog as it is, where the policy demands an entry.
const SKIP: &str = "Changelog-Skip";

/// What the work tree, and its merge into trunk, say otherwise of released versions than trunk.
fn history(cx: &Cx, repo: &Repository, log: &Changelog<'_>) -> Result<Vec<Finding>> {
    let base = repo::base(repo, &cx.policy.branch.trunk)?;
    let Ok(head) = repo.head().and_then(|head| head.peel_to_commit()) else {
        return Ok(Vec::new());
    };
    let mut changes = Vec::new();
    // On trunk itself, what is not committed yet is held against HEAD too.
    for from in [base.commit, base.head].into_iter().flatten() {
        if is_given(OVERRIDE, repo, from, head.id())? {
            continue;
        }
        if let Some(before) = repo::file_at(repo, &cx.root, from, FILE)? {
            changes.extend(changelog::compare(&changelog::parse(&before), log));
        }
    }
    let mut findings: Vec<Finding> = Vec::new();
    let mut add = |finding: Finding| {
        let is_known =
            |known: &Finding| known.line == finding.line && known.message == finding.message;
        if !findings.iter().any(is_known) {
            findings.push(finding);
        }
    };
    for change in &changes {
        add(finding(change.line, change, ""));
    }
    // Git puts a line next to those that it stood at, and a release since may have moved them.
    if let (Some(from), Some(tip), None) = (base.commit, base.tip, base.head)
        && from != tip
        && !is_given(OVERRIDE, repo, from, head.id())?
        && let Some(before) = repo::file_at(repo, &cx.root, tip, FILE)?
        && let Some(after) = repo::file_merged(repo, &cx.root, (head.id(), tip), FILE)?
    {
        let (before, after) = (changelog::parse(&before), changelog::parse(&after));
        for change in changelog::compare(&before, &after) {
            if !changes.iter().any(|known| known.release == change.release) {
                let here = after.line(change.line).and_then(|text| log.line_of(text));
                add(finding(here.unwrap_or(1), &change, " once merged"));
            }
        }
    }
    Ok(findings)
}

/// `when` ends what is said of the change: empty, or ` once merged`.
fn finding(line: usize, change: &Change, when: &str) -> Finding {
    let release = &change.release;
    let meant = format!("if it is meant, commit with the trailer `{OVERRIDE}: why`");
    let (rule, message, help) = match &change.kind {
        Edit::Added(text) => (
            "changelog/misfiled",
            format!("`{text}` stands below `{release}`{when}, which is released"),
            format!("git rebase onto trunk, and move it below `## [Unreleased]`; {meant}"),
        ),
        Edit::Changed => (
            "changelog/released",
            format!("`{release}` is released, and trunk says something else here{when}"),
            format!("put it back; {meant}"),
        ),
        Edit::Removed => (
            "changelog/released",
            format!("`{release}` is released, and has no heading any more{when}"),
            format!("put it back; {meant}"),
        ),
    };
    Finding::error(rule, message).at(FILE, line).help(help)
}

/// What the policy demands of a branch: something below `Unreleased` that trunk does not say, or a
/// release of its own.
fn missing(cx: &Cx, repo: &Repository, log: &Changelog<'_>) -> Result<Option<Finding>> {
    if !cx.policy.changelog.entry_per_branch {
        return Ok(None);
    }
    let base = repo::base(repo, &cx.policy.branch.trunk)?;
    // On trunk itself only what is not committed yet is a change.
    let Some(from) = base.head.or(base.commit) else {
        return Ok(None);
    };
    let tree = repo.find_commit(from)?.tree()?;
    let mut options = DiffOptions::new();
    options.include_untracked(true);
    let changed = repo
        .diff_tree_to_workdir_with_index(Some(&tree), Some(&mut options))
        .context("failed to compare with trunk")?;
    let head = repo.head()?.peel_to_commit()?;
    if changed.deltas().len() == 0 || is_given(SKIP, repo, from, head.id())? {
        return Ok(None);
    }
    let before = repo::file_at(repo, &cx.root, from, FILE)?.unwrap_or_default();
    let before = changelog::parse(&before);
    let old: Vec<&str> = said(&before);
    let is_new_release = |release: &&changelog::Release<'_>| {
        (release.version()).is_some_and(|version| before.named(&version).is_empty())
    };
    if said(log).iter().any(|entry| !old.contains(entry))
        || log.releases.iter().any(|release| is_new_release(&release))
    {
        return Ok(None);
    }
    let message = "the branch says nothing of its change below `## [Unreleased]`";
    let help = format!(
        "add an entry for those who use it; if they notice nothing, commit with the trailer `{SKIP}: why`"
    );
    Ok(Some(
        Finding::error("changelog/none", message)
            .file(FILE)
            .help(help),
    ))
}

/// The entries below `Unreleased`.
fn said<'a>(log: &Changelog<'a>) -> Vec<&'a str> {
    let entries = log
        .unreleased()
        .map(|release| changelog::entries(log, release));
    entries
        .into_iter()
        .flatten()
        .map(|entry| entry.text)
        .collect()
}

/// Whether a commit since `base` has a line `key: why`. A squash merge leaves it in the middle of its
/// message, where git knows no trailers.
fn is_given(trailer: &str, repo: &Repository, base: Oid, head: Oid) -> Result<bool> {
    let mut walk = repo.revwalk()?;
    walk.push(head)?;
    walk.hide(base)?;
    for commit in walk {
        let commit = repo.find_commit(commit.context("failed to read the history")?)?;
        let message = String::from_utf8_lossy(commit.message_bytes());
        let gives_reason = |line: &str| {
            line.split_once(':').is_some_and(|(key, why)| {
                key.eq_ignore_ascii_case(trailer) && !why.trim().is_empty()
            })
        };
        if message.lines().any(gives_reason) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn findings(log: &Changelog<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut add = |rule: &str, line: usize, message: String, help: &str| {
        findings.push(Finding::error(rule, message).at(FILE, line).help(help));
    };
    let starts_unreleased = log
        .releases
        .first()
        .is_some_and(changelog::Release::is_unreleased);
    if !starts_unreleased {
        let line = log.releases.first().map_or(1, |release| release.line);
        let message = "the first release heading is not `## [Unreleased]`".to_owned();
        add(
            "changelog/unreleased",
            line,
            message,
            "add `## [Unreleased]` above it; a release moves its entries down",
        );
    }
    let mut last: Option<semver::Version> = None;
    let mut newer = None;
    let mut late = Vec::new();
    for release in log.releases.iter().skip(usize::from(starts_unreleased)) {
        let name = release.name;
        if release.is_unreleased() && starts_unreleased {
            let message = "a second `Unreleased` heading".to_owned();
            add(
                "changelog/order",
                release.line,
                message,
                "move its entries up into the first one",
            );
            continue;
        }
        let Some(version) = release.version() else {
            let message = format!("`{name}` is not a semantic version");
            add(
                "changelog/version",
                release.line,
                message,
                "write `## [1.2.3] - YYYY-MM-DD`",
            );
            continue;
        };
        if last
            .as_ref()
            .is_some_and(|last| version.cmp_precedence(last).is_ge())
        {
            let message = format!("`{name}` stands below an older or equal release");
            add(
                "changelog/order",
                release.line,
                message,
                "newest first, each version once",
            );
        }
        last = Some(version);
        let date = release.date.unwrap_or_default();
        let day = date.parse::<jiff::civil::Date>().ok();
        if let (Some(day), Some((line, newer))) = (day, newer)
            && newer < day
        {
            late.push((
                line,
                format!("the release is of {newer}, the one below it of {day}"),
            ));
        }
        newer = day.map(|day| (release.line, day));
        if day.is_none() || date.len() != 10 {
            let message = format!("`{name}` has no date `YYYY-MM-DD`");
            add(
                "changelog/date",
                release.line,
                message,
                "give the day of the release",
            );
        }
        if let changelog::Link::Reference(label) = release.link
            && log.link(label).is_none()
        {
            let message = format!("`[{label}]` has no link definition");
            add(
                "changelog/link",
                release.line,
                message,
                "add `[1.2.3]: <compare link>` at the end, or drop the brackets",
            );
        }
    }
    for (line, heading) in &log.strange {
        let message = format!("`{heading}` is not a semantic version");
        add(
            "changelog/version",
            *line,
            message,
            "write `## [1.2.3] - YYYY-MM-DD`",
        );
    }
    for (line, message) in changelog::stale(log) {
        add(
            "changelog/stale-link",
            line,
            message,
            "let it lead to `compare/<the tag before>...<its tag>`",
        );
    }
    for (at, link) in log.links.iter().enumerate() {
        let first = log.links[..at]
            .iter()
            .find(|first| first.key == link.key && first.target != link.target);
        if let Some(first) = first {
            let message = format!(
                "`[{}]` is defined otherwise in line {}, which is the one that counts",
                link.label, first.line
            );
            add(
                "changelog/duplicate",
                link.line,
                message,
                "remove one of the two",
            );
        }
    }
    for release in &log.releases {
        let mut seen = Vec::new();
        for section in &release.sections {
            let name = section.name;
            if !SECTIONS.contains(&name) {
                let message = format!("`### {name}` is not a section of Keep a Changelog");
                add(
                    "changelog/section",
                    section.line,
                    message,
                    &format!("use one of {}", SECTIONS.join(", ")),
                );
            } else if seen.contains(&name) {
                let message = format!("`### {name}` stands twice in `{}`", release.name);
                add(
                    "changelog/section",
                    section.line,
                    message,
                    "put its entries under the first one",
                );
            } else if section.entries == 0 {
                let message = format!("`### {name}` has no entry");
                add(
                    "changelog/entry",
                    section.line,
                    message,
                    "write `- what changed`, or remove the heading",
                );
            }
            seen.push(name);
        }
    }
    for line in &log.loose {
        add(
            "changelog/entry",
            *line,
            "the entry stands under no section".to_owned(),
            "put it under `### Added`, `### Fixed`, …",
        );
    }
    findings.extend(late.into_iter().map(|(line, message)| {
        Finding::warning("changelog/time", message)
            .at(FILE, line)
            .help("give the day in UTC")
    }));
    findings
}
