//! What stands against a release: each thing with its own words, all of them in one run, and nothing
//! changed by any.

use super::scene::Scene;
use super::texts::changelog;
use crate::sandbox::{Sandbox, command, run};

/// Refused on its own, with exit 3 and these words, in a dry run as well.
#[track_caller]
pub(super) fn refused(scene: &Scene, says: &[&str]) {
    let dry = scene.refuses(&["minor", "--dry-run"], 3);
    let made = scene.refuses(&["minor", "--yes"], 3);
    for words in says {
        dry.says(words);
        made.says(words);
    }
    dry.says("1 problem, nothing was changed");
    assert!(!made.stderr.contains("problems"), "{}", made.stderr);
}

#[test]
fn another_branch() {
    let scene = Scene::new();
    scene.git(&["switch", "--quiet", "--create", "feat/x"]);
    refused(
        &scene,
        &[
            "this is the branch `feat/x`: releases are made on `main`",
            "git switch main",
        ],
    );
}

#[test]
fn a_detached_head() {
    let scene = Scene::new();
    scene.git(&["switch", "--quiet", "--detach"]);
    refused(&scene, &["HEAD is detached"]);
}

#[test]
fn a_tree_that_is_not_clean() {
    let scene = Scene::new();
    scene.sandbox.append("README.md", "more\n");
    refused(&scene, &["the tree is not clean: `README.md`"]);
    scene.git(&["add", "README.md"]);
    refused(&scene, &["the tree is not clean: `README.md`"]);
    scene.git(&["reset", "--quiet", "--hard"]);
    scene.sandbox.write("nöw.txt", "");
    refused(
        &scene,
        &[
            "the tree is not clean: `nöw.txt`",
            "git stash --include-untracked",
        ],
    );
    for n in 0..7 {
        scene.sandbox.write(&format!("a{n}"), "");
    }
    refused(&scene, &["`a0`, `a1`, `a2`, `a3`, `a4` and 3 more"]);
}

#[test]
fn a_submodule_that_is_not_clean() {
    let scene = Scene::new();
    let part = Sandbox::new();
    let url = part.dir.to_str().unwrap().to_owned();
    scene.git(&["submodule", "--quiet", "add", &url, "part"]);
    // Whatever git is told to leave out.
    scene.git(&[
        "config",
        "-f",
        ".gitmodules",
        "submodule.part.ignore",
        "all",
    ]);
    scene.commit("a submodule");
    scene.release(&["minor", "--dry-run"]).expect(0);
    scene.sandbox.write("part/new.txt", "");
    refused(&scene, &["the tree is not clean: `part`"]);
}

#[test]
fn gates_of_a_submodule_that_is_not_clean() {
    let scene = Scene::new();
    let part = Sandbox::new();
    let url = part.dir.to_str().unwrap().to_owned();
    scene.git(&["submodule", "--quiet", "add", &url, "part"]);
    let ignore = "submodule.part.ignore";
    scene.git(&["config", "-f", ".gitmodules", ignore, "all"]);
    scene.commit("a submodule");
    scene.gates_but(&[], &["changelog"]);
    let says = "run first: changelog";
    scene.sandbox.write("part/new.txt", "");
    scene.sandbox.xtask(&["ci", "changelog"]).expect(0);
    std::fs::remove_file(scene.sandbox.dir.join("part/new.txt")).unwrap();
    scene.release(&["minor", "--dry-run"]).expect(0).says(says);
    // Clean as it is, and not checked out, it is what the commit says.
    scene.sandbox.xtask(&["ci", "changelog"]).expect(0);
    let green = scene.release(&["minor", "--dry-run"]);
    assert!(!green.expect(0).stdout.contains(says), "{}", green.stdout);
    scene.git(&["submodule", "--quiet", "deinit", "part"]);
    scene.gates_but(&[], &["changelog"]);
    scene.release(&["minor", "--yes"]).expect(0);
}

#[test]
fn a_remote_that_is_elsewhere() {
    let scene = Scene::new();
    scene.elsewhere("theirs.txt");
    let behind = [
        "`main` of `origin` has commits that are not here",
        "git pull --ff-only origin main",
    ];
    refused(&scene, &behind);
    scene.git(&["fetch", "--quiet"]);
    refused(&scene, &behind);
    scene.sandbox.commit("mine");
    scene.gates(&[]);
    refused(
        &scene,
        &[
            "`main` of `origin` has gone another way",
            "git rebase origin/main",
        ],
    );
    scene.git(&["reset", "--quiet", "--hard", "origin/main"]);
    scene.sandbox.commit("mine");
    scene.gates(&[]);
    refused(
        &scene,
        &[
            "`main` of `origin` lacks commits that are here",
            "git push origin main",
        ],
    );
    scene.git_in(&scene.remote, &["update-ref", "-d", "refs/heads/main"]);
    refused(&scene, &["`origin` has no branch `main`"]);
}

#[test]
fn a_remote_that_does_not_answer() {
    let scene = Scene::new();
    std::fs::remove_dir_all(&scene.remote).unwrap();
    refused(
        &scene,
        &[
            "ls-remote",
            "does not appear to be a git repository",
            "--offline",
        ],
    );
    scene.refuses(&["minor", "--yes", "--offline", "--push"], 2);
    scene.release(&["minor", "--yes", "--offline"]).expect(0);
}

#[test]
fn no_remote() {
    let scene = Scene::new();
    scene.git(&["remote", "remove", "origin"]);
    refused(
        &scene,
        &[
            "there is no remote to compare with",
            "git remote add origin URL",
        ],
    );
    let ran = scene.release(&["minor", "--yes", "--offline"]);
    ran.expect(0);
    assert!(!ran.stdout.contains("git push"), "{}", ran.stdout);
}

#[test]
fn a_tag_that_is_taken() {
    let scene = Scene::new();
    scene.git(&["tag", "v0.2.0"]);
    refused(&scene, &["the tag `v0.2.0` is here, and not on `origin`"]);
    scene
        .release(&["minor", "--dry-run", "--offline"])
        .expect(3)
        .says("the tag `v0.2.0` is here");
    scene.git(&["push", "--quiet", "origin", "v0.2.0"]);
    refused(&scene, &["the tag `v0.2.0` is here and on `origin`"]);
    scene.git(&["tag", "--delete", "v0.2.0"]);
    refused(
        &scene,
        &["the tag `v0.2.0` is on `origin`", "git fetch origin --tags"],
    );
}

#[test]
fn a_version_below_a_release() {
    let scene = Scene::new();
    for tag in [
        "v0.10.0",
        "nightly",
        "v1",
        "v9.9",
        "v9.9.9.9",
        "9.0.0",
        "other-v9.0.0",
        "v99999999999999999999.0.0",
    ] {
        scene.git(&["tag", tag]);
    }
    refused(
        &scene,
        &["`0.2.0` is not higher than the release `v0.10.0`"],
    );
    // One that is only there counts as well.
    scene.git(&["tag", "--annotate", "--message", "x", "v0.11.0"]);
    scene.git(&["push", "--quiet", "origin", "v0.11.0"]);
    scene.git(&["tag", "--delete", "v0.11.0"]);
    refused(
        &scene,
        &[
            "`0.2.0` is not higher than the release `v0.11.0`",
            "choose one above 0.11.0",
        ],
    );
    scene.release(&["0.12.0", "--yes"]).expect(0);
}

#[test]
fn steps_that_do_not_fit() {
    let scene = Scene::new();
    scene.refuses(&["rc", "--yes"], 3);
    scene.refuses(&["final", "--yes"], 3);
    scene.refuses(&["0.0.9", "--yes"], 3).says("not higher");
    scene.refuses(&["0.2.0", "--rc", "--yes"], 2);
    scene.refuses(&["0.2.0+build", "--yes"], 3);
    scene.refuses(&["0.2.0-beta.1", "--yes"], 3);
    scene.refuses(&["sideways", "--yes"], 2);
    scene.refuses(&[], 2);
    scene.release(&["minor", "--rc", "--yes"]).expect(0);
    scene.git(&["push", "--quiet", "origin", "main", "v0.2.0-rc.1"]);
    scene.gates(&[]);
    scene
        .refuses(&["minor", "--yes"], 3)
        .says("release rc")
        .says("release final");
}

#[test]
fn work_under_way() {
    let scene = Scene::new();
    let base = scene.git(&["rev-parse", "HEAD"]);
    scene.sandbox.write("x.txt", "one\n");
    scene.commit("one");
    let tip = scene.git(&["rev-parse", "HEAD"]);
    scene.git(&["branch", "other", &base]);
    let fails = |args: &[&str]| {
        let mut git = scene.sandbox.command("git");
        git.args(args);
        assert_ne!(run(git).code, Some(0), "{args:?}");
    };
    // Merged without a conflict, and not committed: a commit of the very same tree.
    scene.git(&["switch", "--quiet", "other"]);
    scene.git(&["commit", "--quiet", "--allow-empty", "--message", "empty"]);
    scene.git(&["switch", "--quiet", "main"]);
    scene.git(&["merge", "--quiet", "--no-commit", "--no-ff", "other"]);
    refused(&scene, &["a merge is in progress", "git merge --continue"]);
    scene.git(&["merge", "--abort"]);
    scene.git(&["switch", "--quiet", "other"]);
    scene.sandbox.write("x.txt", "two\n");
    scene.sandbox.commit("two");
    scene.git(&["switch", "--quiet", "main"]);
    for (name, words) in [
        ("cherry-pick", "a cherry-pick is in progress"),
        ("rebase", "a rebase is in progress"),
    ] {
        fails(&[name, "other"]);
        let refused = scene.refuses(&["minor", "--yes"], 3);
        refused.says(words).says("the tree is not clean: `x.txt`");
        scene.git(&[name, "--abort"]);
    }
    scene.git(&["bisect", "start"]);
    refused(&scene, &["a bisection is in progress", "git bisect reset"]);
    scene.git(&["bisect", "reset"]);
    assert_eq!(scene.git(&["rev-parse", "HEAD"]), tip);
}

#[test]
fn a_shallow_clone() {
    let mut scene = Scene::new();
    scene.commit("second");
    let dir = scene.sandbox.dir.clone();
    std::fs::rename(&dir, dir.with_extension("whole")).unwrap();
    let url = format!("file://{}", scene.remote.display());
    let mut git = command("git");
    git.env("GIT_CONFIG_GLOBAL", dir.with_extension("gitconfig"));
    git.args(["clone", "--quiet", "--depth=1", &url]).arg(&dir);
    run(git).expect(0);
    scene.gates(&[]);
    refused(
        &scene,
        &["this is a shallow clone", "git fetch --unshallow --tags"],
    );
    scene.sandbox.dir = dir;
}

#[test]
fn gates_that_are_red() {
    let scene = Scene::new();
    scene.gates(&["changelog", "branch"]);
    let says = [
        "gates are red at ",
        ": branch, changelog",
        "cargo xtask ci branch changelog",
    ];
    for args in [["minor", "--yes"], ["minor", "--dry-run"]] {
        let ran = scene.refuses(&args, 1);
        for words in says {
            ran.says(words);
        }
    }
}

#[test]
fn gates_that_did_not_run_do() {
    let scene = Scene::new();
    scene.gates_but(&[], &["changelog"]);
    scene
        .release(&["minor", "--dry-run"])
        .expect(0)
        .says("gates that did not run on this commit run first: changelog");
    // Nobody could answer afterwards: it is not begun.
    let refused = scene.refuses(&["minor"], 2);
    refused.says("there is no terminal to ask on").says("--yes");
    scene
        .release(&["minor", "--dry-run"])
        .says("run first: changelog");
    let ran = scene.release(&["minor", "--yes", "--format", "json"]);
    assert_eq!(ran.expect(0).json()["released"], "0.2.0");
}

#[test]
fn gates_that_run_and_are_red() {
    let scene = Scene::new();
    let log = scene.sandbox.read("CHANGELOG.md");
    changelog(
        &scene,
        &log.replace("0.1.0 - 2026-01-01", "0.1.0 - 2026-13-01"),
    );
    scene.gates_but(&[], &["changelog"]);
    let refused = scene.refuses(&["minor", "--yes"], 1);
    refused.says("changelog/date").says("gates are red at ");
}

/// Git calls a sparse tree clean, and libgit2, which keeps the record, does not.
#[test]
fn gates_that_are_recorded_of_no_commit() {
    let scene = Scene::new();
    scene.sandbox.write("big/file.txt", "big\n");
    scene.commit("big");
    let log = scene.sandbox.read("CHANGELOG.md");
    let red = log.replace("0.1.0 - 2026-01-01", "0.1.0 - 2026-13-01");
    let not_recorded = "the gates' run was not recorded as one of this commit: `big/file.txt`";
    for (log, code) in [(log, 3), (red, 1)] {
        changelog(&scene, &log);
        scene.gates_but(&[], &["changelog"]);
        scene.git(&["sparse-checkout", "set", "--no-cone", "/*", "!/big/"]);
        let refused = scene.refuses(&["minor", "--yes"], code);
        refused.says(not_recorded);
        if code == 1 {
            refused.says("gates are red at ").says(": changelog");
        }
        scene.git(&["sparse-checkout", "disable"]);
    }
}

#[test]
fn nobody_to_ask() {
    let scene = Scene::new();
    scene
        .refuses(&["minor"], 2)
        .says("there is no terminal to ask on")
        .says("--dry-run");
}

#[test]
fn all_that_holds_at_once() {
    let scene = Scene::new();
    scene.elsewhere("theirs.txt");
    scene.git(&["tag", "v0.2.0"]);
    scene.git(&["tag", "v0.3.0"]);
    scene.git(&["switch", "--quiet", "--create", "feat/x"]);
    let log = scene.sandbox.read("CHANGELOG.md");
    scene
        .sandbox
        .write("CHANGELOG.md", log.replace("- The fixture.\n", ""));
    scene.sandbox.commit("nothing is new");
    scene.gates(&["branch"]);
    scene.sandbox.write("new.txt", "");
    let all = [
        "this is the branch `feat/x`",
        "the tree is not clean: `new.txt`",
        "`main` of `origin` has",
        "the tag `v0.2.0` is here, and not on `origin`",
        "`0.2.0` is not higher than the release `v0.3.0`",
        "`CHANGELOG.md`",
        "gates are red at ",
        "the plan is ",
        "7 problems",
    ];
    let ran = scene.refuses(&["minor", "--yes", "--plan-hash", "0123456789"], 1);
    for words in all.iter().take(7) {
        ran.says(words);
    }
    ran.says("problems, nothing was changed:");
    let json = scene
        .refuses(&["minor", "--dry-run", "--format", "json"], 1)
        .json();
    let problems = json["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 7, "{problems:#?}");
    assert!(
        problems.iter().all(|problem| problem["help"].is_string()),
        "{problems:#?}"
    );
}

#[test]
fn all_that_holds_beside_a_version_that_does_not_fit() {
    let scene = Scene::new();
    let log = scene.sandbox.read("CHANGELOG.md");
    let lock = scene.sandbox.read("Cargo.lock");
    let stale = lock.replacen("version = \"0.1.0\"", "version = \"0.0.7\"", 1);
    assert_ne!(stale, lock);
    scene.sandbox.write("Cargo.lock", stale);
    changelog(&scene, &log.replace("- The fixture.\n", ""));
    scene.git(&["tag", "v0.0.9"]);
    scene
        .refuses(&["0.0.9", "--yes"], 3)
        .says("4 problems")
        .says("`0.0.9` is not higher than the version at hand")
        .says("`Cargo.lock` is stale")
        .says("`CHANGELOG.md`: there is nothing below `Unreleased`")
        .says("the tag `v0.0.9` is here");
    for (log, says) in [
        (
            log.replace("Unreleased", "Next"),
            "`CHANGELOG.md`: the changelog has no `Unreleased`",
        ),
        (
            format!("{log}\n## [Unreleased]\n\n- Twice.\n"),
            "`CHANGELOG.md`: the changelog has `Unreleased` at lines",
        ),
    ] {
        changelog(&scene, &log);
        scene.refuses(&["rc"], 2).says("4 problems").says(says);
    }
    scene.git(&["rm", "--quiet", "CHANGELOG.md"]);
    scene.commit("no changelog");
    scene
        .refuses(&["rc", "--yes"], 3)
        .says("3 problems")
        .says("there is no `CHANGELOG.md`");
}

#[test]
fn all_that_holds_beside_a_manifest_that_does_not_parse() {
    let scene = Scene::new();
    let log = scene.sandbox.read("CHANGELOG.md");
    scene.sandbox.append("Cargo.toml", "[");
    scene
        .sandbox
        .write("CHANGELOG.md", log.replace("- The fixture.\n", ""));
    scene.sandbox.commit("broken");
    scene.git(&["push", "--quiet", "origin", "main"]);
    scene.git(&["tag", "v0.2.0"]);
    let refused = scene.refuses(&["0.2.0", "--yes"], 3);
    refused.says("3 problems").says("`Cargo.toml`");
    refused.says("`CHANGELOG.md`: there is nothing below `Unreleased`");
    refused.says("the tag `v0.2.0` is here");
}

#[test]
fn no_commit_and_no_repository() {
    let sandbox = Sandbox::bare();
    let refused = sandbox.xtask(&["release", "minor", "--yes"]);
    refused.expect(3).says("this is not a git repository");
    let mut git = sandbox.command("git");
    git.args(["init", "--quiet"]);
    run(git).expect(0);
    let refused = sandbox.xtask(&["release", "minor", "--yes"]);
    refused.expect(3).says("there is no commit yet");
}
