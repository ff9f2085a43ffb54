//! A release is what its dry run said: byte for byte, ref for ref.

use serde_json::Value;

use super::scene::{NEXT_NOON, NOON, Scene, TODAY, hook};
use crate::sandbox::{Sandbox, run, run_at_once, write};

fn dry(scene: &Scene, args: &[&str]) -> Value {
    let args = [args, &["--dry-run", "--format", "json"]].concat();
    let ran = scene.release(&args);
    ran.expect(0);
    ran.json()
}

/// Releases, with the diffs of the dry run applied in another clone: the trees are one.
#[track_caller]
pub(super) fn proves(scene: &Scene, args: &[&str]) -> Value {
    let dry = dry(scene, args);
    assert_eq!(dry["problems"], serde_json::json!([]));
    let plan = &dry["plan"];
    let name = format!("applied {}", plan["to"].as_str().unwrap());
    let other = scene.clone(&name);
    let diffs: String = (plan["files"].as_array().unwrap().iter())
        .map(|file| file["diff"].as_str().unwrap())
        .collect();
    write(&other, ".git/plan.diff", diffs);
    scene.git_in(&other, &["apply", "--index", ".git/plan.diff"]);
    let tree = scene.git_in(&other, &["write-tree"]);

    scene.release(&[args, &["--yes"]].concat()).expect(0);
    assert_eq!(scene.git(&["rev-parse", "HEAD^{tree}"]), tree);
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
    let tag = plan["tag"].as_str().unwrap();
    assert_eq!(scene.git(&["cat-file", "-t", tag]), "tag");
    let commit = scene.git(&["rev-parse", &format!("{tag}^{{commit}}")]);
    assert_eq!(commit, scene.git(&["rev-parse", "HEAD"]));
    assert_eq!(
        scene.git(&["rev-parse", "HEAD~1"]),
        plan["parent"].as_str().unwrap()
    );
    plan.clone()
}

pub(super) fn paths(plan: &Value) -> Vec<&str> {
    let files = plan["files"].as_array().unwrap();
    files
        .iter()
        .map(|file| file["path"].as_str().unwrap())
        .collect()
}

#[test]
fn a_release_is_its_plan() {
    let scene = Scene::new();
    let plan = proves(&scene, &["minor"]);
    assert_eq!(
        (plan["from"].as_str(), plan["to"].as_str()),
        (Some("0.1.0"), Some("0.2.0"))
    );
    assert_eq!(paths(&plan), ["CHANGELOG.md", "Cargo.lock", "Cargo.toml"]);
    let manifest = scene.sandbox.read("Cargo.toml");
    assert!(manifest.contains("\nversion = \"0.2.0\"\n"), "{manifest}");
    let lock = scene.sandbox.read("Cargo.lock");
    assert!(!lock.contains("version = \"0.1.0\""), "{lock}");
    let top =
        format!("## [Unreleased]\n\n## 0.2.0 - {TODAY}\n\n### Added\n\n- The fixture.\n\n## 0.1.0");
    let log = scene.sandbox.read("CHANGELOG.md");
    assert!(log.contains(&top), "{log}");
    let tag = scene.git(&["cat-file", "tag", "v0.2.0"]);
    let (head, message) = tag.split_once("\n\n").unwrap();
    assert!(
        head.ends_with(&format!("tagger Test <test@localhost> {NOON} +0000")),
        "{head}"
    );
    assert_eq!(message, "Release v0.2.0");
    assert_eq!(
        scene.git(&["log", "-1", "--format=%s %at %ct"]),
        format!("Release v0.2.0 {NOON} {NOON}")
    );
    // Nothing is pushed unasked.
    assert_eq!(scene.git(&["ls-remote", "--tags", "origin"]), "");
}

#[test]
fn a_dry_run_writes_nothing() {
    let scene = Scene::new();
    // Git would write the index anew for this file: its time is another.
    let manifest = scene.sandbox.dir.join("Cargo.toml");
    let file = std::fs::File::options().write(true).open(manifest).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
        .unwrap();
    let look = || {
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(scene.dot_git()).sort_by_file_name() {
            let entry = entry.unwrap();
            let bytes = std::fs::read(entry.path()).unwrap_or_default();
            files.push((entry.path().to_owned(), bytes));
        }
        files
    };
    let (before, state) = (look(), scene.state());
    // The state was read with git as well.
    let before = if before == look() { before } else { look() };
    scene
        .release(&["minor", "--dry-run"])
        .expect(0)
        .says("plan ");
    scene
        .release(&["minor", "--dry-run", "--push", "--format", "json"])
        .expect(0);
    scene.release(&["minor", "--dry-run", "--pr"]).expect(0);
    let after = look();
    let changed: Vec<_> = after
        .iter()
        .filter(|file| !before.contains(file))
        .map(|(path, _)| path)
        .collect();
    assert!(
        changed.is_empty() && before.len() == after.len(),
        "{changed:?}"
    );
    assert!(state == scene.state());
}

#[test]
fn only_the_plan_that_was_seen() {
    let scene = Scene::new();
    let hash = dry(&scene, &["minor"])["plan"]["hash"]
        .as_str()
        .unwrap()
        .to_owned();
    let human = scene.release(&["minor", "--dry-run"]);
    human.says(&format!("plan {hash}"));
    let wrong = "0123456789abcdef";
    scene
        .refuses(&["minor", "--yes", "--plan-hash", wrong], 3)
        .says(&format!("not `{wrong}`"))
        .says("look at it again: --dry-run");
    scene
        .refuses(&["minor", "--yes", "--plan-hash", &hash[..7]], 2)
        .says("give 8 or more characters");
    scene.refuses(&["patch", "--yes", "--plan-hash", &hash], 3);
    let before = scene.state();
    scene
        .release_at(NEXT_NOON, &["minor", "--yes", "--plan-hash", &hash])
        .expect(3)
        .says("the day is another");
    assert!(before == scene.state());
    scene
        .release(&["minor", "--yes", "--plan-hash", &hash[..8]])
        .expect(0);
}

#[test]
fn a_day_that_is_none_is_refused() {
    let scene = Scene::new();
    scene
        .release_at("yesterday", &["minor", "--dry-run"])
        .expect(2)
        .says("seconds since 1970");
}

#[test]
fn the_lines_that_are_printed_push_and_undo_it() {
    let scene = Scene::new();
    scene.git(&["remote", "rename", "origin", "upstream"]);
    let before = scene.state();
    let made = scene.release(&["minor", "--yes"]);
    made.expect(0)
        .says("push it: git push --atomic upstream refs/heads/main refs/tags/v0.2.0");
    let line = |what: &str| {
        let line = made.stdout.lines().find_map(|line| line.strip_prefix(what));
        let mut shell = scene.sandbox.command("sh");
        shell.args(["-c", line.unwrap()]);
        run(shell).expect(0);
    };
    line("undo it: ");
    assert!(before == scene.state());
    scene.release(&["minor", "--yes"]).expect(0);
    line("push it: ");
    let there = scene.git(&[
        "ls-remote",
        "upstream",
        "refs/tags/v0.2.0",
        "refs/heads/main",
    ]);
    assert_eq!(there.lines().count(), 2, "{there}");
}

/// The ids of trunk and the tag, here and on the remote.
fn ids(scene: &Scene, tag: &str) -> (String, String) {
    let of = |dir| {
        scene.git_in(
            dir,
            &[
                "for-each-ref",
                "--format=%(objectname)",
                "refs/heads/main",
                tag,
            ],
        )
    };
    (of(&scene.sandbox.dir), of(&scene.remote))
}

#[test]
fn branch_and_tag_are_pushed_together() {
    let scene = Scene::new();
    // Names that are both: only full ones are clear.
    scene.git(&["branch", "v0.2.0"]);
    let ran = scene.release(&["minor", "--yes", "--push", "--format", "json"]);
    let made = ran.expect(0).json();
    assert_eq!(made["pushed"], "origin");
    assert_eq!(made["released"], "0.2.0");
    assert_eq!(made["commit"], scene.git(&["rev-parse", "HEAD"]));
    assert_eq!(
        made["tag"]["object"],
        scene.git(&["rev-parse", "refs/tags/v0.2.0"])
    );
    let (here, there) = ids(&scene, "refs/tags/v0.2.0");
    assert_eq!(here, there);
    assert_eq!(here.lines().count(), 2);
}

#[test]
fn a_remote_that_refuses_the_tag_gets_nothing() {
    for (name, script) in [
        (
            "update",
            "case $1 in refs/tags/*) echo no tags here >&2; exit 1;; esac",
        ),
        (
            "pre-receive",
            "if grep -q refs/tags/; then echo no tags here >&2; exit 1; fi",
        ),
    ] {
        let scene = Scene::new();
        hook(&scene.remote, name, script);
        let refused = scene.refuses(&["minor", "--yes", "--push"], 3);
        refused.says("no tags here").says("everything is as it was");
    }
}

#[test]
fn a_remote_without_atomic_pushes_is_refused_first() {
    let scene = Scene::new();
    scene.git_in(
        &scene.remote,
        &["config", "receive.advertiseAtomic", "false"],
    );
    // A hook of ours would run if anything was begun.
    hook(&scene.dot_git(), "pre-commit", "echo begun >&2; exit 1");
    let refused = scene.refuses(&["minor", "--yes", "--push"], 3);
    refused.says("does not support --atomic push");
    assert!(!refused.stderr.contains("begun"), "{}", refused.stderr);
    let refused = scene.refuses(&["minor", "--dry-run", "--push"], 3);
    refused.says("does not support --atomic push");
}

#[test]
fn candidates_and_their_release() {
    let scene = Scene::new();
    let plan = proves(&scene, &["minor", "--rc"]);
    assert_eq!(plan["to"], "0.2.0-rc.1");
    let log = scene.sandbox.read("CHANGELOG.md");
    scene.sandbox.write(
        "CHANGELOG.md",
        log.replacen(
            "## [Unreleased]\n",
            "## [Unreleased]\n\n### Fixed\n\n- It.\n",
            1,
        ),
    );
    scene.commit("fix");
    assert_eq!(proves(&scene, &["rc"])["to"], "0.2.0-rc.2");
    scene.commit("pushed");
    assert_eq!(proves(&scene, &["final"])["to"], "0.2.0");
    let log = scene.sandbox.read("CHANGELOG.md");
    assert!(
        log.contains(&format!(
            "## 0.2.0 - {TODAY}\n\nNo changes since 0.2.0-rc.2.\n"
        )),
        "{log}"
    );
    assert!(
        scene
            .git(&["tag"])
            .lines()
            .eq(["v0.2.0", "v0.2.0-rc.1", "v0.2.0-rc.2"])
    );
}

#[test]
fn the_first_release_may_have_the_version_at_hand() {
    let scene = Scene::new();
    let log = scene.sandbox.read("CHANGELOG.md");
    scene
        .sandbox
        .write("CHANGELOG.md", log.split("## 0.1.0").next().unwrap());
    scene.commit("nothing is released");
    let plan = proves(&scene, &["0.1.0"]);
    assert_eq!(paths(&plan), ["CHANGELOG.md"]);
    let refused = scene.release(&["0.1.0", "--yes"]);
    refused
        .expect(3)
        .says("`0.1.0` is not higher than the version at hand");
}

#[test]
fn two_at_once_are_one() {
    let scene = Scene::new();
    let command = || {
        let mut xtask = scene.sandbox.xtask_command(&["release", "minor", "--yes"]);
        xtask.env("SOURCE_DATE_EPOCH", NOON);
        xtask
    };
    let ran = run_at_once((0..3).map(|_| command()));
    let codes: Vec<_> = ran.iter().map(|ran| ran.code).collect();
    let made = codes.iter().filter(|code| **code == Some(0)).count();
    let refused = codes.iter().filter(|code| **code == Some(3)).count();
    assert_eq!((made, refused), (1, 2), "{codes:?}");
    assert_eq!(scene.git(&["tag"]), "v0.2.0");
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
    scene.release(&["--resume"]).says("no release is begun");
}

#[test]
fn no_other_tag_is_pushed_along() {
    let scene = Scene::new();
    scene.configure("[push]\nfollowTags = true\n");
    scene.git(&["tag", "--annotate", "--message", "mine", "mine"]);
    scene.release(&["minor", "--yes", "--push"]).expect(0);
    assert_eq!(scene.git_in(&scene.remote, &["tag"]), "v0.2.0");
}

/// A member in a folder whose name is not plain, and a workspace beside this one with its own lock.
fn wide(sandbox: &Sandbox) {
    let member = "[package]\nname = \"odd\" # why\nversion = \"0.1.0\"\nedition = \"2024\"\n";
    sandbox.write("crates/an ödd one/Cargo.toml", member);
    sandbox.write("crates/an ödd one/src/lib.rs", "");
    sandbox.write("fuzz/src/lib.rs", "");
    sandbox.write(
        "fuzz/Cargo.toml",
        "[workspace]\n[package]\nname = \"fuzz\"\nversion = \"0.0.0\"\nedition = \"2024\"\n[dependencies]\nodd = { path = \"../crates/an ödd one\" }\n",
    );
    for dir in [".", "fuzz"] {
        let mut cargo = sandbox.command("cargo");
        cargo
            .args(["generate-lockfile", "--offline"])
            .current_dir(sandbox.dir.join(dir));
        run(cargo).expect(0);
    }
}

#[test]
fn every_lockfile_and_odd_paths() {
    let scene = Scene::new();
    wide(&scene.sandbox);
    scene.sandbox.write(
        "crates/util/tests/broken/Cargo.toml",
        b"\xff is [ no manifest\n",
    );
    // Without an end of its last line.
    let log = scene.sandbox.read("CHANGELOG.md");
    scene.sandbox.write("CHANGELOG.md", log.trim_end());
    scene.commit("wide");
    let plan = proves(&scene, &["patch"]);
    let all = [
        "CHANGELOG.md",
        "Cargo.lock",
        "Cargo.toml",
        "crates/an ödd one/Cargo.toml",
        "fuzz/Cargo.lock",
    ];
    assert_eq!(paths(&plan), all);
    for dir in [".", "fuzz"] {
        let mut cargo = scene.sandbox.command("cargo");
        cargo.args([
            "metadata",
            "--locked",
            "--offline",
            "--format-version=1",
            "--no-deps",
        ]);
        cargo.current_dir(scene.sandbox.dir.join(dir));
        run(cargo).expect(0);
    }
}

#[test]
fn a_workspace_in_a_folder_of_the_repository() {
    const BACK: &str = "the back end";
    let sandbox = Sandbox::new();
    let top = &sandbox.dir;
    std::fs::remove_dir_all(top.join(".git")).unwrap();
    let parts: Vec<_> = std::fs::read_dir(top).unwrap().flatten().collect();
    std::fs::create_dir(top.join(BACK)).unwrap();
    for part in parts {
        std::fs::rename(part.path(), top.join(BACK).join(part.file_name())).unwrap();
    }
    sandbox.write(
        "Cargo.toml",
        "[package]\nname = \"front\"\nversion = \"9.0.0\"\n",
    );
    sandbox.write("CHANGELOG.md", "# Of something else\n");
    sandbox.commit("two");
    let scene = Scene::below(sandbox, BACK);
    let plan = proves(&scene, &["minor", "--push"]);
    assert_eq!(plan["to"], "0.2.0");
    let all = ["CHANGELOG.md", "Cargo.lock", "Cargo.toml"].map(|file| format!("{BACK}/{file}"));
    assert_eq!(paths(&plan), all);
}
