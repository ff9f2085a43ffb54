//! Whether a tag that was just signed is: git says how, and the signature is looked at.

use anyhow::Result;

use super::git::{Git, failed};

/// Git signs the tags that are made here.
pub(crate) fn signs_tags(git: &Git<'_>) -> Result<bool> {
    Ok(git.is_set("tag.gpgSign")? || git.is_set("tag.forceSignAnnotated")?)
}

/// Verifies the signature of `tag`.
///
/// # Errors
/// Exit 3 with what git says.
pub(crate) fn verify(git: &Git<'_>, tag: &str) -> Result<()> {
    let args = ["verify-tag", tag];
    let output = git.try_run(&args, b"")?;
    if output.status.success() {
        return Ok(());
    }
    // Whom ssh keys belong to is a file that not everybody has. Without it the signature is looked
    // at all the same: it has to be one of this tag, by whatever key.
    if git.setting("gpg.ssh.allowedSignersFile")?.is_none() {
        let lenient = [
            "-c",
            "gpg.ssh.allowedSignersFile=/dev/null",
            "verify-tag",
            tag,
        ];
        let output = git.try_run(&lenient, b"")?;
        if String::from_utf8_lossy(&output.stderr).contains("Good \"git\" signature") {
            return Ok(());
        }
    }
    Err(failed(&args, &output)
        .help("the tag was signed with a key that does not verify it: see user.signingkey and gpg.format")
        .into())
}
