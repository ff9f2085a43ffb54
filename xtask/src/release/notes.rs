//! What the page of a release says.

use std::path::Path;

use anyhow::Result;
use git2::Repository;
use semver::Version;

use super::changelog::{self, Files};
use crate::repo;

/// What the changelog `text` says of a version. Relative links lead to the files of its tag on the
/// page of `origin`; without one they stay.
pub(crate) fn notes(
    repo: Option<&Repository>,
    root: &Path,
    text: &str,
    version: &Version,
) -> Result<String> {
    let page = repo.and_then(repo::page);
    let folder = repo.map(|repo| repo::prefix(repo, root)).transpose()?;
    let tag = format!("v{version}");
    let files = page.as_deref().map(|page| Files {
        page,
        tag: &tag,
        folder: folder.as_deref().unwrap_or_default(),
    });
    changelog::notes(&changelog::parse(text), version, files)
}
