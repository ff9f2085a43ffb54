//! Files that no release can be made of, and those that cannot be written.

use super::refuse::refused;
use super::scene::{Scene, hook};
use crate::sandbox::write;

/// Commits this changelog instead.
pub(super) fn changelog(scene: &Scene, text: &str) {
    scene.sandbox.write("CHANGELOG.md", text);
    scene.commit("changelog");
}

#[test]
fn nothing_unreleased() {
    let scene = Scene::new();
    let old = "## 0.1.0 - 2026-01-01\n\n### Fixed\n\n- It.\n";
    changelog(&scene, &format!("# Changelog\n\n## [Unreleased]\n\n{old}"));
    refused(&scene, &["`CHANGELOG.md`", "Unreleased"]);
    changelog(
        &scene,
        &format!("# Changelog\n\n## [Unreleased]\n\n### Added\n\n{old}"),
    );
    refused(&scene, &["`CHANGELOG.md`", "Unreleased"]);
    changelog(&scene, &format!("# Changelog\n\n{old}"));
    refused(&scene, &["`CHANGELOG.md`", "Unreleased"]);
    let entry = "## [Unreleased]\n\n### Added\n\n- One.\n\n";
    changelog(&scene, &format!("# Changelog\n\n{entry}{entry}{old}"));
    refused(&scene, &["`CHANGELOG.md`", "Unreleased"]);
    changelog(
        &scene,
        &format!("# Changelog\n\n{entry}## 0.2.0 - 2026-02-01\n\n- Two.\n\n{old}"),
    );
    refused(&scene, &["`CHANGELOG.md`", "0.2.0"]);
}

#[test]
fn files_that_are_not_as_they_must_be() {
    let scene = Scene::new();
    let log = scene.sandbox.read("CHANGELOG.md");
    std::fs::remove_file(scene.sandbox.dir.join("CHANGELOG.md")).unwrap();
    scene.commit("no changelog");
    refused(&scene, &["there is no `CHANGELOG.md`"]);
    changelog(&scene, "");
    refused(&scene, &["`CHANGELOG.md`"]);
    scene.sandbox.write("CHANGELOG.md", b"# Changelog \xff\n");
    scene.commit("bytes");
    refused(&scene, &["`CHANGELOG.md` is not UTF-8"]);
    std::fs::remove_file(scene.sandbox.dir.join("CHANGELOG.md")).unwrap();
    std::os::unix::fs::symlink("README.md", scene.sandbox.dir.join("CHANGELOG.md")).unwrap();
    scene.commit("a link");
    refused(&scene, &["`CHANGELOG.md` is a symbolic link"]);
    std::fs::remove_file(scene.sandbox.dir.join("CHANGELOG.md")).unwrap();
    changelog(&scene, &log);

    let member = "crates/util/Cargo.toml";
    let good = scene.sandbox.read(member);
    scene.sandbox.write(member, "[package\n");
    // The gates need no answer for this: their record is there.
    scene.sandbox.commit("broken");
    scene.git(&["push", "--quiet"]);
    green_without_cargo(&scene);
    refused(&scene, &[member]);
    scene
        .sandbox
        .write(member, [good.as_bytes(), b"# \xff\n"].concat());
    scene.sandbox.commit("bytes");
    scene.git(&["push", "--quiet"]);
    green_without_cargo(&scene);
    refused(&scene, &["`crates/util/Cargo.toml` is not UTF-8"]);
    scene.sandbox.write(
        member,
        good.replace("version.workspace = true", "version = \"0.3.0\""),
    );
    scene.sandbox.commit("two versions");
    scene.git(&["push", "--quiet"]);
    green_without_cargo(&scene);
    refused(&scene, &["0.3.0", "0.1.0"]);
}

/// The record of the commit before counts for HEAD as well.
fn green_without_cargo(scene: &Scene) {
    let file = |rev: &str| format!("target/xtask/runs/{}.json", scene.git(&["rev-parse", rev]));
    let text = scene.sandbox.read(&file("HEAD~1"));
    scene.sandbox.write(&file("HEAD"), text);
}

#[test]
fn a_version_beyond_64_bits() {
    let scene = Scene::new();
    scene
        .refuses(&["99999999999999999999.0.0", "--yes"], 2)
        .says("`99999999999999999999.0.0` is no version");
    let text = scene.sandbox.read("Cargo.toml");
    let huge = format!("version = \"{}.0.0\"", u64::MAX);
    scene
        .sandbox
        .write("Cargo.toml", text.replace("version = \"0.1.0\"", &huge));
    scene.commit("huge");
    let refused = scene.refuses(&["major", "--yes"], 3);
    refused.says(&u64::MAX.to_string());
    assert!(!refused.stderr.contains("panicked"), "{}", refused.stderr);
}

#[test]
fn hooks_that_fail() {
    for name in ["pre-commit", "commit-msg", "prepare-commit-msg"] {
        let scene = Scene::new();
        hook(&scene.dot_git(), name, "echo I say no >&2; exit 1");
        let refused = scene.refuses(&["minor", "--yes"], 3);
        refused
            .says("I say no")
            .says("`v0.2.0` was not released")
            .says("--pr");
    }
}

#[test]
fn a_hook_that_changes_what_is_committed() {
    let scene = Scene::new();
    hook(
        &scene.dot_git(),
        "pre-commit",
        "echo more >> README.md; git add README.md",
    );
    let ran = scene.release(&["minor", "--yes"]);
    ran.expect(3).says("a hook changed what is committed");
    assert_eq!(scene.git(&["tag"]), "");
    assert!(!scene.dot_git().join("xtask-release").exists());
    // What the hook did to other files is not the release's to undo.
    assert_eq!(scene.git(&["status", "--porcelain"]), " M README.md");
}

#[test]
fn a_folder_that_cannot_be_written() {
    let scene = Scene::new();
    // Permissions do not bind every account; a folder where a file is to be written does.
    std::fs::create_dir_all(scene.sandbox.dir.join(".Cargo.toml.xtask-release")).unwrap();
    write(&scene.dot_git(), "info/exclude", ".*.xtask-release\n");
    scene
        .refuses(&["minor", "--yes"], 3)
        .says("failed to write `Cargo.toml`")
        .says("was not released");
}
