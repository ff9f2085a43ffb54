//! `cargo xtask release STEP`: plan, verify everything, ask, apply.

use std::fmt::Write as _;
use std::io::{BufRead as _, IsTerminal as _};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use git2::Repository;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use serde_json::{Value, json};

use crate::cli::{self, Format, say, say_json};
use crate::cx::Shared;
use crate::environment;
use crate::exit::{self, Code, Problem};
use crate::failpoint;
use crate::gates::Gate;
use crate::release::apply::{ABORT, RESUME, Release};
use crate::release::git::Git;
use crate::release::journal::{Folder, Journal, State, Way};
use crate::release::plan::{Plan, Wish};
use crate::release::signature;
use crate::release::verify::{self, Gates, Scene};
use crate::release::version::Step;
use crate::report::Sink;
use crate::report::terminal::Terminal;
use crate::report::text::plural;
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
    #[arg(long, value_name = "HASH")]
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
    let wish = Wish {
        step,
        rc: make.rc,
        date: today()?,
    };
    session.step(&wish, make)
}

/// `cargo xtask release tag`: the tag of a release whose pull request is merged.
pub(super) fn tag(shared: &Arc<Shared>, how: &How) -> Result<Code> {
    failpoint::check(&State::ALL.map(State::as_str))?;
    Session::new(shared, how)?.tag()
}

/// The day of the release in UTC; `SOURCE_DATE_EPOCH` says another one, in seconds since 1970.
fn today() -> Result<Date> {
    Ok(now()?.date())
}

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

    fn step(&self, wish: &Wish, make: &Make) -> Result<Code> {
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
        }
        self.go(
            &scene,
            folder,
            plan.map(|plan| (plan, way)),
            &scene.head,
            problems,
        )
    }

    fn tag(&self) -> Result<Code> {
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
        self.go(&scene, folder, merged, &judged, problems)
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
    /// count.
    fn go(
        &self,
        scene: &Scene<'_>,
        folder: Option<Folder>,
        plan: Option<(Plan, Way)>,
        judged: &str,
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
            time: now()?.timestamp().as_second(),
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
        let before = repo::head(&self.shared.root)?;
        let outcomes = runner::run(self.shared, missing, false, sink.as_mut())?;
        let after = repo::head(&self.shared.root)?;
        let run = record::assemble(&before, &after, Timestamp::now(), outcomes);
        let shown = sink.ended(&run);
        record::save(self.shared, &run)?;
        cli::printed(shown)?;
        if let Some(problem) = Gates::of(self.shared, judged)?.problem(judged) {
            return Err(problem);
        }
        let mut problems = Vec::new();
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

    /// What would be done, in a line.
    fn line(&self, plan: &Plan, way: &Way) -> String {
        let files = plural(plan.files.len(), "file");
        let branch = self.branch(plan, way);
        let branch = branch.trim_start_matches("refs/heads/");
        let push = if self.how.push { ", pushed" } else { "" };
        match way {
            Way::Direct => format!(
                "{} → {}: {files}, a commit on {branch}, the tag {}{push}",
                plan.from, plan.to, plan.tag
            ),
            Way::Request => format!(
                "{} → {}: {files}, a commit on {branch}{push}",
                plan.from, plan.to
            ),
            Way::Merged(commit) => format!(
                "the tag {} on {}{push}",
                plan.tag,
                commit.get(..10).unwrap_or(commit)
            ),
        }
    }

    /// The plan and all that stands against it.
    fn show(
        &self,
        plan: Option<&(Plan, Way)>,
        gates: &Gates,
        problems: &[anyhow::Error],
    ) -> Result<Code> {
        let code = Code::worst(problems.iter().map(exit::code_of));
        let (ran, missing) = match gates {
            Gates::Green => ("green", Vec::new()),
            Gates::Red(_) => ("red", Vec::new()),
            Gates::NotRun(missing) => ("not-run", missing.iter().map(|gate| gate.id).collect()),
        };
        if self.how.format == Format::Json {
            let plan = plan.map(|(plan, way)| self.json(plan, way));
            let problems: Vec<Value> = (problems.iter())
                .map(|error| json!({ "message": format!("{error:#}"), "help": exit::help_of(error) }))
                .collect();
            say_json(&json!({
                "version": 1,
                "plan": plan,
                "gates": { "verdict": ran, "missing": missing },
                "problems": problems,
            }))?;
            return Ok(code);
        }
        if let Some((plan, way)) = plan {
            for change in plan.files.iter().filter(|_| !matches!(way, Way::Merged(_))) {
                say(change.diff().trim_end_matches('\n'))?;
            }
            say(format!("\n{}", self.line(plan, way)))?;
            say(format!("plan {}", plan.hash()))?;
        }
        if !missing.is_empty() {
            say(format!(
                "gates that did not run on this commit run first: {}",
                missing.join(", ")
            ))?;
        }
        if let Some(problem) = listed(problems) {
            return Err(problem.into());
        }
        Ok(code)
    }

    fn json(&self, plan: &Plan, way: &Way) -> Value {
        let files: Vec<Value> = (plan.files.iter())
            .map(|change| json!({ "path": change.path, "diff": change.diff() }))
            .collect();
        json!({
            "from": plan.from.to_string(),
            "to": plan.to.to_string(),
            "tag": (*way != Way::Request).then_some(&plan.tag),
            "branch": self.branch(plan, way),
            "parent": plan.parent,
            "message": plan.message,
            "files": files,
            "hash": plan.hash(),
        })
    }

    /// What was made, and what comes next.
    fn made(&self, journal: &Journal) -> Result<Code> {
        let plan = &journal.plan;
        let commit = journal.commit.as_deref().unwrap_or_default();
        if self.how.format == Format::Json {
            say_json(&json!({
                "version": 1,
                "released": plan.to.to_string(),
                "branch": journal.branch,
                "commit": commit,
                "tag": journal.tag.as_ref().map(|object| json!({ "name": plan.tag, "object": object })),
                "pushed": journal.push,
            }))?;
            return Ok(Code::Done);
        }
        let short = commit.get(..10).unwrap_or(commit);
        let branch = journal.branch.trim_start_matches("refs/heads/");
        let what = match journal.way {
            Way::Direct => format!("{branch} is at {short}, tagged {}", plan.tag),
            Way::Request => format!("{branch} is at {short}"),
            Way::Merged(_) => format!("{short} is tagged {}", plan.tag),
        };
        say(what)?;
        let mut refs = Vec::new();
        let mut undo = Vec::new();
        if !matches!(journal.way, Way::Merged(_)) {
            refs.push(journal.branch.clone());
        }
        if journal.tag.is_some() {
            refs.push(format!("refs/tags/{}", plan.tag));
            undo.push(format!("git tag --delete {}", plan.tag));
        }
        match journal.way {
            Way::Direct => undo.push(format!("git reset --keep {}", plan.parent)),
            Way::Request => undo.push(format!("git branch --delete --force {branch}")),
            Way::Merged(_) => {}
        }
        if let Some(remote) = &journal.push {
            say(format!("pushed to {remote}"))?;
        } else {
            if let Some(remote) = verify::remote(self.shared, &self.repo, &self.git)? {
                say(format!(
                    "push it: git push --atomic {remote} {}",
                    refs.join(" ")
                ))?;
            }
            say(format!("undo it: {}", undo.join(" && ")))?;
        }
        if journal.way == Way::Request {
            say("open a pull request of it; once it is merged: cargo xtask release tag")?;
        }
        Ok(Code::Done)
    }
}

fn other_plan(plan: &Plan, wanted: &str) -> Option<anyhow::Error> {
    let hash = plan.hash();
    if wanted.len() >= 8 && hash.starts_with(wanted) {
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

/// All of them as one.
fn listed(problems: &[anyhow::Error]) -> Option<Problem> {
    if problems.is_empty() {
        return None;
    }
    let mut message = format!(
        "{}, nothing was changed:",
        plural(problems.len(), "problem")
    );
    for error in problems {
        let _ = write!(message, "\n  - {error:#}");
        if let Some(help) = exit::help_of(error) {
            let _ = write!(message, "\n    help: {help}");
        }
    }
    Some(Problem::new(
        Code::worst(problems.iter().map(exit::code_of)),
        message,
    ))
}
