//! The page of a release, made by the real `gh` on a local stand-in for GitHub.

use serde_json::json;
use xshell::cmd;

use super::audit::{commit, repository, tag};
use super::github::GitHub;
use crate::sandbox::{Ran, Sandbox};

const TAGS: [&str; 3] = ["v1.0.0", "v1.1.0", "v1.2.0"];

fn publish(sandbox: &Sandbox, hub: &GitHub, args: &[&str]) -> Ran {
    let home = sandbox.dir.with_extension("gh");
    sandbox.xtask_with(
        &[&["release", "publish"], args].concat(),
        &[
            ("GH_REPO", "github.localhost/o/n"),
            ("GH_HOST", "github.localhost"),
            ("GH_TOKEN", "none"),
            ("GH_CONFIG_DIR", home.to_str().unwrap()),
            ("HTTP_PROXY", &hub.address),
        ],
    )
}

/// Names of the files of the only release.
fn assets(hub: &GitHub) -> Vec<String> {
    hub.with(|state| {
        let mut names: Vec<_> = state.releases[0]
            .1
            .iter()
            .map(|asset| asset.name.clone())
            .collect();
        names.sort();
        names
    })
}

#[test]
fn a_draft_is_filled_checked_and_published_last() {
    let sandbox = repository();
    let hub = GitHub::start(&TAGS);
    sandbox.write("dist/tool", "binary");
    let made = publish(&sandbox, &hub, &["v1.2.0", "dist/tool"]);
    (made
        .expect(0)
        .says("$ gh release create v1.2.0 --draft --verify-tag"))
    .says("published http://github.localhost/o/n/releases/0");
    let archive = "a-team-s-repo-1.2.0.tar.gz";
    let wanted = ["SHA256SUMS", archive, "tool"];
    assert_eq!(assets(&hub), wanted);
    hub.with(|state| {
        let (release, files) = &state.releases[0];
        assert_eq!(release["draft"], json!(false));
        assert_eq!(release["prerelease"], json!(false));
        assert_eq!(release["body"], json!("### Added\n\n- Something.\n"));
        let of = |wanted: &str| {
            files
                .iter()
                .find(|asset| asset.name == wanted)
                .unwrap()
                .bytes
                .clone()
        };
        let out = sandbox.dir.with_extension("out");
        std::fs::create_dir(&out).unwrap();
        std::fs::write(out.join(archive), of(archive)).unwrap();
        std::fs::write(out.join("tool"), of("tool")).unwrap();
        std::fs::write(out.join("SHA256SUMS"), of("SHA256SUMS")).unwrap();
        let sh = &sandbox.sh;
        sh.change_dir(&out);
        cmd!(sh, "sha256sum --check --strict SHA256SUMS")
            .run()
            .unwrap();
        let listed = cmd!(sh, "tar --list --file {archive}").read().unwrap();
        assert!(
            listed.contains("a-team-s-repo-1.2.0/CHANGELOG.md"),
            "{listed}"
        );
        let last_upload = state.log.iter().rposition(|line| line.ends_with("/assets"));
        let published = state
            .log
            .iter()
            .rposition(|line| line.starts_with("PATCH "));
        assert!(last_upload < published, "{:#?}", state.log);
        state.log.clear();
    });
    let again = publish(&sandbox, &hub, &["v1.2.0"]);
    again
        .expect(0)
        .says("`v1.2.0` is published already, and left alone");
    hub.with(|state| {
        let writes = |line: &&String| !line.starts_with("GET ") && !line.ends_with("/graphql");
        assert_eq!(state.log.iter().find(writes), None);
    });
}

#[test]
fn a_second_run_takes_up_the_draft_of_the_first() {
    let sandbox = repository();
    let hub = GitHub::start(&TAGS);
    for broken in [
        "POST /repos/o/n/releases",
        "POST /repos/o/n/releases/0/assets",
        "GET /repos/o/n/releases/assets",
        "PATCH",
    ] {
        hub.with(|state| state.broken = Some(broken.to_owned()));
        publish(&sandbox, &hub, &["v1.2.0"])
            .expect(3)
            .says("failed: ");
        hub.with(|state| {
            let drafts = state
                .releases
                .iter()
                .filter(|(release, _)| release["draft"] == json!(true));
            assert_eq!(drafts.count(), state.releases.len(), "{broken}");
        });
    }
    hub.with(|state| state.broken = None);
    publish(&sandbox, &hub, &["v1.2.0"]).expect(0);
    assert_eq!(assets(&hub).len(), 2);
    hub.with(|state| assert_eq!(state.releases.len(), 1));
}

#[test]
fn what_arrives_otherwise_is_not_published() {
    let sandbox = repository();
    let hub = GitHub::start(&TAGS);
    hub.with(|state| state.truncated = 1);
    (publish(&sandbox, &hub, &["v1.2.0"]).expect(1))
        .says("the draft of `v1.2.0` is not what was uploaded")
        .says("arrived as");
    hub.with(|state| {
        assert_eq!(state.releases[0].0["draft"], json!(true));
        state.smuggle("stranger");
    });
    publish(&sandbox, &hub, &["v1.2.0"])
        .expect(1)
        .says("`stranger` is none of ours");
    hub.with(|state| state.releases[0].1.retain(|asset| asset.name != "stranger"));
    publish(&sandbox, &hub, &["v1.2.0"]).expect(0);
}

#[test]
fn candidates_and_patches_of_old_versions_are_not_the_latest() {
    let sandbox = repository();
    commit(&sandbox, ("1.2.0", "1.3.0-rc.1"), "2026-04-01");
    tag(&sandbox, "1.3.0-rc.1", "2026-04-01");
    let hub = GitHub::start(&["v1.1.0", "v1.2.0", "v1.3.0-rc.1"]);
    for (tag, pre, latest) in [
        ("v1.1.0", false, json!("false")),
        ("v1.2.0", false, json!(null)),
        ("v1.3.0-rc.1", true, json!("false")),
    ] {
        publish(&sandbox, &hub, &[tag]).expect(0);
        hub.with(|state| {
            let (release, _) = state.releases.last().unwrap();
            assert_eq!(release["prerelease"], json!(pre), "{tag}");
            assert_eq!(release["make_latest"], latest, "{tag}");
        });
    }
}

#[test]
fn a_tag_that_is_no_sound_release_is_refused() {
    let sandbox = repository();
    let hub = GitHub::start(&["v1.0.0"]);
    publish(&sandbox, &hub, &["v9.9.9"])
        .expect(3)
        .says("there is no release tag `v9.9.9` here");
    publish(&sandbox, &hub, &["main"])
        .expect(3)
        .says("there is no release tag `main` here");
    (publish(&sandbox, &hub, &["v1.0.0", "nothing"]).expect(3))
        .says("failed to read `")
        .says("nothing`");
    sandbox.write("dist/a tool", "binary");
    (publish(&sandbox, &hub, &["v1.0.0", "dist/a tool"]).expect(2))
        .says("GitHub would rename `a tool`");
    hub.with(|state| assert_eq!(state.releases.len(), 0));
    publish(&sandbox, &hub, &["v1.2.0"])
        .expect(3)
        .says("v1.2.0");
    hub.with(|state| assert_eq!(state.releases.len(), 0, "GitHub has no such tag"));
    let sh = &sandbox.sh;
    cmd!(sh, "git update-ref refs/tags/v1.2.0 v1.1.0")
        .run()
        .unwrap();
    (publish(&sandbox, &hub, &["v1.2.0"]).expect(1))
        .says("`v1.2.0` is no sound release: ")
        .says("`Cargo.toml` of `v1.2.0` says 1.1.0");
}
