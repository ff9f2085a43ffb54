//! A repository with a bare remote, its trunk pushed and its gates green.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::sandbox::{Ran, Sandbox, command, run, write};

/// Noon of 2026-03-01 in UTC.
pub(super) const NOON: &str = "1772366400";
pub(super) const TODAY: &str = "2026-03-01";
/// A day later.
pub(super) const NEXT_NOON: &str = "1772452800";

pub(super) struct Scene {
    pub(super) sandbox: Sandbox,
    /// The bare repository that is `origin`.
    pub(super) remote: PathBuf,
    /// Where the workspace lies in the repository.
    folder: &'static str,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::of(Sandbox::new())
    }

    /// Of a repository that has commits, and no remote.
    pub(super) fn of(sandbox: Sandbox) -> Self {
        Self::below(sandbox, "")
    }

    /// The same with the workspace in this folder.
    pub(super) fn below(sandbox: Sandbox, folder: &'static str) -> Self {
        let remote = sandbox.dir.with_extension("remote.git");
        let scene = Self {
            sandbox,
            remote,
            folder,
        };
        let path = scene.remote.to_str().unwrap().to_owned();
        scene.git(&["init", "--quiet", "--bare", &path]);
        scene.git(&["remote", "add", "origin", &path]);
        scene.push();
        scene
    }

    /// Commits what is there, pushes it, and has its gates green.
    pub(super) fn commit(&self, message: &str) {
        self.sandbox.commit(message);
        self.push();
    }

    fn push(&self) {
        self.git(&["push", "--quiet", "--set-upstream", "origin", "main"]);
        self.gates(&[]);
    }

    /// Writes the record of HEAD's gates: those named are red, all others green.
    pub(super) fn gates(&self, red: &[&str]) {
        self.gates_but(red, &[]);
    }

    /// The same without the gates of `absent`.
    pub(super) fn gates_but(&self, red: &[&str], absent: &[&str]) {
        let args = ["ci", "--tier", "trunk", "--dry-run", "--format", "json"];
        let all = self.xtask(&args, NOON).json();
        let ids = all.as_array().unwrap().iter().map(|gate| &gate["id"]);
        let gates: Vec<Value> = ids
            .map(|id| id.as_str().unwrap())
            .filter(|id| !absent.contains(id))
            .map(|id| {
                json!({
                    "id": id,
                    "verdict": if red.contains(&id) { "failed" } else { "passed" },
                    "duration_ms": 1,
                    "evidence": {},
                    "findings": [],
                    "not_run": [],
                    "notes": [],
                    "error": null,
                    "commands": [],
                })
            })
            .collect();
        let head = self.git(&["rev-parse", "HEAD"]);
        let record = json!({
            "version": 1,
            "commit": head,
            "dirty": false,
            "started": "2026-03-01T00:00:00Z",
            "duration_ms": 1,
            "exit_code": 0,
            "gates": gates,
        });
        let file = format!("target/xtask/runs/{head}.json");
        write(&self.workspace(), &file, record.to_string());
    }

    /// `cargo xtask release` on the day of the scene.
    pub(super) fn release(&self, args: &[&str]) -> Ran {
        self.release_at(NOON, args)
    }

    pub(super) fn release_at(&self, time: &str, args: &[&str]) -> Ran {
        self.xtask(&[&["release"], args].concat(), time)
    }

    fn xtask(&self, args: &[&str], time: &str) -> Ran {
        let mut xtask = self.sandbox.xtask_command(args);
        xtask
            .env("SOURCE_DATE_EPOCH", time)
            .current_dir(self.workspace());
        run(xtask)
    }

    fn workspace(&self) -> PathBuf {
        self.sandbox.dir.join(self.folder)
    }

    /// What git answers, without the end of the last line.
    #[track_caller]
    pub(super) fn git(&self, args: &[&str]) -> String {
        self.git_in(&self.sandbox.dir, args)
    }

    #[track_caller]
    pub(super) fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        let mut git = self.sandbox.command("git");
        git.args(args).current_dir(dir);
        let ran = run(git);
        ran.expect(0);
        ran.stdout.trim_end_matches('\n').to_owned()
    }

    /// Adds lines to git's own settings for all that the scene runs.
    pub(super) fn configure(&self, lines: &str) {
        let file = self.sandbox.dir.with_extension("gitconfig");
        let old = std::fs::read_to_string(&file).unwrap();
        std::fs::write(file, format!("{old}{lines}")).unwrap();
    }

    /// Another clone of the remote.
    pub(super) fn clone(&self, name: &str) -> PathBuf {
        let dir = self.sandbox.dir.with_file_name(name);
        let mut git = command("git");
        git.env(
            "GIT_CONFIG_GLOBAL",
            self.sandbox.dir.with_extension("gitconfig"),
        );
        git.args(["clone", "--quiet"]).arg(&self.remote).arg(&dir);
        run(git).expect(0);
        dir
    }

    /// A commit of somebody else, pushed to the remote's trunk.
    pub(super) fn elsewhere(&self, file: &str) {
        let other = self.clone("elsewhere");
        write(&other, file, "theirs\n");
        self.git_in(&other, &["add", "--all"]);
        self.git_in(&other, &["commit", "--quiet", "--message", "theirs"]);
        self.git_in(&other, &["push", "--quiet", "origin", "main"]);
    }

    /// Everything that a release may change: refs here and on the remote, HEAD, the index, the files.
    pub(super) fn state(&self) -> State {
        let mut files = BTreeMap::new();
        let is_ours = |entry: &walkdir::DirEntry| {
            !matches!(entry.file_name().to_str(), Some(".git" | "target"))
        };
        for entry in walkdir::WalkDir::new(&self.sandbox.dir)
            .into_iter()
            .filter_entry(is_ours)
        {
            let entry = entry.unwrap();
            if entry.file_type().is_file() {
                let bytes = std::fs::read(entry.path()).unwrap();
                files.insert(entry.path().to_owned(), bytes);
            }
        }
        let head = std::fs::read_to_string(self.dot_git().join("HEAD")).unwrap();
        let there = if self.remote.exists() {
            self.git_in(&self.remote, &["for-each-ref"])
        } else {
            String::new()
        };
        State {
            refs: format!("{head}{}", self.git(&["for-each-ref"])),
            there,
            index: self.git(&["ls-files", "--stage"]),
            journal: self.dot_git().join("xtask-release").exists(),
            files,
        }
    }

    pub(super) fn dot_git(&self) -> PathBuf {
        self.sandbox.dir.join(self.git(&["rev-parse", "--git-dir"]))
    }

    /// The command is refused with this code, and changes nothing.
    #[track_caller]
    pub(super) fn refuses(&self, args: &[&str], code: i32) -> Ran {
        let before = self.state();
        let ran = self.release(args);
        ran.expect(code);
        let after = self.state();
        assert!(before == after, "changed by {args:?}:\n{}", ran.stderr);
        ran
    }
}

/// A script in the `hooks` of a git folder, the remote's or that of the work tree.
pub(super) fn hook(git: &Path, name: &str, script: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let file = format!("hooks/{name}");
    write(git, &file, format!("#!/bin/sh\n{script}\n"));
    let path = git.join(file);
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

#[derive(PartialEq, Eq)]
pub(super) struct State {
    pub(super) refs: String,
    pub(super) there: String,
    pub(super) index: String,
    journal: bool,
    files: BTreeMap<PathBuf, Vec<u8>>,
}
