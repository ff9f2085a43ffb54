//! Cargo as a source of findings and counts, read from its JSON messages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};

use anyhow::{Context as _, Result};
use serde::Deserialize;
use xshell::cmd;

use crate::cx::Cx;
use crate::environment;
use crate::exit::{Code, Problem};
use crate::report::{Finding, Severity, slashed, text};

/// What a `cargo check|clippy|build` did.
#[derive(Debug, Default)]
pub(crate) struct Built {
    /// Compiler diagnostics of workspace members, each once.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// Packages of the workspace that were compiled or fresh.
    pub(crate) crates: BTreeSet<String>,
    /// Artifacts, and how many of them were fresh.
    pub(crate) artifacts: usize,
    pub(crate) fresh: usize,
    /// Executables of `bin` targets by name.
    pub(crate) bins: BTreeMap<String, PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Diagnostic {
    pub(crate) file: Option<String>,
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) error: bool,
    /// `E0308`, `unused_imports`, `clippy::unwrap_used`.
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) help: Option<String>,
    /// As the compiler shows it: foreign text.
    pub(crate) rendered: Option<String>,
}

impl Diagnostic {
    pub(crate) fn finding(&self, rule: &str, severity: Severity) -> Finding {
        let code = self
            .code
            .as_ref()
            .map(|code| format!(" [{code}]"))
            .unwrap_or_default();
        let mut finding = Finding {
            severity,
            ..Finding::error(rule, format!("{}{code}", self.message))
        };
        if let Some(file) = &self.file {
            finding = finding.at(file, self.line).column(self.column);
        }
        match &self.help {
            Some(help) => finding.help(help),
            None => finding,
        }
    }
}

#[derive(Deserialize)]
#[serde(tag = "reason")]
enum Message {
    #[serde(rename = "compiler-message")]
    Diagnostic { message: RustcMessage },
    #[serde(rename = "compiler-artifact")]
    Artifact(Artifact),
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Artifact {
    package_id: String,
    target: Target,
    profile: Profile,
    fresh: bool,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct RustcMessage {
    message: String,
    level: String,
    code: Option<RustcCode>,
    spans: Vec<Span>,
    children: Vec<RustcMessage>,
    rendered: Option<String>,
}

#[derive(Deserialize)]
struct RustcCode {
    code: String,
}

#[derive(Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    column_start: usize,
    is_primary: bool,
}

impl Built {
    /// How much of it cargo had already.
    pub(crate) fn reuse(&self) -> String {
        format!("{} of {} artifacts were fresh", self.fresh, self.artifacts)
    }
}

/// Runs a cargo command that takes `--message-format json`.
pub(crate) fn build(cx: &Cx, args: &[&str]) -> Result<Built> {
    let (sh, cargo) = (cx.shell()?, environment::cargo());
    let mut built = Built::default();
    let mut diagnostics = BTreeSet::new();
    let done = cx.run_lines(
        cmd!(sh, "{cargo} {args...} --locked --message-format json"),
        &mut |line| {
            let Ok(message) = serde_json::from_slice(line) else {
                return;
            };
            match message {
                Message::Diagnostic { message } => {
                    diagnostics.extend(diagnostic(&cx.root, message));
                }
                Message::Artifact(artifact) => {
                    built.artifacts += 1;
                    built.fresh += usize::from(artifact.fresh);
                    // A path package is named by its folder; registry packages are not ours to count.
                    if artifact.package_id.starts_with("path+file:") {
                        built.crates.insert(artifact.package_id);
                    }
                    let is_bin = artifact.target.kind.iter().any(|kind| kind == "bin")
                        && !artifact.profile.test;
                    if let Some(executable) = artifact.executable.filter(|_| is_bin) {
                        built.bins.insert(artifact.target.name, executable);
                    }
                }
                Message::Other => {}
            }
        },
    )?;
    built.diagnostics = diagnostics.into_iter().collect();
    if !done.success() && !built.diagnostics.iter().any(|diagnostic| diagnostic.error) {
        return Err(failure(args, &done.stderr()));
    }
    Ok(built)
}

fn diagnostic(root: &Path, message: RustcMessage) -> Option<Diagnostic> {
    let error = match message.level.as_str() {
        "error" | "error: internal compiler error" => true,
        "warning" => false,
        _ => return None,
    };
    // Without code and place it is the summary line ("aborting due to 3 previous errors").
    if message.code.is_none() && message.spans.is_empty() && message.children.is_empty() {
        return None;
    }
    let span = message
        .spans
        .iter()
        .find(|span| span.is_primary)
        .or(message.spans.first());
    let help = message
        .children
        .iter()
        .find(|child| child.level == "help")
        .map(|child| child.message.clone());
    Some(Diagnostic {
        file: span.map(|span| {
            let path = Path::new(&span.file_name);
            slashed(path.strip_prefix(root).unwrap_or(path))
        }),
        line: span.map_or(0, |span| span.line_start),
        column: span.map_or(0, |span| span.column_start),
        error,
        code: message.code.map(|code| code.code),
        message: message.message,
        help,
        rendered: message.rendered,
    })
}

/// Cargo failed without a compiler error: the manifest, the lockfile, the network.
pub(crate) fn failure(args: &[&str], stderr: &str) -> anyhow::Error {
    let has = |needle: &str| stderr.contains(needle);
    let (code, help) = if has("custom build command") {
        (Code::Red, "mend the build script named above")
    } else if has("--locked was passed") || has("lock file") && has("--locked") {
        (Code::Red, "cargo update --workspace")
    } else if [
        "failed to download",
        "Could not resolve host",
        "network failure",
        "Could not connect",
        "spurious network",
    ]
    .iter()
    .any(|sign| has(sign))
    {
        (
            Code::Precondition,
            "check the network, then `cargo fetch --locked`",
        )
    } else if has("No space left on device") {
        (
            Code::Precondition,
            "free some disk space, then run it again",
        )
    } else if has("no such command") || has("is not installed for the toolchain") {
        (Code::ToolMissing, "cargo xtask doctor")
    } else {
        (
            Code::Precondition,
            "mend what cargo says above, then run it again",
        )
    };
    // Progress lines would bury the cause.
    let said: Vec<&str> = stderr
        .lines()
        .filter(|line| {
            ![
                "Compiling",
                "Checking",
                "Blocking",
                "Finished",
                "Downloading",
                "Downloaded",
                "Fresh",
            ]
            .iter()
            .any(|progress| line.trim_start().starts_with(progress))
        })
        .collect();
    let from = said.len().saturating_sub(40);
    let verb = args.first().unwrap_or(&"");
    let message = text::clean(&said[from..].join("\n"), text::MESSAGE);
    anyhow::Error::new(
        Problem::new(code, format!("`cargo {verb}` failed\n{}", message.trim())).help(help),
    )
}

/// The development build of everything, tests included, once per run: `describe` and the tests use
/// the same artifacts, so nothing is built twice.
pub(crate) fn built(cx: &Cx) -> Result<Arc<Built>> {
    let mut slot = cx.built.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(built) = &*slot {
        return Ok(Arc::clone(built));
    }
    let built = sound(build(cx, &["build", "--workspace", "--all-targets"])?)?;
    Ok(Arc::clone(slot.insert(built)))
}

/// Makes it the build whose binaries are asked what they describe.
pub(crate) fn keep(cx: &Cx, built: Built) -> Result<Arc<Built>> {
    let mut slot = cx.built.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Arc::clone(slot.insert(sound(built)?)))
}

fn sound(built: Built) -> Result<Arc<Built>> {
    if let Some(error) = built.diagnostics.iter().find(|diagnostic| diagnostic.error) {
        let place = error
            .finding("build", Severity::Error)
            .place()
            .unwrap_or_default();
        return Err(Problem::new(
            Code::Red,
            format!("the workspace does not build: {place}: {}", error.message),
        )
        .help("cargo xtask ci typecheck")
        .into());
    }
    Ok(Arc::new(built))
}

/// The development build of the binaries alone, to run them or to ask them. It has the features of
/// [`built`], for which the examples are named: what the gates built is fresh here.
pub(crate) fn build_binaries(cx: &Cx) -> Result<Built> {
    build(cx, &["build", "--workspace", "--bins", "--examples"])
}

/// The release build of the apps, and of nothing else.
pub(crate) fn build_release(cx: &Cx, apps: &[Member]) -> Result<Built> {
    let mut args = vec!["build", "--release", "--bins"];
    args.extend(apps.iter().flat_map(|app| ["--package", app.name.as_str()]));
    build(cx, &args)
}

/// A member of the workspace.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the root, with `/`.
    pub(crate) dir: String,
    /// It has a library that rustdoc runs the examples of.
    pub(crate) doctests: bool,
    pub(crate) inherits_lints: bool,
    /// The folders of the members that its own code depends on, relative to the root.
    pub(crate) needs: Vec<String>,
}

/// The members, from the manifests alone: no network, no resolution.
pub(crate) fn members(cx: &Cx) -> Result<Vec<Member>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
        manifest_path: PathBuf,
        targets: Vec<PackageTarget>,
        dependencies: Vec<Dependency>,
    }
    #[derive(Deserialize)]
    struct Dependency {
        kind: Option<String>,
        path: Option<PathBuf>,
    }
    #[derive(Deserialize)]
    struct PackageTarget {
        kind: Vec<String>,
        doctest: bool,
    }
    let (sh, cargo) = (cx.shell()?, environment::cargo());
    let done = cx.run(cmd!(
        sh,
        "{cargo} metadata --no-deps --offline --format-version 1"
    ))?;
    if !done.success() {
        return Err(failure(&["metadata"], &done.stderr()));
    }
    let metadata: Metadata =
        serde_json::from_slice(&done.stdout).context("failed to read `cargo metadata`")?;
    let mut members = Vec::new();
    for package in metadata.packages {
        let below_root = |dir: &Path| slashed(dir.strip_prefix(&cx.root).unwrap_or(dir));
        let dir = below_root(package.manifest_path.parent().unwrap_or(Path::new("")));
        let needed = |dependency: &Dependency| dependency.kind.as_deref() != Some("dev");
        let needs = package.dependencies.iter().filter(|d| needed(d));
        let needs = needs.filter_map(|d| d.path.as_deref()).map(below_root);
        let manifest: toml_edit::DocumentMut = cx
            .read(&if dir.is_empty() {
                "Cargo.toml".to_owned()
            } else {
                format!("{dir}/Cargo.toml")
            })?
            .parse()?;
        let inherits = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace")?.as_bool());
        members.push(Member {
            doctests: package.targets.iter().any(|target| {
                target.doctest && target.kind.iter().any(|kind| kind.ends_with("lib"))
            }),
            needs: needs.collect(),
            name: package.name,
            dir,
            inherits_lints: inherits == Some(true),
        });
    }
    members.sort_by(|a, b| a.dir.cmp(&b.dir));
    Ok(members)
}

/// The deployables: members below the apps folder.
pub(crate) fn apps(cx: &Cx) -> Result<Vec<Member>> {
    let below = format!("{}/", cx.policy.apps.dir);
    Ok(members(cx)?
        .into_iter()
        .filter(|member| member.dir.starts_with(&below))
        .collect())
}

/// What `<app> describe <what>` prints, of every app.
pub(crate) fn describe<T: serde::de::DeserializeOwned>(
    cx: &Cx,
    what: &str,
) -> Result<Vec<(Member, T)>> {
    let mut described = Vec::new();
    for app in apps(cx)? {
        let name = &app.name;
        let text = ask(cx, &app, what)?;
        let value = serde_json::from_str(&text)
            .with_context(|| format!("failed to read the JSON of `{name} describe {what}`"))?;
        described.push((app, value));
    }
    Ok(described)
}

/// The same as it is printed, of the apps whose usage names it: `usage: web [describe settings|…]`.
pub(crate) fn describe_where_known(cx: &Cx, what: &str) -> Result<Vec<(Member, String)>> {
    let mut described = Vec::new();
    for app in apps(cx)? {
        let (sh, bin) = (cx.shell()?, binary(cx, &app)?);
        let usage = cx.run(cmd!(sh, "{bin} describe"))?.stderr();
        let names = usage.split_once("[describe ").map(|(_, rest)| rest);
        let names = names.and_then(|rest| rest.split(']').next());
        if names.is_some_and(|names| names.split('|').any(|name| name == what)) {
            let text = ask(cx, &app, what)?;
            described.push((app, text));
        }
    }
    Ok(described)
}

/// The executable of an app in the build of this run.
pub(crate) fn binary(cx: &Cx, app: &Member) -> Result<PathBuf> {
    let name = &app.name;
    let bin = built(cx)?.bins.get(name).cloned();
    bin.ok_or_else(|| {
        Problem::new(
            Code::Red,
            format!("the app `{name}` has no binary of its name"),
        )
        .help(format!(
            "add `{}/src/main.rs`, see CONTRIBUTING.md",
            app.dir
        ))
        .into()
    })
}

fn ask(cx: &Cx, app: &Member, what: &str) -> Result<String> {
    let (name, bin) = (&app.name, binary(cx, app)?);
    let sh = cx.shell()?;
    let done = cx.run(cmd!(sh, "{bin} describe {what}"))?;
    if !done.success() {
        return Err(Problem::new(
            Code::Red,
            format!("`{name} describe {what}` failed: {}", done.stderr().trim()),
        )
        .help(format!("cargo run -p {name} -- describe {what}"))
        .into());
    }
    String::from_utf8(done.stdout).with_context(|| format!("`{name} describe {what}` is not UTF-8"))
}
