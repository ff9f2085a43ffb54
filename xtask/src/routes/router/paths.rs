//! Paths: how prefixes join them, which axum refuses, and which cannot stand beside each other.

use std::collections::HashSet;

use crate::routes::router::{Axum, Entry, Kind, Place, Router, Text};
use crate::routes::source::Site;

impl Router {
    /// Paths that cannot stand beside each other in one router: the program stops at the later one.
    /// axum asks `matchit`, and so does this.
    pub(crate) fn conflicts(&self) -> Vec<(Site, String)> {
        let mut found = Vec::new();
        if self.kind == Kind::Guarded {
            return found;
        }
        let is_tree = |entry: &Entry| {
            self.trees
                .iter()
                .any(|(path, at)| *path == entry.path && *at == entry.site)
        };
        let entries = self
            .entries
            .iter()
            .filter(|entry| {
                entry.place == Place::Own
                    && entry.condition.is_none()
                    && entry.opaque.is_none()
                    && !is_tree(entry)
            })
            .map(|entry| (entry.path.clone(), entry.site, true));
        let trees = self
            .trees
            .iter()
            .flat_map(|(prefix, site)| below(prefix, *site, true));
        insert(self.axum, entries.chain(trees), &mut found);
        let top = self
            .nested
            .first()
            .map(|(.., site)| below(&Text::known("/"), *site, false))
            .into_iter()
            .flatten();
        let fallbacks = self
            .nested
            .iter()
            .flat_map(|(prefix, _, site)| below(prefix, *site, false));
        insert(self.axum, top.chain(fallbacks), &mut found);
        found
    }
}

/// What a prefix takes: itself and all below.
pub(super) fn below(prefix: &Text, site: Site, with_slash: bool) -> Vec<(Text, Site, bool)> {
    let base = prefix.shown.trim_end_matches('/');
    let text = |shown: String| {
        (
            Text {
                shown,
                is_known: prefix.is_known,
            },
            site,
            false,
        )
    };
    let mut all = vec![
        text(format!("{base}/{{*rest}}")),
        (prefix.clone(), site, false),
    ];
    if with_slash && !prefix.shown.ends_with('/') {
        all.push(text(format!("{base}/")));
    }
    all
}

/// Inserts each path once, as axum does.
pub(super) fn insert(
    axum: Axum,
    paths: impl Iterator<Item = (Text, Site, bool)>,
    found: &mut Vec<(Site, String)>,
) {
    let mut tree = matchit::Router::new();
    let mut seen: HashSet<String> = HashSet::new();
    for (path, site, shares) in paths {
        if !path.is_known || !path.shown.starts_with('/') {
            continue;
        }
        let pattern = match axum {
            Axum::V07 => braced(&path.shown),
            Axum::V08 => path.shown.clone(),
        };
        // Methods of one path unite; what takes a whole tree does not share it.
        if shares && seen.contains(&pattern) {
            continue;
        }
        if let Err(error) = tree.insert(pattern.clone(), ()) {
            found.push((site, format!("`{}`: {error}", path.shown)));
        }
        seen.insert(pattern);
    }
}

/// `/:id/*rest` of axum 0.7 as `/{id}/{*rest}`.
pub(super) fn braced(path: &str) -> String {
    let part = |part: &str| {
        let name = |name: &str| name.replace(|letter: char| !letter.is_alphanumeric(), "_");
        let literal = |text: &str| text.replace('{', "{{").replace('}', "}}");
        // One that is braced already comes from a prefix.
        if part == "{*rest}" {
            return part.to_owned();
        }
        match part.split_once([':', '*']) {
            Some((before, after)) if part.contains('*') => {
                format!("{}{{*{}}}", literal(before), name(after))
            }
            Some((before, after)) => format!("{}{{{}}}", literal(before), name(after)),
            None => literal(part),
        }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// `/n` + `/` = `/n`, `/n/` + `/x` = `/n/x`.
pub(crate) fn nested(prefix: &Text, path: &Text) -> Text {
    let is_known = prefix.is_known && path.is_known;
    let shown = if prefix.shown.is_empty() {
        path.shown.clone()
    } else if prefix.shown.ends_with('/') {
        format!("{}{}", prefix.shown, path.shown.trim_start_matches('/'))
    } else if path.shown == "/" {
        prefix.shown.clone()
    } else {
        format!("{}{}", prefix.shown, path.shown)
    };
    Text { shown, is_known }
}

pub(super) fn check_path(path: &Text, axum: Axum) -> Result<(), String> {
    if !path.is_known {
        return Ok(());
    }
    let text = &path.shown;
    if text.is_empty() {
        return Err("a path must begin with `/`".to_owned());
    }
    if !text.starts_with('/') {
        return Err(format!("path `{text}` must begin with `/`"));
    }
    if axum == Axum::V08 {
        for part in text.split('/') {
            if part.starts_with(':') || part.starts_with('*') {
                return Err(format!(
                    "`{part}` is written `{{{}}}` since axum 0.8",
                    part.trim_start_matches(':')
                ));
            }
        }
    }
    Ok(())
}

pub(super) fn check_prefix(prefix: &Text, axum: Axum) -> Result<(), String> {
    if !prefix.is_known {
        return Ok(());
    }
    if prefix.shown.is_empty() || prefix.shown == "/" {
        return Ok(());
    }
    check_path(prefix, axum)?;
    if prefix.shown.contains("{*") || axum == Axum::V07 && prefix.shown.contains('*') {
        return Err(format!("nesting at the wildcard `{}`", prefix.shown));
    }
    Ok(())
}
