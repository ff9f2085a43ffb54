//! The ledger of releases: sound, and with each thing wrong that it looks for.

use serde_json::Value;
use xshell::cmd;

use crate::sandbox::{Ran, Sandbox};

const PAGE: &str = "https://github.com/o/n";

/// A repository that released 1.0.0, 1.1.0 and 1.2.0, each on a day of its own.
pub(super) fn repository() -> Sandbox {
    let sandbox = Sandbox::new();
    let manifest = sandbox.read("Cargo.toml");
    sandbox.write(
        "Cargo.toml",
        manifest.replace("version = \"0.1.0\"", "version = \"0.9.0\""),
    );
    let old = "## 0.9.0 - 2025-12-01\n\n### Added\n\n- Told, and never tagged.\n";
    let link = format!("[Unreleased]: {PAGE}/compare/v0.9.0...HEAD\n");
    sandbox.write(
        "CHANGELOG.md",
        format!("# Changelog\n\n## [Unreleased]\n\n{old}\n{link}"),
    );
    sandbox.commit("old");
    for (old, new, day) in [
        ("0.9.0", "1.0.0", "2026-01-01"),
        ("1.0.0", "1.1.0", "2026-02-01"),
        ("1.1.0", "1.2.0", "2026-03-01"),
    ] {
        commit(&sandbox, (old, new), day);
        tag(&sandbox, new, day);
    }
    sandbox
}

/// Git's clock: a time with its zone.
fn set_time(sandbox: &Sandbox, time: &str) {
    sandbox.sh.set_var("GIT_COMMITTER_DATE", time);
    sandbox.sh.set_var("GIT_AUTHOR_DATE", time);
}

/// Commits the release of a version after another.
pub(super) fn commit(sandbox: &Sandbox, (old, new): (&str, &str), day: &str) {
    let manifest = sandbox.read("Cargo.toml");
    let line = |version: &str| format!("\nversion = \"{version}\"\n");
    assert!(manifest.contains(&line(old)), "{manifest}");
    sandbox.write("Cargo.toml", manifest.replace(&line(old), &line(new)));
    let top = "## [Unreleased]\n";
    let section = format!("{top}\n## {new} - {day}\n\n### Added\n\n- Something.\n");
    edit(sandbox, top, &section);
    edit(
        sandbox,
        &format!("v{old}...HEAD"),
        &format!("v{new}...HEAD"),
    );
    set_time(sandbox, &format!("{day}T12:00:00Z"));
    sandbox.commit(&format!("chore: release {new}"));
}

pub(super) fn tag(sandbox: &Sandbox, version: &str, day: &str) {
    set_time(sandbox, &format!("{day}T12:00:00Z"));
    let sh = &sandbox.sh;
    cmd!(sh, "git tag --annotate --message release v{version}")
        .run()
        .unwrap();
}

fn edit(sandbox: &Sandbox, from: &str, to: &str) {
    let text = sandbox.read("CHANGELOG.md");
    assert!(text.contains(from), "`{from}` is not in {text}");
    sandbox.write("CHANGELOG.md", text.replacen(from, to, 1));
}

fn audit(sandbox: &Sandbox) -> Ran {
    sandbox.xtask(&["release", "audit"])
}

/// The rule of each finding.
fn found(sandbox: &Sandbox) -> Vec<String> {
    let audit = sandbox
        .xtask(&["release", "audit", "--format", "json"])
        .json();
    let findings = audit["findings"].as_array().unwrap();
    let rule = |finding: &Value| finding["rule"].as_str().unwrap().to_owned();
    findings.iter().map(rule).collect()
}

/// Edits the changelog of the sound ledger: one finding, which says so.
#[track_caller]
fn edited(from: &str, to: &str, rule: &str, says: &str) {
    let sandbox = repository();
    edit(&sandbox, from, to);
    sandbox.commit("edit");
    assert_eq!(found(&sandbox), [rule]);
    audit(&sandbox).expect(1).says(says);
}

#[test]
fn a_sound_ledger_and_tags_of_something_else() {
    let sandbox = repository();
    let sh = &sandbox.sh;
    for name in ["nightly", "v1.0", "v1.0.0-beta.1", "openssl-v1.0.0"] {
        cmd!(sh, "git tag {name}").run().unwrap();
    }
    (audit(&sandbox).expect(0))
        .says("tags that are no release's: nightly, openssl-v1.0.0, v1.0, v1.0.0-beta.1")
        .says("3 release tags, 0 of them signed, 4 sections: 0 findings");
}

#[test]
fn all_is_told_at_once() {
    let sandbox = repository();
    edit(&sandbox, "## 1.0.0 - 2026-01-01", "## 1.0.0 - 2026-01-05");
    edit(&sandbox, "## 1.2.0 - 2026-03-01", "## 1.2.1 - 2026-03-01");
    sandbox.commit("edit");
    let all = ["audit/section", "audit/tag", "audit/date", "audit/link"];
    assert_eq!(found(&sandbox), all);
    audit(&sandbox).expect(1).says("4 findings");
}

#[test]
fn sections_and_tags_belong_together() {
    edited(
        "## 1.1.0 - 2026-02-01\n",
        "### More\n",
        "audit/section",
        "`v1.1.0` has no section in `CHANGELOG.md`",
    );
    edited(
        "## 1.1.0 -",
        "## 1.1.1 - 2026-02-02\n\n### Fixed\n\n- A.\n\n## 1.1.0 -",
        "audit/tag",
        "error  audit/tag  CHANGELOG.md:11  `1.1.1` is dated, and has no tag `v1.1.1`",
    );
    edited(
        "## 1.1.0 - 2026-02-01\n",
        "## 1.1.0 - 2026-02-01\n\n### Added\n\n- A.\n\n## 1.1.0 - 2026-02-01\n",
        "audit/duplicate",
        "`1.1.0` stands in line 11 too",
    );
    edited(
        "v1.2.0...HEAD",
        "v1.1.0...HEAD",
        "audit/link",
        "compares with `v1.1.0`, and `1.2.0` is the newest release",
    );
    let sandbox = repository();
    let sh = &sandbox.sh;
    cmd!(sh, "git tag --delete v1.0.0 v1.1.0 v1.2.0")
        .run()
        .unwrap();
    assert_eq!(
        found(&sandbox),
        ["audit/tag"; 4],
        "nothing seen is not sound"
    );
    sandbox.sh.remove_path("CHANGELOG.md").unwrap();
    sandbox.commit("gone");
    assert_eq!(found(&sandbox), ["audit/changelog"]);
}

#[test]
fn days_are_those_of_the_tags_in_utc() {
    edited(
        "1.1.0 - 2026-02-01",
        "1.1.0 - 2026-01-25",
        "audit/date",
        "`v1.1.0` was tagged on 2026-02-01 (UTC), and its section says 2026-01-25",
    );
    edited(
        "1.1.0 - 2026-02-01",
        "1.1.0 - 2026-02-02",
        "audit/date",
        "one day off, as a clock that is not UTC makes it",
    );
    edited(
        "1.1.0 - 2026-02-01",
        "1.1.0 - 2026-02-31",
        "audit/date",
        "its section has no such day",
    );
    // West of Greenwich it is still the day before.
    let sandbox = repository();
    set_time(&sandbox, "2026-02-28T22:00:00-0500");
    let sh = &sandbox.sh;
    cmd!(sh, "git tag --force --annotate --message release v1.2.0")
        .run()
        .unwrap();
    assert_eq!(found(&sandbox), [] as [&str; 0]);
}

/// A patch of an older minor version is made when it is needed.
#[test]
fn days_descend_with_precedence_along_each_minor_version() {
    let sandbox = repository();
    let sh = &sandbox.sh;
    cmd!(sh, "git switch --quiet --create release/1.0 v1.0.0")
        .run()
        .unwrap();
    commit(&sandbox, ("1.0.0", "1.0.1"), "2026-04-01");
    tag(&sandbox, "1.0.1", "2026-04-01");
    cmd!(sh, "git switch --quiet main").run().unwrap();
    edit(
        &sandbox,
        "## 1.0.0 -",
        "## 1.0.1 - 2026-04-01\n\n### Fixed\n\n- A.\n\n## 1.0.0 -",
    );
    sandbox.commit("tell of 1.0.1");
    assert_eq!(found(&sandbox), [] as [&str; 0]);

    commit(&sandbox, ("1.2.0", "1.3.0"), "2026-02-15");
    tag(&sandbox, "1.3.0", "2026-02-15");
    assert_eq!(found(&sandbox), ["audit/order"]);
    audit(&sandbox)
        .expect(1)
        .says("`1.3.0` is of 2026-02-15, and `1.2.0`, which it follows, of 2026-03-01");
}

#[test]
fn a_tag_is_annotated_and_is_itself() {
    let sandbox = repository();
    let sh = &sandbox.sh;
    cmd!(sh, "git tag --force v1.2.0 v1.2.0^0").run().unwrap();
    assert_eq!(found(&sandbox), ["audit/lightweight"]);

    let sandbox = repository();
    let sh = &sandbox.sh;
    cmd!(sh, "git update-ref refs/tags/v1.2.0 v1.1.0")
        .run()
        .unwrap();
    let all = [
        "audit/date",
        "audit/name",
        "audit/manifest",
        "audit/changelog",
    ];
    assert_eq!(found(&sandbox), all);
    (audit(&sandbox).expect(1))
        .says("`v1.2.0` is the tag `v1.1.0` under another name")
        .says("`Cargo.toml` of `v1.2.0` says 1.1.0")
        .says("the newest version in `CHANGELOG.md` of `v1.2.0` is 1.1.0");

    let sandbox = repository();
    let sh = &sandbox.sh;
    set_time(&sandbox, "2026-03-01T12:00:00Z");
    cmd!(
        sh,
        "git tag --force --annotate --message release v1.2.0 HEAD:Cargo.toml"
    )
    .run()
    .unwrap();
    assert_eq!(found(&sandbox), ["audit/commit"]);
}

/// What a squash merge leaves behind: the tagged commit is in nobody's history.
#[test]
fn a_tag_is_on_a_branch_that_stays() {
    let sandbox = repository();
    let sh = &sandbox.sh;
    cmd!(sh, "git switch --quiet --create chore/release-v1.3.0")
        .run()
        .unwrap();
    commit(&sandbox, ("1.2.0", "1.3.0"), "2026-04-01");
    tag(&sandbox, "1.3.0", "2026-04-01");
    cmd!(sh, "git switch --quiet main").run().unwrap();
    cmd!(sh, "git merge --quiet --squash chore/release-v1.3.0")
        .run()
        .unwrap();
    sandbox.commit("Release 1.3.0 (#1)");
    assert_eq!(found(&sandbox), ["audit/branch"], "the branch is a topic");
    cmd!(
        sh,
        "git branch --quiet --delete --force chore/release-v1.3.0"
    )
    .run()
    .unwrap();
    audit(&sandbox)
        .expect(1)
        .says("the commit of `v1.3.0` is on no branch that stays");
    cmd!(sh, "git switch --quiet --create release/1.3 v1.3.0")
        .run()
        .unwrap();
    assert_eq!(found(&sandbox), [] as [&str; 0]);

    cmd!(sh, "git switch --quiet --detach main").run().unwrap();
    cmd!(sh, "git branch --quiet --delete --force main release/1.3")
        .run()
        .unwrap();
    (audit(&sandbox).expect(3))
        .says("there is no `main` here")
        .says("git fetch origin main:refs/remotes/origin/main");
}

#[test]
fn signatures_of_openssh_hold_and_are_not_left_out() {
    let sandbox = repository();
    let sh = &sandbox.sh;
    let key = sandbox.dir.with_extension("key");
    cmd!(
        sh,
        "ssh-keygen -q -t ed25519 -N '' -C test@localhost -f {key}"
    )
    .run()
    .unwrap();
    let public = std::fs::read_to_string(key.with_extension("key.pub")).unwrap();
    let signers = sandbox.dir.with_extension("signers");
    std::fs::write(&signers, format!("test@localhost {public}")).unwrap();
    cmd!(sh, "git config gpg.format ssh").run().unwrap();
    cmd!(sh, "git config user.signingKey {key}").run().unwrap();
    cmd!(sh, "git config gpg.ssh.allowedSignersFile {signers}")
        .run()
        .unwrap();
    cmd!(sh, "git config tag.gpgSign true").run().unwrap();
    assert_eq!(
        found(&sandbox),
        ["audit/unsigned"],
        "the newest, where git is to sign"
    );
    audit(&sandbox)
        .expect(1)
        .says("`v1.2.0` is not signed, and git is configured to sign");

    set_time(&sandbox, "2026-02-01T12:00:00Z");
    cmd!(
        sh,
        "git tag --force --sign --message release v1.1.0 v1.1.0^0"
    )
    .run()
    .unwrap();
    cmd!(sh, "git config tag.gpgSign false").run().unwrap();
    audit(&sandbox)
        .expect(1)
        .says("`v1.2.0` is not signed, and `v1.1.0` is");
    assert_eq!(found(&sandbox), ["audit/unsigned"], "not those from before");

    set_time(&sandbox, "2026-03-01T12:00:00Z");
    cmd!(
        sh,
        "git tag --force --sign --message release v1.2.0 v1.2.0^0"
    )
    .run()
    .unwrap();
    audit(&sandbox)
        .expect(0)
        .says("3 release tags, 2 of them signed");

    // The same signature below other words.
    let object = cmd!(sh, "git cat-file tag v1.2.0").read().unwrap();
    assert!(object.contains("\nrelease\n"), "{object}");
    let forged = format!("{}\n", object.replace("\nrelease\n", "\nreleased\n"));
    let forged = cmd!(sh, "git mktag").stdin(forged).read().unwrap();
    cmd!(sh, "git update-ref refs/tags/v1.2.0 {forged}")
        .run()
        .unwrap();
    assert_eq!(found(&sandbox), ["audit/signature"]);
    audit(&sandbox)
        .expect(1)
        .says("the signature of `v1.2.0` does not hold: ");

    // And whoever signed the other is not trusted any more.
    std::fs::write(&signers, "").unwrap();
    assert_eq!(found(&sandbox), ["audit/signature"; 2]);
}

#[test]
fn a_history_that_is_not_here_is_refused() {
    let sandbox = repository();
    let sh = &sandbox.sh;
    let head = cmd!(sh, "git rev-parse HEAD").read().unwrap();
    sandbox.write(".git/shallow", format!("{head}\n"));
    audit(&sandbox).expect(3).says("this is a shallow clone");
}
