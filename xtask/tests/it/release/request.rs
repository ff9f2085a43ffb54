//! A trunk that takes no commits: the release goes through a pull request, and the tag comes after.

use super::scene::{NEXT_NOON, Scene};

const BRANCH: &str = "chore/release-v0.2.0";

/// A week after the day of the scene.
const WEEK_LATER: &str = "1772971200";

/// A pull request of the release, pushed.
fn requested() -> Scene {
    let scene = Scene::new();
    scene
        .release(&["minor", "--pr", "--yes", "--push"])
        .expect(0);
    scene
}

/// Squashed and merged by somebody else on another day, with `edit` in the same commit; then pulled,
/// its gates green.
fn merge(scene: &Scene, edit: impl Fn(&std::path::Path)) {
    let other = scene.clone("merger");
    scene.git_in(
        &other,
        &["merge", "--quiet", "--squash", &format!("origin/{BRANCH}")],
    );
    edit(&other);
    scene.git_in(&other, &["add", "--all"]);
    scene.git_in(
        &other,
        &[
            "commit",
            "--quiet",
            "--author=Hub <hub@localhost>",
            "--message=chore: release v0.2.0 (#7)",
        ],
    );
    scene.git_in(&other, &["push", "--quiet", "origin", "main"]);
    pull(scene);
}

fn pull(scene: &Scene) {
    scene.git(&["pull", "--quiet", "--ff-only", "origin", "main"]);
    scene.gates(&[]);
}

/// A tag without what is of its commit: type, name, message.
fn content(scene: &Scene) -> (String, String) {
    let tag = scene.git(&["cat-file", "tag", "v0.2.0"]);
    let (head, rest) = tag.split_once('\n').unwrap();
    assert!(head.starts_with("object "), "{tag}");
    (rest.to_owned(), scene.git(&["rev-parse", "v0.2.0^{tree}"]))
}

#[test]
fn a_branch_and_nothing_that_is_checked_out() {
    let scene = Scene::new();
    let before = scene.state();
    let ran = scene.release(&["minor", "--pr", "--yes"]);
    ran.expect(0).says("cargo xtask release tag");
    let name = format!("refs/heads/{BRANCH}");
    assert_eq!(
        scene.git(&["rev-parse", &format!("{name}~1")]),
        scene.git(&["rev-parse", "main"])
    );
    assert_eq!(scene.git(&["tag"]), "");
    scene.git(&["push", "--quiet", "origin", &name]);
    // Once is enough, here and there.
    let words = format!("the branch `{BRANCH}` is there already");
    scene.refuses(&["minor", "--pr", "--yes"], 3).says(&words);
    scene.git(&["branch", "--quiet", "--delete", "--force", BRANCH]);
    let words = format!("the branch `{BRANCH}` is on `origin` already");
    scene
        .refuses(&["minor", "--pr", "--yes", "--push"], 3)
        .says(&words);
    scene
        .refuses(&["minor", "--pr", "--dry-run"], 3)
        .says(&words);
    scene.git(&["push", "--quiet", "origin", "--delete", BRANCH]);
    assert!(before == scene.state());
}

#[test]
fn the_merged_release_is_the_direct_one() {
    let direct = Scene::new();
    direct.release(&["minor", "--yes"]).expect(0);
    let scene = requested();
    assert_eq!(scene.git_in(&scene.remote, &["tag"]), "");
    merge(&scene, |_| {});
    scene
        .release(&["tag", "--yes", "--push"])
        .expect(0)
        .says("is tagged v0.2.0");
    assert_eq!(content(&scene), content(&direct));
    let commit = scene.git(&["rev-parse", "v0.2.0^{commit}"]);
    assert_eq!(commit, scene.git(&["rev-parse", "main"]));
    assert_eq!(
        scene.git_in(&scene.remote, &["rev-parse", "v0.2.0^{commit}"]),
        commit
    );
    let words = "the tag `v0.2.0` is here and on `origin`";
    scene.refuses(&["tag", "--yes"], 3).says(words);
}

#[test]
fn later_commits_do_not_matter() {
    let scene = requested();
    merge(&scene, |_| {});
    let merged = scene.git(&["rev-parse", "HEAD"]);
    scene.elsewhere("later.txt");
    pull(&scene);
    scene.release(&["tag", "--yes"]).expect(0);
    assert_eq!(scene.git(&["rev-parse", "v0.2.0^{commit}"]), merged);
}

#[test]
fn a_merge_that_brought_something_else() {
    let scene = requested();
    merge(&scene, |dir| {
        let path = dir.join("CHANGELOG.md");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(
            &path,
            text.replace("- The fixture.", "- The fixture.\n- And this."),
        )
        .unwrap();
    });
    let refused = scene.refuses(&["tag", "--yes"], 3);
    refused
        .says("is not what the release is planned to be")
        .says("+- And this.");
}

#[test]
fn a_file_that_came_in_with_the_merge() {
    let scene = requested();
    merge(&scene, |dir| {
        std::fs::write(dir.join("sneaked.txt"), "in").unwrap();
    });
    let refused = scene.refuses(&["tag", "--yes"], 3);
    refused.says("`sneaked.txt`").says("came in with the merge");
}

#[test]
fn a_trunk_without_such_a_version() {
    let scene = requested();
    let refused = scene.refuses(&["tag", "--yes"], 3);
    refused.says("no commit of trunk brought the version `0.1.0`");
}

#[test]
fn gates_count_at_the_merged_commit() {
    let scene = requested();
    merge(&scene, |_| {});
    scene.gates(&["branch"]);
    scene
        .refuses(&["tag", "--yes"], 1)
        .says("gates are red at ");
    let merged = scene.git(&["rev-parse", "HEAD"]);
    scene.elsewhere("later.txt");
    pull(&scene);
    scene.refuses(&["tag", "--yes"], 1).says(&merged[..10]);
}

#[test]
fn a_tag_of_the_next_day() {
    let scene = requested();
    merge(&scene, |_| {});
    scene.release_at(NEXT_NOON, &["tag", "--yes"]).expect(0);
    let audit = scene.release(&["audit"]);
    assert!(!audit.stdout.contains("audit/date"), "{}", audit.stdout);
}

#[test]
fn a_merge_commit_and_a_candidate() {
    let scene = Scene::new();
    let args = ["minor", "--rc", "--pr", "--yes", "--push"];
    scene.release(&args).expect(0);
    let other = scene.clone("merger");
    let branch = "origin/chore/release-v0.2.0-rc.1";
    scene.git_in(
        &other,
        &["merge", "--quiet", "--no-ff", "--no-edit", branch],
    );
    scene.git_in(&other, &["push", "--quiet", "origin", "main"]);
    pull(&scene);
    let dry = scene.release(&["tag", "--dry-run", "--format", "json"]);
    let plan = &dry.expect(0).json()["plan"];
    assert_eq!(plan["tag"], "v0.2.0-rc.1");
    scene.release(&["tag", "--yes", "--offline"]).expect(0);
    let commit = scene.git(&["rev-parse", "v0.2.0-rc.1^{commit}"]);
    assert_eq!(commit, scene.git(&["rev-parse", "HEAD"]));
}

#[test]
fn a_tag_long_after_its_section_is_told() {
    let scene = requested();
    merge(&scene, |_| {});
    scene.release_at(WEEK_LATER, &["tag", "--yes"]).expect(0);
    let audit = scene.release(&["audit"]);
    audit.expect(1).says("audit/date");
}
