//! What must hold before a release is made. Everything is looked at, and all that is wrong is said at
//! once; nothing is written.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use git2::{Repository, RepositoryState};
use semver::Version;

use super::git::{Git, failed};
use crate::cx::Shared;
use crate::exit::{Code, Problem};
use crate::gates::{Gate, Tier};
use crate::report::Outcome;
use crate::runner::record;
use crate::{repo, runner};

/// How many files of an unclean tree are named.
const NAMED: usize = 5;

/// The branch of a release's pull request, up to its tag.
pub(crate) const REQUEST: &str = "refs/heads/chore/release-";

/// Where a release is made, and where it is pushed to.
pub(crate) struct Scene<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) repo: &'a Repository,
    pub(crate) git: &'a Git<'a>,
    /// The commit of HEAD, in hexadecimal.
    pub(crate) head: String,
    /// The remote that trunk is pushed to; `None` without one.
    pub(crate) remote: Option<String>,
    /// What the remote has: full names of refs and what they are of. `None` offline, and where it
    /// does not answer.
    pub(crate) there: Option<BTreeMap<String, String>>,
}

impl<'a> Scene<'a> {
    /// Reads HEAD, and asks the remote itself for its trunk and its tags: what was fetched some time
    /// ago says nothing. What it does not answer goes to `problems`.
    ///
    /// # Errors
    /// Exit 3 without a commit.
    pub(crate) fn read(
        shared: &'a Shared,
        repo: &'a Repository,
        git: &'a Git<'a>,
        offline: bool,
        problems: &mut Vec<anyhow::Error>,
    ) -> Result<Self> {
        let head = repo.head().and_then(|head| head.peel_to_commit());
        let head =
            head.context(Problem::precondition("there is no commit yet").help("git commit"))?;
        let mut scene = Self {
            shared,
            repo,
            git,
            head: head.id().to_string(),
            remote: remote(shared, repo, git)?,
            there: None,
        };
        if !offline {
            match scene.ask() {
                Ok(there) => scene.there = Some(there),
                Err(error) => problems.push(error),
            }
        }
        Ok(scene)
    }

    /// The name of trunk's ref.
    pub(crate) fn trunk(&self) -> String {
        format!("refs/heads/{}", self.shared.policy.branch.trunk)
    }

    fn ask(&self) -> Result<BTreeMap<String, String>> {
        let remote = self.remote.as_deref().with_context(|| {
            Problem::precondition(
                "there is no remote to compare with: neither trunk's own nor `origin`",
            )
            .help("git remote add origin URL; without one: --offline")
        })?;
        let trunk = self.trunk();
        let requests = format!("{REQUEST}*");
        let args = ["ls-remote", remote, &trunk, "refs/tags/v*", &requests];
        let output = self.git.try_run(&args, b"")?;
        if !output.status.success() {
            let help = "see that the remote can be reached; what it has is not known without it: --offline leaves that out";
            return Err(failed(&args, &output).help(help).into());
        }
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rows = text.lines().filter_map(|line| line.split_once('\t'));
        Ok(rows
            .map(|(id, name)| (name.to_owned(), id.to_owned()))
            .collect())
    }

    /// What stands against any release here: work under way, a tree that is not clean, a branch that
    /// is not trunk or not what the remote has.
    ///
    /// # Errors
    /// When git cannot be asked.
    pub(crate) fn state(&self, problems: &mut Vec<anyhow::Error>) -> Result<()> {
        let mut add = |message: String, help: &str| {
            problems.push(Problem::precondition(message).help(help).into());
        };
        let trunk = &self.shared.policy.branch.trunk;
        if self.repo.is_shallow() {
            add(
                "this is a shallow clone: tags and history are not all here".to_owned(),
                "git fetch --unshallow --tags (in a workflow: `fetch-depth: 0`)",
            );
        }
        if let Some((what, help)) = under_way(self.repo.state()) {
            add(format!("{what} is in progress"), help);
        }
        match repo::head(&self.shared.root)?.branch {
            Some(branch) if branch == *trunk => {}
            Some(branch) => add(
                format!("this is the branch `{branch}`: releases are made on `{trunk}`"),
                &format!("git switch {trunk}"),
            ),
            None => add(
                "HEAD is detached: it is on no branch".to_owned(),
                &format!("git switch {trunk}"),
            ),
        }
        let unclean = self.unclean()?;
        if !unclean.is_empty() {
            add(
                format!("the tree is not clean: {}", named(&unclean)),
                "commit it, or put it away: git stash --include-untracked",
            );
        }
        let Some(there) = &self.there else {
            return Ok(());
        };
        let remote = self.remote.as_deref().unwrap_or_default();
        match there.get(&self.trunk()) {
            Some(tip) if *tip == self.head => {}
            None => add(
                format!("`{remote}` has no branch `{trunk}`"),
                &format!("git push {remote} {trunk}"),
            ),
            Some(tip) => {
                let (how, help) = self.against(tip, remote);
                add(format!("`{trunk}` of `{remote}` {how}"), &help);
            }
        }
        Ok(())
    }

    /// How HEAD stands to what the remote has.
    fn against(&self, tip: &str, remote: &str) -> (&'static str, String) {
        let trunk = &self.shared.policy.branch.trunk;
        let behind = |a: &str, b: &str| {
            let ids = (git2::Oid::from_str(a), git2::Oid::from_str(b));
            matches!(ids, (Ok(a), Ok(b)) if self.repo.graph_descendant_of(a, b).unwrap_or(false))
        };
        if behind(&self.head, tip) {
            let help = format!(
                "git push {remote} {trunk}: what is released has gone through the pipeline"
            );
            return ("lacks commits that are here", help);
        }
        let is_known = git2::Oid::from_str(tip).is_ok_and(|tip| self.repo.find_commit(tip).is_ok());
        if behind(tip, &self.head) || !is_known {
            return (
                "has commits that are not here",
                format!("git pull --ff-only {remote} {trunk}"),
            );
        }
        let help = format!("git fetch {remote}, then git rebase {remote}/{trunk}");
        ("has gone another way", help)
    }

    /// Paths that differ from HEAD, submodules and untracked files too.
    fn unclean(&self) -> Result<Vec<String>> {
        let args = [
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=normal",
            "--ignore-submodules=none",
        ];
        // It would write the index anew where only the time of a file is another.
        let git = self.git.with("GIT_OPTIONAL_LOCKS", "0");
        let output = git.run(&args, b"")?;
        let text = String::from_utf8_lossy(&output).into_owned();
        let entries = text.split('\0').filter_map(|entry| entry.get(3..));
        Ok(entries.map(str::to_owned).collect())
    }

    /// What stands against this new branch of a pull request: it is there already, here or on the
    /// remote.
    pub(crate) fn request(&self, branch: &str, problems: &mut Vec<anyhow::Error>) {
        let short = branch.trim_start_matches("refs/heads/");
        if self.repo.find_reference(branch).is_ok() {
            problems.push(
                Problem::precondition(format!("the branch `{short}` is there already"))
                    .help(format!(
                        "git branch --delete --force {short}, if nobody needs it"
                    ))
                    .into(),
            );
        }
        let there = self.there.as_ref().zip(self.remote.as_deref());
        if let Some((_, remote)) = there.filter(|(there, _)| there.contains_key(branch)) {
            problems.push(
                Problem::precondition(format!("the branch `{short}` is on `{remote}` already"))
                    .help(format!("merge its pull request; if nobody needs it: git push {remote} --delete {short}"))
                    .into(),
            );
        }
    }

    /// What stands against this tag: it is there already, here or on the remote, or a higher version is.
    ///
    /// # Errors
    /// When the tags cannot be listed.
    pub(crate) fn tag(&self, version: &Version, problems: &mut Vec<anyhow::Error>) -> Result<()> {
        let tag = format!("v{version}");
        let name = format!("refs/tags/{tag}");
        let is_local = self.repo.find_reference(&name).is_ok();
        let on_remote = (self.there.as_ref()).map(|remote| remote.contains_key(&name));
        let remote = self.remote.as_deref().unwrap_or_default();
        let taken = match (is_local, on_remote) {
            (false, Some(false) | None) => None,
            (true, Some(true)) => Some((
                format!("the tag `{tag}` is here and on `{remote}`"),
                "that version is released: choose a higher one".to_owned(),
            )),
            (false, Some(true)) => Some((
                format!("the tag `{tag}` is on `{remote}`"),
                format!("git fetch {remote} --tags, then choose a higher version"),
            )),
            (true, Some(false)) => Some((
                format!("the tag `{tag}` is here, and not on `{remote}`"),
                format!(
                    "push it if it is a release: git push {remote} {name}; if not: git tag --delete {tag}"
                ),
            )),
            (true, None) => Some((
                format!("the tag `{tag}` is here"),
                "choose a higher version".to_owned(),
            )),
        };
        if let Some((message, help)) = taken {
            problems.push(Problem::precondition(message).help(help).into());
        }
        let here = self
            .repo
            .tag_names(Some("v*"))
            .context("failed to list the tags")?;
        let here = here.iter().flatten().flatten().map(str::to_owned);
        let there = self.there.iter().flat_map(BTreeMap::keys);
        let there = there.filter_map(|name| Some(name.strip_prefix("refs/tags/")?.to_owned()));
        let newest = here
            .chain(there)
            .filter_map(|tag| repo::release(&tag))
            .max_by(Version::cmp_precedence);
        if let Some(newest) = newest.filter(|newest| newest.cmp_precedence(version).is_gt()) {
            let message = format!("`{version}` is not higher than the release `v{newest}`");
            let help = format!("choose one above {newest}");
            problems.push(Problem::precondition(message).help(help).into());
        }
        Ok(())
    }

    /// Whether the remote takes branch and tag together or not at all, asked without sending any.
    ///
    /// # Errors
    /// When git cannot be started.
    pub(crate) fn atomic(&self, refs: &[String], problems: &mut Vec<anyhow::Error>) -> Result<()> {
        let Some(remote) = self.remote.as_deref().filter(|_| self.there.is_some()) else {
            return Ok(());
        };
        let specs: Vec<String> = refs
            .iter()
            .map(|name| format!("{}:{name}", self.head))
            .collect();
        let mut args = vec!["push", "--atomic", "--dry-run", "--no-verify", remote];
        args.extend(specs.iter().map(String::as_str));
        let output = self.git.try_run(&args, b"")?;
        if !output.status.success() {
            let help =
                "without --push the release is made here, and the lines to push it are printed";
            problems.push(failed(&args, &output).help(help).into());
        }
        Ok(())
    }
}

/// The first of these paths, and how many more there are.
pub(crate) fn named(paths: &[String]) -> String {
    let first: Vec<String> = (paths.iter().take(NAMED))
        .map(|path| format!("`{path}`"))
        .collect();
    let first = first.join(", ");
    match paths.len().saturating_sub(NAMED) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The remote that trunk is pushed to: its own, or `origin`; `None` without either.
///
/// # Errors
/// When git cannot be asked.
pub(crate) fn remote(shared: &Shared, repo: &Repository, git: &Git<'_>) -> Result<Option<String>> {
    let trunk = &shared.policy.branch.trunk;
    let remotes = repo.remotes().context("failed to list the remotes")?;
    let has = |name: &str| {
        remotes
            .iter()
            .flatten()
            .flatten()
            .any(|other| other == name)
    };
    let own = git.setting(&format!("branch.{trunk}.remote"))?;
    Ok((own.filter(|name| has(name))).or_else(|| has("origin").then(|| "origin".to_owned())))
}

/// What is going on in the repository, and how to end it.
fn under_way(state: RepositoryState) -> Option<(&'static str, &'static str)> {
    Some(match state {
        RepositoryState::Clean => return None,
        RepositoryState::Merge => ("a merge", "git merge --continue, or --abort"),
        RepositoryState::Revert | RepositoryState::RevertSequence => {
            ("a revert", "git revert --continue, or --abort")
        }
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => {
            ("a cherry-pick", "git cherry-pick --continue, or --abort")
        }
        RepositoryState::Bisect => ("a bisection", "git bisect reset"),
        RepositoryState::Rebase
        | RepositoryState::RebaseInteractive
        | RepositoryState::RebaseMerge => ("a rebase", "git rebase --continue, or --abort"),
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => {
            ("`git am`", "git am --continue, or --abort")
        }
    })
}

/// What is known of the gates at a commit.
#[derive(Debug)]
pub(crate) enum Gates {
    Green,
    /// Names of those that are not.
    Red(Vec<String>),
    /// Those that did not run on it.
    NotRun(Vec<&'static Gate>),
}

impl Gates {
    /// Reads the record of `commit`: all gates that trunk demands.
    ///
    /// # Errors
    /// Never, with the gates that there are.
    pub(crate) fn of(shared: &Shared, commit: &str) -> Result<Self> {
        let wanted = runner::select(Tier::Trunk, &[])?;
        let run = record::read(&record::path(shared, Some(commit), false));
        let outcomes = run.map(|run| run.gates).unwrap_or_default();
        Ok(Self::judge(wanted, &outcomes))
    }

    /// What `outcomes` say of the gates that are `wanted`.
    pub(crate) fn judge(wanted: Vec<&'static Gate>, outcomes: &[Outcome]) -> Self {
        let outcome = |gate: &Gate| outcomes.iter().find(|outcome| outcome.id == gate.id);
        let red: Vec<String> = (wanted.iter())
            .filter(|gate| outcome(gate).is_some_and(|outcome| outcome.code() != Code::Done))
            .map(|gate| gate.id.to_owned())
            .collect();
        if !red.is_empty() {
            return Self::Red(red);
        }
        let missing: Vec<&'static Gate> = (wanted.into_iter())
            .filter(|gate| outcome(gate).is_none())
            .collect();
        if missing.is_empty() {
            Self::Green
        } else {
            Self::NotRun(missing)
        }
    }

    /// The error of gates that are red. Those that did not run may still do so.
    pub(crate) fn problem(&self, commit: &str) -> Option<anyhow::Error> {
        match self {
            Self::Red(_) => self.not_green(commit),
            Self::Green | Self::NotRun(_) => None,
        }
    }

    /// The error of gates that are anything but green.
    pub(crate) fn not_green(&self, commit: &str) -> Option<anyhow::Error> {
        let short = commit.get(..10).unwrap_or(commit);
        let (code, what, names) = match self {
            Self::Green => return None,
            Self::Red(red) => (Code::Red, "gates are red", red.clone()),
            Self::NotRun(missing) => {
                let names = missing.iter().map(|gate| gate.id.to_owned()).collect();
                (Code::Precondition, "gates did not run", names)
            }
        };
        let message = format!("{what} at {short}: {}", names.join(", "));
        Some(
            Problem::new(code, message)
                .help(format!("cargo xtask ci {}", names.join(" ")))
                .into(),
        )
    }
}
