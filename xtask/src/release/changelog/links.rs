//! Where the headings of a changelog lead: a comparison with the release before, or the release.

use std::fmt;

use semver::Version;

use super::Changelog;

/// A link to a comparison or to a release, as GitHub, Gitea and GitLab have them.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// What all links begin with: `https://host/owner/name`, on GitLab with `/-`.
    pub(super) page: &'a str,
    /// What is compared with; a release alone has none.
    pub(super) from: Option<&'a str>,
    /// Between the two: `...` or `..`.
    pub(super) dots: &'a str,
    pub(super) to: &'a str,
}

impl<'a> Target<'a> {
    pub(super) fn of(target: &'a str) -> Option<Self> {
        let target = target.split_whitespace().next()?;
        if let Some((page, range)) = target.split_once("/compare/") {
            let (from, behind) = range.split_once("..")?;
            let (dots, to) = match behind.strip_prefix('.') {
                Some(to) => ("...", to),
                None => ("..", behind),
            };
            // Bitbucket's, which names the later one first.
            let is_reversed = page.ends_with("/branches");
            return (!is_reversed).then_some(Self {
                page,
                from: Some(from),
                dots,
                to,
            });
        }
        let of_gitlab = |mark| {
            let parts = target.split_once(mark);
            parts.filter(|(page, _)| page.ends_with("/-"))
        };
        let (page, to) = target
            .split_once("/releases/tag/")
            .or_else(|| of_gitlab("/tags/"))
            .or_else(|| of_gitlab("/releases/"))?;
        Some(Self {
            page,
            from: None,
            dots: "...",
            to,
        })
    }
}

impl fmt::Display for Target<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { page, dots, to, .. } = self;
        match self.from {
            Some(from) => write!(f, "{page}/compare/{from}{dots}{to}"),
            None if page.ends_with("/-") => write!(f, "{page}/tags/{to}"),
            None => write!(f, "{page}/releases/tag/{to}"),
        }
    }
}

/// What stands before the version in a tag: `v` in `v1.2.3`.
pub(super) fn prefix(tag: &str) -> &str {
    let at = tag
        .char_indices()
        .find(|(at, c)| c.is_ascii_digit() && Version::parse(&tag[*at..]).is_ok())
        .map_or(0, |(at, _)| at);
    &tag[..at]
}

/// Links of releases that lead to another one: the line of each, and what is wrong with it.
/// A link of another form than ours says nothing that could be checked.
pub(crate) fn stale(log: &Changelog<'_>) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let versions: Vec<_> = log
        .releases
        .iter()
        .filter_map(|release| Some((release, release.version()?)))
        .collect();
    let last_final = versions.iter().find(|(_, version)| version.pre.is_empty());
    if let Some(unreleased) = log.unreleased()
        && let Some((newest, _)) = versions.first()
        && let Some((link, from)) = unreleased
            .definition(log)
            .and_then(|link| Some((link, Target::of(link.target)?.from?)))
        && !is_tag_of(from, newest.name)
        && !last_final.is_some_and(|(last, _)| is_tag_of(from, last.name))
    {
        let message = format!(
            "`[{}]` compares with `{from}`, and `{}` is the newest release",
            link.label, newest.name
        );
        found.push((link.line, message));
    }
    for (release, version) in &versions {
        let Some((link, target)) = release
            .definition(log)
            .and_then(|link| Some((link, Target::of(link.target)?)))
        else {
            continue;
        };
        if !is_tag_of(target.to, release.name) {
            found.push((
                link.line,
                format!("`[{}]` leads to `{}`", link.label, target.to),
            ));
            continue;
        }
        // Releases on branches and candidates compare with another than the next one below.
        let mut older = versions
            .iter()
            .filter(|(_, other)| other.cmp_precedence(version).is_lt())
            .peekable();
        if let Some(from) = target.from
            && older.peek().is_some()
            && !older.any(|(other, _)| is_tag_of(from, other.name))
        {
            let message = format!(
                "`[{}]` compares with `{from}`, which is no release before it",
                link.label
            );
            found.push((link.line, message));
        }
    }
    found
}

/// Whether `tag` is the version, behind whatever a repository writes before it.
pub(super) fn is_tag_of(tag: &str, name: &str) -> bool {
    let version = name.trim_start_matches('v');
    tag[prefix(tag).len()..] == *version
}
