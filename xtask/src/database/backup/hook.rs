//! Copies elsewhere, by commands of the policy.

use std::path::Path;

use anyhow::{Context as _, Result};
use xshell::cmd;

use super::check;
use super::folder::Partial;
use crate::cx::Cx;
use crate::exit::{Code, Problem};

/// Uploads a file under its later name, reads the copy back and compares.
///
/// # Errors
/// Exit 1 when a command fails or the copy is another.
pub(super) fn upload(cx: &Cx, file: &Partial) -> Result<()> {
    let policy = &cx.policy.backup;
    if policy.upload.is_empty() {
        return Ok(());
    }
    let name = file.name();
    run(cx, "upload", &policy.upload, &name, file.path())?;
    let back = cx.tmp().join(&name);
    run(cx, "download", &policy.download, &name, &back)?;
    let digest = |path: &Path| {
        check::read(path).with_context(|| format!("failed to read `{}`", path.display()))
    };
    let is_same = digest(file.path())?.sha256 == digest(&back)?.sha256;
    std::fs::remove_file(&back)
        .with_context(|| format!("failed to remove `{}`", back.display()))?;
    if is_same {
        return Ok(());
    }
    Err(Problem::new(
        Code::Red,
        format!("the uploaded copy of `{name}` is another: its SHA-256 is not that of the file"),
    )
    .help("look at where `[backup] upload` puts it; no backup was made")
    .into())
}

/// `{file}` is the path here, `{name}` the name there.
fn run(cx: &Cx, which: &str, command: &[String], name: &str, file: &Path) -> Result<()> {
    let filled = |part: &String| {
        part.replace("{file}", &file.display().to_string())
            .replace("{name}", name)
    };
    let parts: Vec<String> = command.iter().map(filled).collect();
    let Some((program, arguments)) = parts.split_first() else {
        return Ok(());
    };
    let sh = cx.shell()?;
    let ended = cx.run(cmd!(sh, "{program} {arguments...}"))?;
    if ended.success() {
        return Ok(());
    }
    Err(Problem::new(
        Code::Red,
        format!(
            "`[backup] {which}` failed for `{name}` ({}): {}",
            ended.status,
            ended.stderr().trim_end()
        ),
    )
    .help("mend the command in `xtask.toml`, or what it reaches; no backup was made")
    .into())
}
