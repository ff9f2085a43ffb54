//! A repository with a bare remote and green gates, copied for each release that is to go wrong.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::sandbox::{Ran, Sandbox, command, run};

/// 2026-11-20: with it a release has the same ids whenever it is made.
const NOW: &str = "1795132800";

/// A way to release, with the states of the journal that it comes through.
pub(super) struct Way {
    pub(super) args: &'static [&'static str],
    pub(super) states: &'static [&'static str],
    /// The pull request is merged already.
    pub(super) is_merged: bool,
}

pub(super) const DIRECT: Way = Way {
    args: &["release", "minor", "--yes"],
    states: &["begun", "written", "staged", "committed", "tagged", "moved"],
    is_merged: false,
};
pub(super) const PUSHED: Way = Way {
    args: &["release", "minor", "--yes", "--push"],
    states: &[
        "begun",
        "written",
        "staged",
        "committed",
        "tagged",
        "moved",
        "pushed",
    ],
    is_merged: false,
};
pub(super) const WAYS: [Way; 6] = [
    DIRECT,
    PUSHED,
    Way {
        args: &["release", "minor", "--yes", "--pr"],
        states: &["begun", "staged", "committed", "moved"],
        is_merged: false,
    },
    Way {
        args: &["release", "minor", "--yes", "--pr", "--push"],
        states: &["begun", "staged", "committed", "moved", "pushed"],
        is_merged: false,
    },
    Way {
        args: &["release", "tag", "--yes"],
        states: &["begun", "committed", "tagged", "moved"],
        is_merged: true,
    },
    Way {
        args: &["release", "tag", "--yes", "--push"],
        states: &["begun", "committed", "tagged", "moved", "pushed"],
        is_merged: true,
    },
];

/// What releases start from: before a release, and after a merged pull request of one.
pub(super) struct Bench {
    temp: tempfile::TempDir,
}

impl Bench {
    pub(super) fn new() -> Self {
        let bench = Self {
            temp: tempfile::Builder::new()
                .prefix("a bench ")
                .tempdir()
                .unwrap(),
        };
        let fixture = Sandbox::new();
        let fresh = Case {
            folder: bench.temp.path().join("fresh"),
        };
        std::fs::create_dir(&fresh.folder).unwrap();
        copy(&fixture.dir, &fresh.repo());
        copy(
            &fixture.dir.with_extension("gitconfig"),
            &fresh.folder.join("gitconfig"),
        );
        fresh.git(&["init", "--quiet", "--bare", "../remote.git"]);
        // By its own words from here, wherever both are copied to.
        fresh.git(&["remote", "add", "origin", "../remote.git"]);
        fresh.git(&["push", "--quiet", "origin", "main"]);
        fresh.pass();

        let merged = Case {
            folder: bench.temp.path().join("merged"),
        };
        copy(&fresh.folder, &merged.folder);
        merged
            .xtask(&["release", "minor", "--yes", "--pr"])
            .expect(0);
        merged.git(&["merge", "--quiet", "--squash", "chore/release-v0.2.0"]);
        merged.git(&["commit", "--quiet", "--message", "Release v0.2.0 (#1)"]);
        merged.git(&["push", "--quiet", "origin", "main"]);
        merged.git(&["branch", "--quiet", "-D", "chore/release-v0.2.0"]);
        merged.pass();
        bench
    }

    /// A copy to release from. `name` is of this one alone.
    pub(super) fn case(&self, way: &Way, name: &str) -> Case {
        let folder = self.temp.path().join(name);
        let template = if way.is_merged { "merged" } else { "fresh" };
        copy(&self.temp.path().join(template), &folder);
        Case { folder }
    }

    /// Before a release, and after one that nobody disturbed.
    pub(super) fn ends(&self, way: &Way, name: &str) -> (Scene, Scene) {
        let case = self.case(way, name);
        let before = case.scene();
        case.xtask(way.args).expect(0);
        let after = case.scene();
        assert_ne!(before, after);
        assert!(after.status.is_empty() && !after.is_begun, "{after:#?}");
        (before, after)
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(status.unwrap().success());
}

/// A repository, `repo`, and its remote beside it.
pub(super) struct Case {
    pub(super) folder: PathBuf,
}

impl Case {
    pub(super) fn repo(&self) -> PathBuf {
        self.folder.join("repo")
    }

    pub(super) fn remote(&self) -> PathBuf {
        self.folder.join("remote.git")
    }

    fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        command
            .current_dir(self.repo())
            .env("GIT_CONFIG_GLOBAL", self.folder.join("gitconfig"))
            .env("GIT_CONFIG_SYSTEM", "/dev/null");
        command
    }

    #[track_caller]
    pub(super) fn git(&self, args: &[&str]) -> String {
        let mut command = self.command("git");
        command.args(args).env("GIT_OPTIONAL_LOCKS", "0");
        let ran = run(command);
        ran.expect(0);
        ran.stdout
    }

    pub(super) fn xtask_command(&self, args: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_xtask"));
        command.args(args).env("SOURCE_DATE_EPOCH", NOW);
        command
    }

    pub(super) fn xtask(&self, args: &[&str]) -> Ran {
        run(self.xtask_command(args))
    }

    pub(super) fn resume(&self) -> Ran {
        self.xtask(&["release", "--resume"])
    }

    pub(super) fn abort(&self) -> Ran {
        self.xtask(&["release", "--abort"])
    }

    /// Kills a release when the journal says `state`.
    #[track_caller]
    pub(super) fn die(&self, way: &Way, state: &str) {
        let mut command = self.xtask_command(way.args);
        command.env("XTASK_FAILPOINT", state);
        let died = run(command);
        assert_eq!(died.code, None, "{state}: {}{}", died.stdout, died.stderr);
    }

    /// The state in the journal; `None` without one.
    pub(super) fn state(&self) -> Option<String> {
        let journal = std::fs::read(self.journal()).ok()?;
        let journal: serde_json::Value = serde_json::from_slice(&journal).unwrap();
        Some(journal["state"].as_str().unwrap().to_owned())
    }

    pub(super) fn journal(&self) -> PathBuf {
        self.repo().join(".git/xtask-release/journal.json")
    }

    pub(super) fn append(&self, file: &str) {
        let path = self.repo().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, format!("{text}# mine\n")).unwrap();
    }

    /// Writes down that all gates are green at HEAD.
    fn pass(&self) {
        let plan = self.xtask(&["ci", "--tier", "trunk", "--dry-run", "--format", "json"]);
        let gates: Vec<_> = (plan.expect(0).json().as_array().unwrap().iter())
            .map(|gate| {
                serde_json::json!({
                    "id": gate["id"], "verdict": "passed", "duration_ms": 0, "evidence": {},
                    "findings": [], "not_run": [], "notes": [], "error": null, "commands": [],
                })
            })
            .collect();
        let head = self.git(&["rev-parse", "HEAD"]);
        let head = head.trim();
        let run = serde_json::json!({
            "version": 1, "commit": head, "dirty": false, "started": "2026-11-20T00:00:00Z",
            "duration_ms": 0, "exit_code": 0, "gates": gates,
        });
        let folder = self.repo().join("target/xtask/runs");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{head}.json")), run.to_string()).unwrap();
    }

    pub(super) fn scene(&self) -> Scene {
        let repo = self.repo();
        let mut files = BTreeMap::new();
        let walk = walkdir::WalkDir::new(&repo)
            .into_iter()
            .filter_entry(|entry| {
                entry.depth() != 1
                    || !matches!(&*entry.file_name().to_string_lossy(), ".git" | "target")
            });
        for entry in walk
            .map(Result::unwrap)
            .filter(|entry| entry.file_type().is_file())
        {
            let mode = entry.metadata().unwrap().permissions().mode();
            let bytes = std::fs::read(entry.path()).unwrap();
            let path = entry.path().strip_prefix(&repo).unwrap().to_path_buf();
            files.insert(
                path,
                (
                    mode,
                    git2::Oid::hash_object(git2::ObjectType::Blob, &bytes).unwrap(),
                ),
            );
        }
        let refs = ["for-each-ref", "--format=%(refname) %(objectname)"];
        let locks = walkdir::WalkDir::new(repo.join(".git"))
            .into_iter()
            .map(Result::unwrap);
        let locks = locks
            .map(|entry| entry.path().to_path_buf())
            .filter(|path| {
                path.extension()
                    .is_some_and(|extension| extension == "lock" || extension == "new")
                    && !path.ends_with("xtask-release.lock")
            });
        Scene {
            head: self.git(&["symbolic-ref", "HEAD"]),
            refs: self.git(&refs),
            index: self.git(&["ls-files", "--stage"]),
            files,
            status: self.git(&["status", "--porcelain"]),
            remote: self.git(&[&["--git-dir=../remote.git"], &refs[..]].concat()),
            is_begun: repo.join(".git/xtask-release").exists(),
            locks: locks.collect(),
        }
    }
}

/// Puts a hook into a repository.
pub(super) fn hook(git: &Path, name: &str, script: &str) {
    let hook = git.join("hooks").join(name);
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// All that a release could change.
#[derive(Debug, PartialEq)]
pub(super) struct Scene {
    head: String,
    refs: String,
    index: String,
    /// Mode and blob by path.
    files: BTreeMap<PathBuf, (u32, git2::Oid)>,
    pub(super) status: String,
    pub(super) remote: String,
    is_begun: bool,
    locks: Vec<PathBuf>,
}
