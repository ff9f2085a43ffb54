//! What addresses look like on GitHub, on GitLab, and on Gitea and Forgejo, told by their host.

use super::FILE;

enum Forge {
    GitHub,
    GitLab,
    Gitea,
}

/// The forge of a page, `https://host/owner/name`. An unknown one is taken for GitHub's.
fn forge(page: &str) -> Forge {
    let host = page.split('/').nth(2).unwrap_or_default();
    let is = |names: &[&str]| names.iter().any(|name| host.contains(name));
    if is(&["gitlab"]) {
        Forge::GitLab
    } else if is(&["gitea", "forgejo", "codeberg"]) {
        Forge::Gitea
    } else {
        Forge::GitHub
    }
}

/// What the addresses of comparisons and tags begin with.
pub(super) fn base(page: &str) -> String {
    match forge(page) {
        Forge::GitLab => format!("{page}/-"),
        Forge::GitHub | Forge::Gitea => page.to_owned(),
    }
}

/// Where the files of a release can be seen.
#[derive(Clone, Copy)]
pub(crate) struct Files<'a> {
    /// `https://host/owner/name`.
    pub(crate) page: &'a str,
    /// `v1.2.3`.
    pub(crate) tag: &'a str,
    /// Of the changelog, in the repository: empty at its top, else with a `/` at its end.
    pub(crate) folder: &'a str,
}

impl Files<'_> {
    /// Where the relative `target` of a link in the changelog leads. An image has to be the file
    /// itself, not the page around it.
    pub(super) fn address(&self, target: &str, is_image: bool) -> String {
        let Self { page, tag, folder } = self;
        let kind = match (forge(page), is_image) {
            (Forge::GitHub, false) => "blob",
            (Forge::GitHub, true) => "raw",
            (Forge::GitLab, false) => "-/blob",
            (Forge::GitLab, true) => "-/raw",
            (Forge::Gitea, false) => "src/tag",
            (Forge::Gitea, true) => "raw/tag",
        };
        let path = match target.strip_prefix('/') {
            Some(from_the_top) => from_the_top.to_owned(),
            None if target.starts_with('#') => format!("{folder}{FILE}{target}"),
            None => format!("{folder}{}", target.trim_start_matches("./")),
        };
        format!("{page}/{kind}/{tag}/{path}")
    }
}
