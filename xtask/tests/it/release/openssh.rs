//! Tags are signed when git is told so, verified, and never silently unsigned.

use std::path::PathBuf;

use super::scene::{Scene, hook};
use crate::sandbox::{command, run};

/// A scene whose git signs tags with a new ssh key, and that key.
fn signing() -> (Scene, PathBuf) {
    let scene = Scene::new();
    let key = scene.sandbox.dir.with_extension("key");
    let mut keygen = command("ssh-keygen");
    keygen
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&key);
    run(keygen).expect(0);
    scene.configure(&format!(
        "[gpg]\nformat = ssh\n[user]\nsigningkey = \"{}\"\n[tag]\ngpgSign = true\n",
        key.display()
    ));
    (scene, key)
}

/// Git knows whom keys belong to.
fn allow(scene: &Scene, key: &std::path::Path) {
    let public = std::fs::read_to_string(key.with_extension("key.pub")).unwrap();
    let allowed = scene.sandbox.dir.with_extension("allowed");
    std::fs::write(&allowed, format!("test@localhost {public}")).unwrap();
    scene.configure(&format!(
        "[gpg \"ssh\"]\nallowedSignersFile = \"{}\"\n",
        allowed.display()
    ));
}

#[test]
fn a_signed_tag_verifies() {
    let (scene, key) = signing();
    allow(&scene, &key);
    scene.release(&["minor", "--yes", "--push"]).expect(0);
    scene.git(&["verify-tag", "v0.2.0"]);
    let there = scene.git_in(&scene.remote, &["rev-parse", "v0.2.0"]);
    assert_eq!(there, scene.git(&["rev-parse", "v0.2.0"]));
}

#[test]
fn a_signature_is_looked_at_without_a_file_of_signers() {
    let (scene, key) = signing();
    scene.release(&["minor", "--yes"]).expect(0);
    allow(&scene, &key);
    scene.git(&["verify-tag", "v0.2.0"]);
}

#[test]
fn a_signer_who_is_not_allowed_is_refused() {
    let (scene, key) = signing();
    let other = key.with_extension("other");
    let mut keygen = command("ssh-keygen");
    keygen
        .args(["-q", "-t", "ed25519", "-N", "", "-f"])
        .arg(&other);
    run(keygen).expect(0);
    allow(&scene, &key);
    scene.configure(&format!("[user]\nsigningkey = \"{}\"\n", other.display()));
    scene
        .refuses(&["minor", "--yes"], 3)
        .says("verify-tag v0.2.0")
        .says("user.signingkey");
}

#[test]
fn a_key_that_is_broken_or_missing() {
    let (scene, key) = signing();
    std::fs::write(&key, "-----BEGIN OPENSSH PRIVATE KEY-----\nnot one\n").unwrap();
    std::fs::remove_file(key.with_extension("key.pub")).unwrap();
    let refused = scene.refuses(&["minor", "--yes", "--push"], 3);
    refused
        .says("`v0.2.0` was not released, and everything is as it was")
        .says("mend the key");
    std::fs::remove_file(&key).unwrap();
    scene
        .refuses(&["minor", "--yes", "--push"], 3)
        .says("mend the key");
    let objects = scene.git(&["fsck", "--no-reflogs", "--unreachable"]);
    assert!(!objects.contains("unreachable tag"), "{objects}");
}

#[test]
fn a_commit_that_cannot_be_signed() {
    let (scene, key) = signing();
    scene.configure("[commit]\ngpgSign = true\n");
    allow(&scene, &key);
    scene.release(&["minor", "--yes", "--push"]).expect(0);
    scene.git(&["verify-commit", "HEAD"]);
    scene.sandbox.write(
        "CHANGELOG.md",
        scene.sandbox.read("CHANGELOG.md").replacen(
            "## [Unreleased]\n",
            "## [Unreleased]\n\n### Fixed\n\n- It.\n",
            1,
        ),
    );
    scene.commit("fix");
    std::fs::remove_file(&key).unwrap();
    scene
        .refuses(&["patch", "--yes"], 3)
        .says("was not released");
}

#[test]
fn what_says_it_signed_and_did_not() {
    let (scene, _key) = signing();
    let program = scene.sandbox.dir.with_extension("hooks");
    // It ends well, and the signature that it writes is empty, or none.
    for signature in ["", "not a signature"] {
        let script = format!("for file; do :; done; printf '{signature}' > \"$file.sig\"");
        hook(&program, "ssh", &script);
        let path = program.join("hooks/ssh");
        scene.configure(&format!(
            "[gpg \"ssh\"]\nprogram = \"{}\"\n",
            path.display()
        ));
        scene
            .refuses(&["minor", "--yes"], 3)
            .says("was not released");
    }
}

#[test]
fn every_setting_that_signs_tags_counts() {
    let (scene, key) = signing();
    scene.configure("[tag]\ngpgSign = false\nforceSignAnnotated = true\n");
    allow(&scene, &key);
    scene.release(&["minor", "--yes"]).expect(0);
    scene.git(&["verify-tag", "v0.2.0"]);
}
