//! The changelog over the branches of a repository, and the notes of a release.

use xshell::cmd;

use crate::sandbox::{Sandbox, findings};

const BASE: &str = "# Changelog

## [Unreleased]

### Added

- Pancakes.

### Fixed

- Syrup.

## 1.0.0 - 2026-01-01

### Added

- Plates.

## 0.1.0 - 2026-01-01

### Fixed

- Nothing yet.

[Unreleased]: https://github.com/o/n/compare/v1.0.0...HEAD
";

/// A repository whose trunk has [`BASE`].
fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.write("CHANGELOG.md", BASE);
    sandbox.commit("changelog");
    sandbox
}

fn edit(sandbox: &Sandbox, from: &str, to: &str) {
    let text = sandbox.read("CHANGELOG.md");
    assert!(text.contains(from), "{text}");
    sandbox.write("CHANGELOG.md", text.replacen(from, to, 1));
}

fn switch(sandbox: &Sandbox, to: &[&str]) {
    let sh = &sandbox.sh;
    cmd!(sh, "git switch --quiet {to...}").run().unwrap();
}

/// A branch changes a line below `Unreleased`, which trunk releases meanwhile.
fn overtaken(branch: &str, from: &str, to: &str) -> Sandbox {
    let sandbox = repository();
    switch(&sandbox, &["--create", branch]);
    edit(&sandbox, from, to);
    sandbox.commit("branch");
    assert_eq!(found(&sandbox), [] as [&str; 0]);
    switch(&sandbox, &["main"]);
    release(&sandbox);
    assert_eq!(
        found(&sandbox),
        [] as [&str; 0],
        "a release is no edit of one"
    );
    switch(&sandbox, &[branch]);
    sandbox
}

fn found(sandbox: &Sandbox) -> Vec<String> {
    let run = sandbox
        .xtask(&["ci", "changelog", "--format", "json"])
        .json();
    findings(&run, "changelog")
}

fn release(sandbox: &Sandbox) {
    edit(
        sandbox,
        "## [Unreleased]\n",
        "## [Unreleased]\n\n## 1.1.0 - 2026-02-01\n",
    );
    edit(sandbox, "compare/v1.0.0...", "compare/v1.1.0...");
    sandbox.commit("release 1.1.0");
}

/// Git merges an entry to where its neighbours went, cleanly, and nobody is asked.
#[test]
fn an_entry_that_a_merge_would_put_below_a_release_is_found_before_the_merge() {
    let sandbox = overtaken("feat/jam", "- Syrup.\n", "- Syrup.\n- Jam.\n");
    assert_eq!(found(&sandbox), ["changelog/misfiled CHANGELOG.md:12"]);
    let told = sandbox.xtask(&["ci", "changelog"]);
    told.expect(1)
        .says("`- Jam.` stands below `1.1.0` once merged, which is released")
        .says("git rebase onto trunk, and move it below `## [Unreleased]`");

    // What a server would test: the merge itself.
    let sh = &sandbox.sh;
    cmd!(sh, "git merge --quiet --no-edit main").run().unwrap();
    assert_eq!(found(&sandbox), ["changelog/misfiled CHANGELOG.md:14"]);

    edit(&sandbox, "- Jam.\n", "");
    edit(
        &sandbox,
        "## [Unreleased]\n",
        "## [Unreleased]\n\n### Fixed\n\n- Jam.\n",
    );
    assert_eq!(found(&sandbox), [] as [&str; 0]);
}

/// A line that trunk has released meanwhile changes where it went; with a reason it may.
#[test]
fn a_merge_that_changes_a_release_is_found_and_may_have_a_reason() {
    let sandbox = overtaken("feat/syrup", "- Syrup.\n", "- Maple syrup.\n");
    let before = objects(&sandbox);
    assert_eq!(found(&sandbox), ["changelog/released CHANGELOG.md:11"]);
    (sandbox.xtask(&["ci", "changelog"]).expect(1))
        .says("trunk says something else here once merged");
    assert_eq!(objects(&sandbox), before, "a look at the merge leaves none");

    edit(&sandbox, "- Maple syrup.\n", "- Syrup.\n- Jam.\n");
    sandbox.commit("jam");
    (sandbox.xtask(&["ci", "changelog"]).expect(1))
        .says("`- Jam.` stands below `1.1.0` once merged")
        .says("commit with the trailer `Changelog-Edit: why`");
    sandbox.commit("say why\n\nChangelog-Edit: jam came with 1.1.0");
    assert_eq!(found(&sandbox), [] as [&str; 0]);
}

/// How many files git's object store has.
fn objects(sandbox: &Sandbox) -> usize {
    walkdir::WalkDir::new(sandbox.dir.join(".git/objects"))
        .into_iter()
        .filter(|entry| entry.as_ref().unwrap().file_type().is_file())
        .count()
}

#[test]
fn what_was_released_changes_only_with_a_reason() {
    let sandbox = repository();
    switch(&sandbox, &["--create", "fix/plates"]);
    edit(&sandbox, "- Plates.", "- Plates, and forks.");
    assert_eq!(found(&sandbox), ["changelog/released CHANGELOG.md:17"]);
    sandbox.commit("plates");
    assert_eq!(found(&sandbox), ["changelog/released CHANGELOG.md:17"]);
    sandbox.commit("say why\n\nChangelog-Edit:");
    assert_eq!(found(&sandbox).len(), 1, "a reason is asked for");
    sandbox.commit("say why\n\nChangelog-Edit: the forks were forgotten");
    assert_eq!(found(&sandbox), [] as [&str; 0]);

    // A squash merge puts more paragraphs behind it.
    let sandbox = repository();
    switch(&sandbox, &["--create", "fix/plates"]);
    edit(&sandbox, "- Plates.", "- Plates, and forks.");
    sandbox.commit(
        "Plates (#12)\n\n* plates\n\nNo changelog-edit: here\n\nChangelog-Edit: \n\n* more",
    );
    assert_eq!(found(&sandbox).len(), 1, "neither line has a reason");
    sandbox.commit("Plates (#12)\n\n* plates\n\nchangelog-edit: the forks were forgotten\n\n* more\n\n---------\n\nCo-authored-by: A <a@h.org>");
    assert_eq!(found(&sandbox), [] as [&str; 0]);

    let sandbox = repository();
    edit(
        &sandbox,
        "\n## 1.0.0 - 2026-01-01\n\n### Added\n\n- Plates.\n",
        "",
    );
    assert_eq!(
        found(&sandbox),
        [
            "changelog/stale-link CHANGELOG.md:19",
            "changelog/released CHANGELOG.md:1"
        ],
        "gone from the work tree of trunk"
    );
    edit(
        &sandbox,
        "\n## 0.1.0 - 2026-01-01\n\n### Fixed\n\n- Nothing yet.\n",
        "",
    );
    assert_eq!(
        found(&sandbox),
        ["changelog/released CHANGELOG.md:1"; 2],
        "each release that is gone"
    );
    let sandbox = repository();
    edit(&sandbox, "2026-01-01", "2026-01-01 [YANKED]");
    sandbox.write(
        "CHANGELOG.md",
        sandbox.read("CHANGELOG.md").replace('\n', "\r\n"),
    );
    assert_eq!(found(&sandbox), [] as [&str; 0]);
}

#[test]
fn notes_stand_alone() {
    let sandbox = repository();
    let sh = &sandbox.sh;
    edit(
        &sandbox,
        "- Plates.\n",
        "- Plates ([#1]), see [how](docs/plates.md \"how\") and ![them](./a.png).\n",
    );
    edit(
        &sandbox,
        "[Unreleased]:",
        "[#1]: https://github.com/o/n/pull/1\n[#2]: https://github.com/o/n/pull/2\n[Unreleased]:",
    );
    let notes = sandbox.xtask(&["release", "notes", "v1.0.0"]);
    let local = "### Added\n\n- Plates ([#1]), see [how](docs/plates.md \"how\") and ![them](./a.png).\n\n[#1]: https://github.com/o/n/pull/1\n";
    assert_eq!(notes.expect(0).stdout, local);

    cmd!(sh, "git remote add origin git@github.com:o/n.git")
        .run()
        .unwrap();
    let page = "https://github.com/o/n/blob/v1.0.0";
    let notes = sandbox.xtask(&["release", "notes", "1.0.0"]);
    let wanted = local
        .replace("docs/plates.md", &format!("{page}/docs/plates.md"))
        .replace("./a.png", "https://github.com/o/n/raw/v1.0.0/a.png");
    assert_eq!(notes.expect(0).stdout, wanted);

    (sandbox.xtask(&["release", "notes", "2.0.0"]).expect(3))
        .says("the changelog has no release `2.0.0`")
        .says("its newest are Unreleased, 1.0.0, 0.1.0");
    (sandbox.xtask(&["release", "notes", "one"]).expect(2)).says("`one` is no version");
    sandbox.append(
        "CHANGELOG.md",
        "\n## 0.9.0 - 2025-01-01\n\n## 0.8.0 - 2024-01-01\n\n- a\n\n## 0.8.0\n\n- b\n",
    );
    (sandbox.xtask(&["release", "notes", "0.9.0"]).expect(3))
        .says("there is nothing below `0.9.0`");
    (sandbox.xtask(&["release", "notes", "0.8.0"]).expect(3))
        .says("the changelog has `0.8.0` at lines 31, 35");
    (sandbox.xtask(&["release", "notes", "1.0.0"])).expect(0);
}

#[test]
fn an_entry_is_demanded_where_the_policy_says_so() {
    let sandbox = repository();
    switch(&sandbox, &["--create", "feat/plates"]);
    sandbox.write("plates.txt", "one\n");
    assert_eq!(found(&sandbox), [] as [&str; 0]);
    let policy = sandbox.read("xtask.toml");
    sandbox.write(
        "xtask.toml",
        format!("{policy}\n[changelog]\nentry-per-branch = true\n"),
    );
    assert_eq!(found(&sandbox), ["changelog/none CHANGELOG.md:null"]);
    sandbox.commit("work");
    assert_eq!(found(&sandbox), ["changelog/none CHANGELOG.md:null"]);
    // What trunk said already is no entry of this branch.
    edit(&sandbox, "- Pancakes.\n", "- Pancakes.\n\n");
    assert_eq!(found(&sandbox), ["changelog/none CHANGELOG.md:null"]);
    edit(&sandbox, "- Pancakes.\n", "- Pancakes.\n- Plates.\n");
    assert_eq!(found(&sandbox), [] as [&str; 0]);
    edit(&sandbox, "- Plates.\n", "");
    sandbox.commit("more work\n\nChangelog-Skip: nobody sees it");
    assert_eq!(found(&sandbox), [] as [&str; 0]);
    // Trunk was judged as the branch that it came from.
    switch(&sandbox, &["main"]);
    assert_eq!(found(&sandbox), [] as [&str; 0]);
}
