//! The level of the next release: each reading alone, and where they disagree.

use serde_json::{Value, json};
use xshell::cmd;

use crate::sandbox::{Ran, Sandbox};

/// A repository that released 1.2.3, with an API.
fn released() -> Sandbox {
    at("1.2.3")
}

fn at(version: &str) -> Sandbox {
    let sandbox = Sandbox::new();
    set_version(&sandbox, "0.1.0", version);
    sandbox.write(
        "CHANGELOG.md",
        log(
            "",
            &format!("## {version} - 2026-01-01\n\n### Added\n\n- All.\n"),
        ),
    );
    sandbox.write("docs/openapi.json", api(&json!({"type": "string"})));
    sandbox.commit(&format!("chore: release {version}"));
    tag(&sandbox, version);
    sandbox
}

fn set_version(sandbox: &Sandbox, from: &str, to: &str) {
    let manifest = sandbox.read("Cargo.toml");
    let line = |version: &str| format!("\nversion = \"{version}\"\n");
    assert!(manifest.contains(&line(from)), "{manifest}");
    sandbox.write("Cargo.toml", manifest.replace(&line(from), &line(to)));
}

fn tag(sandbox: &Sandbox, version: &str) {
    let sh = &sandbox.sh;
    cmd!(sh, "git tag --annotate --message release v{version}")
        .run()
        .unwrap();
}

fn log(unreleased: &str, below: &str) -> String {
    format!("# Changelog\n\n## [Unreleased]\n\n{unreleased}\n{below}")
}

/// A document with one operation that takes `schema`.
fn api(schema: &Value) -> String {
    let body = json!({"content": {"application/json": {"schema": schema}}});
    let operation = json!({"requestBody": body, "responses": {"200": {"description": "d"}}});
    json!({"openapi": "3.1.0", "info": {}, "paths": {"/a": {"post": operation}}}).to_string()
}

/// Writes entries below `Unreleased` and commits them with `message`.
fn change(sandbox: &Sandbox, unreleased: &str, message: &str) {
    let text = sandbox.read("CHANGELOG.md");
    let text = text.replacen(
        "## [Unreleased]\n",
        &format!("## [Unreleased]\n\n{unreleased}"),
        1,
    );
    sandbox.write("CHANGELOG.md", text);
    sandbox.commit(message);
}

fn suggest(sandbox: &Sandbox) -> Ran {
    sandbox.xtask(&["release", "suggest"])
}

/// Level of the three readings, and what is to be released; `failed` of one that failed.
fn read(sandbox: &Sandbox) -> [Value; 4] {
    let said = sandbox
        .xtask(&["release", "suggest", "--format", "json"])
        .json();
    let level = |at: usize| {
        let reading = &said["readings"][at];
        if reading["failed"].is_null() {
            reading["level"].clone()
        } else {
            json!("failed")
        }
    };
    [level(0), level(1), level(2), said["release"].clone()]
}

#[test]
fn sections_of_the_changelog_give_the_level() {
    for (entries, level, next) in [
        ("### Fixed\n\n- A.\n", "fix", "patch"),
        ("### Security\n\n- A.\n", "fix", "patch"),
        (
            "### Added\n\n- A.\n\n### Fixed\n\n- B.\n",
            "feature",
            "minor",
        ),
        ("### Changed\n\n- A.\n", "feature", "minor"),
        ("### Deprecated\n\n- A.\n", "feature", "minor"),
        ("### Removed\n\n- A.\n", "breaking", "major"),
        ("### Fixed\n\n- **Breaking:** A.\n", "breaking", "major"),
    ] {
        let sandbox = released();
        change(&sandbox, entries, "whatever");
        let wanted = [json!(level), json!(null), json!(null), json!(next)];
        assert_eq!(read(&sandbox), wanted, "{entries}");
        let shown = suggest(&sandbox);
        (shown.expect(0).says("1.2.3, since v1.2.3")).says("  CHANGELOG.md:7  ");
        shown.says("1 commit, 0 of them merges, 1 not conventional");
        shown.says(&format!("next: cargo xtask release {next}"));
    }
}

#[test]
fn a_changelog_that_does_not_say_it_blocks() {
    for (entries, why) in [
        (
            "### Improved\n\n- A.\n",
            "`Improved`, above CHANGELOG.md:7, is no section",
        ),
        ("- A.\n", "CHANGELOG.md:5 stands under no section"),
        ("### Added\n", "`### Added`, CHANGELOG.md:5, has no entry"),
        ("## Unreleased\n", "CHANGELOG.md:5 is a second `Unreleased`"),
        (
            "<!-- - A. -->\n",
            "the changelog says nothing of what changed",
        ),
        (
            "```\n### Added\n\n- A.\n```\n",
            "the changelog says nothing of what changed",
        ),
    ] {
        let sandbox = released();
        change(&sandbox, entries, "whatever");
        suggest(&sandbox).expect(1).says(why);
    }
    let sandbox = released();
    sandbox.sh.remove_path("CHANGELOG.md").unwrap();
    sandbox.commit("fix: tidy up");
    (suggest(&sandbox)
        .expect(1)
        .says("`changelog` cannot be read: there is no `CHANGELOG.md`"))
    .says("if you know better: cargo xtask release patch");
    sandbox.write("CHANGELOG.md", "# Changelog\n");
    sandbox.commit("empty");
    suggest(&sandbox).expect(1).says("has no `## [Unreleased]`");
}

#[test]
fn commits_that_say_more_than_the_changelog_block() {
    let fixed = "### Fixed\n\n- A.\n";
    for (message, level) in [
        ("feat: a", "feature"),
        ("chore(a)!: b", "breaking"),
        ("fix: a\n\nBREAKING CHANGE: b", "breaking"),
        (
            "fix: a\n\n* feat: b\n\nBREAKING CHANGE: c\n\n* fix: d",
            "breaking",
        ),
    ] {
        let sandbox = released();
        change(&sandbox, fixed, message);
        assert_eq!(
            read(&sandbox),
            [json!("fix"), json!(level), json!(null), json!(null)]
        );
        let shown = suggest(&sandbox);
        let message = format!("`commits` says {level}, and the changelog says fix");
        shown.expect(1).says(&message);
        shown.says("if you know better: cargo xtask release patch");
        change(&sandbox, "### Removed\n\n- B.\n\n", "chore: say so");
        assert_eq!(
            read(&sandbox)[3],
            json!("major"),
            "the changelog may say more"
        );
    }
    for message in [
        "fix: a\n\nNothing of `BREAKING CHANGE: b` here.",
        "fix: a\n\nA subject may have lines such as\nBREAKING CHANGE: b\nin its body.",
        "fix: a\n\n> BREAKING CHANGE: b",
        "docs: a",
        "Feature: a",
    ] {
        let sandbox = released();
        change(&sandbox, fixed, message);
        assert_eq!(read(&sandbox)[3], json!("patch"), "{message}");
    }
}

/// A merge says nothing: what it merges does.
#[test]
fn merges_are_skipped_and_what_came_before_the_tag_too() {
    let sandbox = released();
    let sh = &sandbox.sh;
    cmd!(sh, "git switch --quiet --create fix/a").run().unwrap();
    change(&sandbox, "### Fixed\n\n- A.\n", "fix: a");
    cmd!(sh, "git switch --quiet main").run().unwrap();
    cmd!(
        sh,
        "git merge --quiet --no-ff fix/a --message 'feat!: merged'"
    )
    .run()
    .unwrap();
    assert_eq!(
        read(&sandbox),
        [json!("fix"), json!("fix"), json!(null), json!("patch")]
    );
    suggest(&sandbox)
        .expect(0)
        .says("2 commits, 1 of them merges, 0 not conventional");
}

#[test]
fn the_api_that_changed_more_than_the_changelog_says_blocks() {
    let narrower = api(&json!({"type": "string", "maxLength": 3}));
    let wider = api(&json!({"type": ["string", "null"]}));
    for (document, level) in [(&narrower, "breaking"), (&wider, "feature")] {
        let sandbox = released();
        sandbox.write("docs/openapi.json", document);
        change(&sandbox, "### Fixed\n\n- A.\n", "whatever");
        assert_eq!(
            read(&sandbox),
            [json!("fix"), json!(null), json!(level), json!(null)]
        );
        (suggest(&sandbox).expect(1))
            .says("POST /a request application/json")
            .says(&format!("`api` says {level}, and the changelog says fix"));
    }
    let sandbox = released();
    sandbox.write("docs/openapi.json", &narrower);
    change(&sandbox, "### Changed\n\n- **Breaking:** A.\n", "feat!: a");
    assert_eq!(
        read(&sandbox),
        [
            json!("breaking"),
            json!("breaking"),
            json!("breaking"),
            json!("major")
        ]
    );
}

#[test]
fn an_api_that_cannot_be_compared_blocks() {
    for (document, why) in [
        (Some("{"), "failed to read the JSON of HEAD"),
        (Some("{}"), "HEAD is no OpenAPI 3 document"),
        (None, "HEAD has no `docs/openapi.json`"),
    ] {
        let sandbox = released();
        match document {
            Some(text) => sandbox.write("docs/openapi.json", text),
            None => sandbox.sh.remove_path("docs/openapi.json").unwrap(),
        }
        change(&sandbox, "### Fixed\n\n- A.\n", "fix: a");
        assert_eq!(read(&sandbox)[2..], [json!("failed"), json!(null)]);
        suggest(&sandbox)
            .expect(1)
            .says("`api` cannot be read: ")
            .says(why);
    }
    let sandbox = released();
    sandbox.write("docs/openapi.json", api(&json!({"not": {}})));
    sandbox.write("docs/openapi.other.json", api(&json!({})));
    change(&sandbox, "### Fixed\n\n- A.\n", "fix: a");
    suggest(&sandbox)
        .expect(1)
        .says("has `not`, which this comparison does not know");
    sandbox.write("docs/openapi.json", api(&json!({})));
    sandbox.commit("fix: b");
    suggest(&sandbox)
        .expect(1)
        .says("the last release has no `docs/openapi.other.json`");
}

#[test]
fn before_1_0_0_the_leftmost_number_that_is_not_zero_is_the_major_one() {
    for (version, entries, next) in [
        ("0.5.0", "### Removed\n\n- A.\n", "minor"),
        ("0.5.0", "### Added\n\n- A.\n", "patch"),
        ("0.0.5", "### Removed\n\n- A.\n", "patch"),
    ] {
        let sandbox = at(version);
        change(&sandbox, entries, "whatever");
        assert_eq!(read(&sandbox)[3], json!(next), "{version}");
    }
}

#[test]
fn a_candidate_is_followed_by_another_or_by_its_release() {
    let sandbox = released();
    change(
        &sandbox,
        "### Added\n\n- A.\n\n## 1.3.0-rc.1 - 2026-02-01\n\n### Fixed\n\n- B.\n",
        "feat: a",
    );
    set_version(&sandbox, "1.2.3", "1.3.0-rc.1");
    sandbox.commit("chore: release 1.3.0-rc.1");
    suggest(&sandbox)
        .expect(3)
        .says("`Cargo.toml` says 1.3.0-rc.1, and the last release tag behind HEAD is `v1.2.3`");
    tag(&sandbox, "1.3.0-rc.1");
    assert_eq!(
        read(&sandbox),
        [json!("feature"), json!("feature"), json!(null), json!("rc")]
    );
    let text = sandbox.read("CHANGELOG.md");
    sandbox.write(
        "CHANGELOG.md",
        text.replacen("### Added\n\n- A.\n\n", "", 1)
            .replace("### Fixed\n\n- B.", "### Added\n\n- B."),
    );
    sandbox.commit("tidy");
    assert_eq!(read(&sandbox)[3], json!("final"));
    change(&sandbox, "### Removed\n\n- C.\n", "whatever");
    (suggest(&sandbox).expect(1))
        .says("`1.3.0-rc.1` is no major release after `v1.2.3`, and the changelog says breaking");
}

#[test]
fn the_first_release_reads_from_the_beginning() {
    let sandbox = Sandbox::new();
    sandbox.write("CHANGELOG.md", log("### Added\n\n- A.\n", ""));
    sandbox.commit("feat: a");
    assert_eq!(
        read(&sandbox),
        [
            json!("feature"),
            json!("feature"),
            json!(null),
            json!("patch")
        ]
    );
    (suggest(&sandbox).expect(0))
        .says("0.1.0, no release tag yet: since the beginning")
        .says("no release to compare with");
}

#[test]
fn a_history_that_is_not_here_is_refused() {
    let sandbox = released();
    change(&sandbox, "### Fixed\n\n- A.\n", "fix: a");
    let sh = &sandbox.sh;
    cmd!(sh, "git tag --delete v1.2.3").run().unwrap();
    (suggest(&sandbox).expect(3))
        .says("`Cargo.toml` says 1.2.3, and there is no release tag behind HEAD")
        .says("git fetch --tags");
    let head = cmd!(sh, "git rev-parse HEAD").read().unwrap();
    sandbox.write(".git/shallow", format!("{head}\n"));
    (suggest(&sandbox).expect(3))
        .says("this is a shallow clone")
        .says("git fetch --unshallow --tags");
    sh.remove_path(".git").unwrap();
    suggest(&sandbox)
        .expect(3)
        .says("this is not a git repository");
    sandbox.commit("new");
    set_version(&sandbox, "1.2.3", "one");
    sandbox.commit("bad");
    (suggest(&sandbox).expect(3))
        .says("failed to read the version in `Cargo.toml`")
        .says("`one` is no version");
}
