//! A release of files with line endings of every kind, whatever git does to them.

use super::make::proves;
use super::scene::Scene;
use crate::sandbox::Sandbox;

/// With these line endings in the commit, and git set to do that to them.
#[track_caller]
fn endings(crlf: bool, autocrlf: &str, in_tree: &str) {
    let sandbox = Sandbox::new();
    if crlf {
        for file in ["CHANGELOG.md", "Cargo.toml", "Cargo.lock"] {
            sandbox.write(file, sandbox.read(file).replace('\n', "\r\n"));
        }
        sandbox.commit("other line endings");
    }
    let scene = Scene::of(sandbox);
    scene.configure(&format!("[core]\nautocrlf = {autocrlf}\n"));
    std::fs::remove_file(scene.dot_git().join("index")).unwrap();
    scene.git(&["reset", "--quiet", "--hard"]);
    assert_eq!(scene.git(&["status", "--porcelain"]), "");
    let is_crlf = |file: &str| {
        let text = scene.sandbox.read(file);
        let ends = text.matches("\r\n").count();
        assert!(ends == 0 || ends == text.matches('\n').count(), "{text:?}");
        ends > 0
    };
    let all = ["CHANGELOG.md", "Cargo.toml", "Cargo.lock"];
    for file in all {
        assert_eq!(is_crlf(file), in_tree == "crlf", "{file}");
    }
    proves(&scene, &["minor"]);
    for file in all {
        assert_eq!(is_crlf(file), in_tree == "crlf", "{file}");
        let blob = scene.git(&["cat-file", "blob", &format!("HEAD:{file}")]);
        assert_eq!(blob.contains("\r\n"), crlf, "{file}");
    }
}

#[test]
fn crlf_that_git_leaves_alone() {
    endings(true, "false", "crlf");
}

#[test]
fn lf_that_git_checks_out_as_crlf() {
    endings(false, "true", "crlf");
}

#[test]
fn crlf_that_git_would_not_commit_again() {
    endings(true, "true", "crlf");
}

#[test]
fn crlf_that_git_would_make_lf() {
    endings(true, "input", "crlf");
}
