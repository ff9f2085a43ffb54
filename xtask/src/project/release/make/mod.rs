//! `cargo xtask release STEP`: plan, verify everything, ask, apply.

mod show;

use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use git2::Repository;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use self::show::listed;
use crate::cli::{self, Format, say};
use crate::cx::Shared;
use crate::environment;
use crate::exit::{Code, Problem};
use crate::failpoint;
use crate::gates::Gate;
use crate::release::apply::{ABORT, RESUME, Release};
use crate::release::git::Git;
use crate::release::journal::{Folder, Journal, State, Way};
use crate::release::plan::{Plan, Wish};
use crate::release::signature;
use crate::release::verify::{self, Gates, Scene};
use crate::release::version::Step;
use crate::repo::Head;
use crate::report::Sink;
use crate::report::terminal::Terminal;
use crate::runner::{self, record};
use crate::{release, repo};

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct Make {
    /// major, minor, patch, X.Y.Z; of candidates: rc for the next one, final for the release
    #[arg(required_unless_present_any = ["resume", "abort"])]
    step: Option<Step>,
    /// Begin with a candidate: X.Y.Z-rc.1
    #[arg(long)]
    rc: bool,
    /// Only this plan, as --dry-run gave its hash (8 or more of its characters)
    #[arg(long, value_name = "HASH", value_parser = plan_hash)]
    plan_hash: Option<String>,
    /// Commit to the branch chore/release-vX.Y.Z for a pull request, without a tag: for a trunk that
    /// takes no commits. Once it is merged: cargo xtask release tag
    #[arg(long)]
    pr: bool,
    /// Finish the release that was begun and killed
    #[arg(long, conflicts_with_all = ["step", "rc", "plan_hash", "pr", "abort"])]
    resume: bool,
    /// Undo the release that was begun and killed
    #[arg(long, conflicts_with_all = ["step", "rc", "plan_hash", "pr"])]
    abort: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Args, Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
pub(crate) struct How {
    /// Print the plan and verify everything; write nothing, and run no gate
    #[arg(long)]
    dry_run: bool,
    /// Push branch and tag, both or neither
    #[arg(long)]
    push: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
    /// Without what the remote has: its branch and its tags are not compared
    #[arg(long, conflicts_with = "push")]
    offline: bool,
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
}

pub(super) fn run(shared: &Arc<Shared>, make: &Make) -> Result<Code> {
    failpoint::check(&State::ALL.map(State::as_str))?;
    let session = Session::new(shared, &make.how)?;
    if make.resume || make.abort {
        return session.end(make.resume);
    }
    let step = make
        .step
        .clone()
        .context(Problem::bug("a release without a step"))?;
    let now = now()?;
    let wish = Wish {
        step,
        rc: make.rc,
        date: now.date(),
    };
    session.step(&wish, make, now.timestamp())
}

/// `cargo xtask release tag`: the tag of a release whose pull request is merged.
pub(super) fn tag(shared: &Arc<Shared>, how: &How) -> Result<Code> {
    failpoint::check(&State::ALL.map(State::as_str))?;
    Session::new(shared, how)?.tag(now()?.timestamp())
}

/// The time of the release in UTC; `SOURCE_DATE_EPOCH` says another one, in seconds since 1970. It is
/// read once: the day in the changelog is that of the tag, however long the gates run.
fn now() -> Result<Zoned> {
    let now = match environment::var("SOURCE_DATE_EPOCH") {
        None => Timestamp::now(),
        Some(text) => text
            .parse()
            .ok()
            .and_then(|seconds| Timestamp::from_second(seconds).ok())
            .with_context(|| {
                Problem::new(Code::Usage, format!("`SOURCE_DATE_EPOCH` is `{text}`"))
                    .help("seconds since 1970, or leave it unset")
            })?,
    };
    Ok(now.to_zoned(TimeZone::UTC))
}

/// One call of the command.
struct Session<'a> {
    shared: &'a Arc<Shared>,
    git: Git<'a>,
    repo: Repository,
    how: &'a How,
}

impl<'a> Session<'a> {
    fn new(shared: &'a Arc<Shared>, how: &'a How) -> Result<Self> {
        let repo = repo::open(&shared.root)?.ok_or_else(|| {
            Problem::precondition("this is not a git repository")
                .help("clone it instead of unpacking an archive")
        })?;
        Ok(Self {
            shared,
            git: Git::new(shared)?,
            repo,
            how,
        })
    }

    /// Finishes what is begun, or undoes it.
    fn end(&self, resume: bool) -> Result<Code> {
        let folder = Folder::hold(&self.git)?;
        let Some(journal) = folder.read()? else {
            say("no release is begun: there is nothing to do")?;
            return Ok(Code::Done);
        };
        let tag = journal.plan.tag.clone();
        let release = Release::found(&self.git, &folder, journal);
        if resume {
            let journal = release.resume()?;
            return self.made(&journal);
        }
        release.undo()?;
        say(format!(
            "undone: `{tag}`; branch, index and files are as they were"
        ))?;
        Ok(Code::Done)
    }

    fn step(&self, wish: &Wish, make: &Make, now: Timestamp) -> Result<Code> {
        let folder = self.hold()?;
        let mut problems = Vec::new();
        let scene = self.scene(&mut problems)?;
        scene.state(&mut problems)?;
        let head = self.repo.head()?.peel_to_commit()?;
        let plan = Plan::of(self.shared, &self.repo, &head, wish, &mut problems)?;
        let way = if make.pr { Way::Request } else { Way::Direct };
        if let Some(plan) = &plan {
            scene.tag(&plan.to, &mut problems)?;
            if let Some(hash) = &make.plan_hash {
                problems.extend(other_plan(plan, hash));
            }
            let branch = self.branch(plan, &way);
            if make.pr {
                scene.request(&branch, &mut problems);
            }
            if self.how.push {
                let mut refs = vec![branch];
                refs.extend((!make.pr).then(|| format!("refs/tags/{}", plan.tag)));
                scene.atomic(&refs, &mut problems)?;
            }
        } else if let Step::Exact(version) = &wish.step {
            scene.tag(version, &mut problems)?;
        }
        self.go(
            &scene,
            folder,
            plan.map(|plan| (plan, way)),
            &scene.head,
            now,
            problems,
        )
    }

    fn tag(&self, now: Timestamp) -> Result<Code> {
        let folder = self.hold()?;
        let mut problems = Vec::new();
        let scene = self.scene(&mut problems)?;
        scene.state(&mut problems)?;
        let merged = release::merged::find(self.shared, &self.repo, &mut problems)?;
        if let Some((plan, _)) = &merged {
            scene.tag(&plan.to, &mut problems)?;
            if self.how.push {
                scene.atomic(&[format!("refs/tags/{}", plan.tag)], &mut problems)?;
            }
        }
        let judged = merged
            .as_ref()
            .map_or(&scene.head, |(_, commit)| commit)
            .clone();
        let merged = merged.map(|(plan, commit)| (plan, Way::Merged(commit)));
        self.go(&scene, folder, merged, &judged, now, problems)
    }

    /// From here on nobody else makes a release: what is verified is what is made. A dry run, which
    /// writes nothing, holds nothing.
    fn hold(&self) -> Result<Option<Folder>> {
        if self.how.dry_run {
            return Ok(None);
        }
        let folder = Folder::hold(&self.git)?;
        let Some(journal) = folder.read()? else {
            return Ok(Some(folder));
        };
        let message = format!(
            "the release of `{}` is begun, as far as `{}`",
            journal.plan.tag,
            journal.state.as_str()
        );
        Err(Problem::precondition(message)
            .help(format!("finish it: {RESUME}; or undo it: {ABORT}"))
            .into())
    }

    fn scene(&self, problems: &mut Vec<anyhow::Error>) -> Result<Scene<'_>> {
        Scene::read(
            self.shared,
            &self.repo,
            &self.git,
            self.how.offline,
            problems,
        )
    }

    /// Shows the plan, refuses what is wrong, and makes the rest. `judged` is the commit whose gates
    /// count, `now` the time of the release.
    fn go(
        &self,
        scene: &Scene<'_>,
        folder: Option<Folder>,
        plan: Option<(Plan, Way)>,
        judged: &str,
        now: Timestamp,
        mut problems: Vec<anyhow::Error>,
    ) -> Result<Code> {
        let gates = Gates::of(self.shared, judged)?;
        problems.extend(gates.problem(judged));
        let Some(folder) = folder else {
            return self.show(plan.as_ref(), &gates, &problems);
        };
        // Before the gates run: nobody waits for them to learn this.
        if !self.how.yes && !std::io::stdin().is_terminal() {
            problems.push(
                Problem::new(Code::Usage, "there is no terminal to ask on")
                    .help("look at it with --dry-run, then add --yes")
                    .into(),
            );
        }
        refuse(problems)?;
        let (plan, way) = plan.context(Problem::bug("no plan and no problem"))?;
        if let Gates::NotRun(missing) = gates {
            self.run_gates(scene, judged, &missing)?;
        }
        self.confirm(&plan, &way)?;
        let journal = Journal {
            branch: self.branch(&plan, &way),
            time: now.as_second(),
            sign_commit: self.git.is_set("commit.gpgSign")?,
            sign_tag: signature::signs_tags(&self.git)?,
            push: scene.remote.clone().filter(|_| self.how.push),
            state: State::Begun,
            tree: None,
            commit: None,
            tag: None,
            plan,
            way,
        };
        let journal = Release::begin(&self.git, &folder, journal)?.make()?;
        self.made(&journal)
    }

    /// The branch that the commit goes to.
    fn branch(&self, plan: &Plan, way: &Way) -> String {
        match way {
            Way::Request => format!("{}{}", verify::REQUEST, plan.tag),
            Way::Direct | Way::Merged(_) => {
                format!("refs/heads/{}", self.shared.policy.branch.trunk)
            }
        }
    }

    /// Runs what did not run on this commit yet, and looks again whether all is as it was.
    fn run_gates(&self, scene: &Scene<'_>, judged: &str, missing: &[&'static Gate]) -> Result<()> {
        if judged != scene.head {
            let short = judged.get(..10).unwrap_or(judged);
            return Err(Problem::precondition(format!(
                "the gates did not run at {short}, and it is not checked out"
            ))
            .help(format!(
                "git switch --detach {short}, cargo xtask ci --tier trunk, and back"
            ))
            .into());
        }
        // Stdout is the release's, where it is JSON.
        let mut sink: Box<dyn Sink> = match self.how.format {
            Format::Json => Box::new(Terminal::plain(std::io::stderr(), true)),
            format => cli::sink(format, false),
        };
        let (before, started) = (repo::head(&self.shared.root)?, Timestamp::now());
        let outcomes = runner::run(self.shared, missing, false, sink.as_mut())?;
        let after = repo::head(&self.shared.root)?;
        let run = record::assemble(&before, &after, started, outcomes);
        let shown = sink.ended(&run);
        record::save(self.shared, &run)?;
        cli::printed(shown)?;
        let mut problems = Vec::new();
        // What ran counts, wherever it was recorded; and it must count for this commit.
        problems.extend(Gates::judge(missing.to_vec(), &run.gates).not_green(judged));
        problems.extend(not_recorded(&before, &after));
        if problems.is_empty() {
            problems.extend(Gates::of(self.shared, judged)?.not_green(judged));
        }
        let again = self.scene(&mut problems)?;
        again.state(&mut problems)?;
        if again.head != scene.head {
            problems.push(
                Problem::precondition("HEAD moved while the gates ran")
                    .help("the same again")
                    .into(),
            );
        }
        refuse(problems)
    }

    fn confirm(&self, plan: &Plan, way: &Way) -> Result<()> {
        if self.how.yes {
            return Ok(());
        }
        say(self.line(plan, way))?;
        say("Make it? [y/N]")?;
        let mut answer = String::new();
        std::io::stdin()
            .lock()
            .read_line(&mut answer)
            .context("failed to read the answer")?;
        if matches!(answer.trim(), "y" | "Y" | "yes") {
            return Ok(());
        }
        Err(Problem::new(Code::Interrupted, "not made: the answer was no").into())
    }
}

/// The error of a run between these two that is on record as one of a dirty tree. Git may call it
/// clean: a sparse one, say.
fn not_recorded(before: &Head, after: &Head) -> Option<anyhow::Error> {
    let dirty: BTreeSet<&str> = before.dirty().chain(after.dirty()).collect();
    let dirty: Vec<String> = dirty.into_iter().map(str::to_owned).collect();
    if dirty.is_empty() {
        return None;
    }
    let message = format!(
        "the gates' run was not recorded as one of this commit: {}",
        verify::named(&dirty)
    );
    let help = "have the whole commit in the work tree, and nothing else: git status, git sparse-checkout disable";
    Some(Problem::precondition(message).help(help).into())
}

fn plan_hash(text: &str) -> Result<String, String> {
    if text.len() < 8 {
        return Err("give 8 or more characters".to_owned());
    }
    Ok(text.to_owned())
}

fn other_plan(plan: &Plan, wanted: &str) -> Option<anyhow::Error> {
    let hash = plan.hash();
    if hash.starts_with(wanted) {
        return None;
    }
    let message =
        format!("the plan is `{hash}`, not `{wanted}`: the commit, a file or the day is another");
    let help = "look at it again: --dry-run";
    Some(Problem::precondition(message).help(help).into())
}

fn refuse(problems: Vec<anyhow::Error>) -> Result<()> {
    match <[anyhow::Error; 1]>::try_from(problems) {
        Ok([error]) => Err(error),
        Err(problems) => listed(&problems).map_or(Ok(()), |problem| Err(problem.into())),
    }
}
