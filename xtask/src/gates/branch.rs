//! Trunk-based development: short-lived branches of known kinds, a linear trunk.

use anyhow::Result;
use git2::{Repository, Sort};

use super::{Cache, Gate, Input, Plant, Platform, Rule, Tier, minutes};
use crate::cx::Cx;
use crate::environment;
use crate::policy::Branch;
use crate::repo::{self, Base};
use crate::report::{Finding, NotRun, Report};
use crate::runner::tree::Spot;

pub(super) const GATE: Gate = Gate {
    id: "branch",
    about: "a branch of unknown kind, a merge commit on trunk (warning: a branch older than two days)",
    tier: Tier::Pull,
    needs: &[],
    locks: &[],
    inputs: &[
        Input::Git,
        Input::Files("xtask.toml"),
        Input::Env("GITHUB_HEAD_REF"),
        Input::Env("GITHUB_REF"),
    ],
    cache: Cache::Never,
    platforms: Platform::ALL,
    timeout: minutes(1),
    rules: &[
        Rule::error("branch/name", "the branch is of no known kind"),
        Rule::error("branch/merge-commit", "a merge commit on trunk"),
        Rule::warning("branch/old", "the branch is older than the policy's limit"),
    ],
    check,
    fix: None,
    plants: &[
        Plant {
            rule: "branch/name",
            plant: |tree| {
                tree.rename_branch("planted-branch")
                    .map(|()| Spot::nowhere())
            },
        },
        Plant {
            rule: "branch/merge-commit",
            plant: |tree| {
                let repo = tree.repo()?;
                repo.set_head("refs/heads/main")?;
                tree.commit(&[tree.trunk(), tree.tip()], 0)?;
                Ok(Spot::nowhere())
            },
        },
        Plant {
            rule: "branch/old",
            plant: |tree| {
                tree.commit(&[tree.tip()], 30)?;
                Ok(Spot::nowhere())
            },
        },
    ],
};

fn check(cx: &Cx) -> Result<Report> {
    let mut report = Report::default();
    let policy = &cx.policy.branch;
    let Some(repo) = repo::open(&cx.root)? else {
        report.not_run.push(NotRun {
            required: environment::requires("XTASK_REQUIRE_GIT"),
            ..not_run(
                "this is not a git repository",
                "git init, or clone instead of unpacking",
            )
        });
        return Ok(report);
    };
    let Some(branch) = branch_name(cx)? else {
        report
            .not_run
            .push(not_run("HEAD is detached", "git switch to a branch"));
        return Ok(report);
    };
    report.count("branches", 1);
    let base = repo::base(&repo, &policy.trunk)?;
    // A pull request's head is a branch, whatever a fork calls it.
    let is_pull_request = environment::var("GITHUB_HEAD_REF").is_some() && cx.ci_branch.is_some();
    if branch == policy.trunk && !is_pull_request {
        report.findings.extend(merges(&repo, &base)?);
    } else {
        report.findings.extend(name(policy, &branch));
        report
            .findings
            .extend(age(&repo, &base, policy.max_age_days)?);
    }
    report.note(format!("{branch}, against {}", base.how));
    Ok(report)
}

fn not_run(reason: &str, help: &str) -> NotRun {
    NotRun {
        what: "branch rules".to_owned(),
        reason: reason.to_owned(),
        required_by: "XTASK_REQUIRE_GIT".to_owned(),
        required: false,
        help: help.to_owned(),
        hides: vec!["branches".to_owned()],
    }
}

/// The branch under test. In a pull request HEAD is a merge ref, which is nobody's branch.
fn branch_name(cx: &Cx) -> Result<Option<String>> {
    Ok(match &cx.ci_branch {
        Some(branch) => Some(branch.clone()),
        None => repo::head(&cx.root)?.branch,
    })
}

fn name(policy: &Branch, branch: &str) -> Option<Finding> {
    let known = policy
        .prefixes
        .iter()
        .chain(policy.bots.iter().map(|bot| &bot.prefix));
    let fits = known.into_iter().any(|prefix| {
        branch
            .strip_prefix(prefix.as_str())
            .is_some_and(|topic| !topic.is_empty())
    });
    (!fits).then(|| {
        let kinds: Vec<String> = policy
            .prefixes
            .iter()
            .map(|prefix| format!("{prefix}<topic>"))
            .collect();
        Finding::error(
            "branch/name",
            format!("`{branch}` is not one of {}", kinds.join(", ")),
        )
        .help(format!(
            "git branch -m {}{}",
            policy.prefixes.first().map_or("feat/", String::as_str),
            branch
        ))
    })
}

/// What trunk gained since the base, along first parents.
fn merges(repo: &Repository, base: &Base) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    if repo.head().is_err() {
        return Ok(findings);
    }
    let mut walk = repo.revwalk()?;
    walk.simplify_first_parent()?;
    walk.push_head()?;
    if let Some(base) = base.commit {
        walk.hide(base)?;
    }
    for oid in walk {
        let commit = repo.find_commit(oid?)?;
        if commit.parent_count() > 1 {
            let summary = commit.summary().ok().flatten().unwrap_or_default();
            let short = &commit.id().to_string()[..10];
            let message = format!("`{short}` on trunk is a merge commit: {summary}");
            findings.push(Finding::error("branch/merge-commit", message).help(
                "land branches by squash merge; `git rebase` linearises one that is not pushed",
            ));
        }
    }
    Ok(findings)
}

fn age(repo: &Repository, base: &Base, limit: u32) -> Result<Option<Finding>> {
    if repo.head().is_err() {
        return Ok(None);
    }
    let mut walk = repo.revwalk()?;
    walk.set_sorting(Sort::TIME)?;
    walk.push_head()?;
    let Some(base) = base.commit else {
        return Ok(None);
    };
    walk.hide(base)?;
    let mut oldest = None;
    for oid in walk {
        let seconds = repo.find_commit(oid?)?.time().seconds();
        oldest = Some(oldest.map_or(seconds, |old: i64| old.min(seconds)));
    }
    let days = oldest.map_or(0, |oldest| {
        (jiff::Timestamp::now().as_second() - oldest) / 86_400
    });
    Ok((days > i64::from(limit)).then(|| {
        Finding::warning(
            "branch/old",
            format!("the branch is {days} days old, the limit is {limit}"),
        )
        .help("land what is ready behind a feature flag, and branch anew")
    }))
}
