//! `routes.lock`: the committed table of an app, so that a change of routes is a change to review.

use std::collections::BTreeMap;

use super::table::{Route, Table, Verdict};

/// The name of the file in the app's package.
pub(crate) const FILE: &str = "routes.lock";

/// What the lock file of each app should say, by path relative to the root.
pub(crate) fn files(table: &Table) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    for app in table.apps() {
        let Some(dir) = table.dirs.get(app) else {
            continue;
        };
        let path = if dir.is_empty() {
            FILE.to_owned()
        } else {
            format!("{dir}/{FILE}")
        };
        files.insert(path, text(table, app));
    }
    files
}

/// One line per route, sorted by path and method: `METHOD PATH ACCESS HANDLER # reason`.
fn text(table: &Table, app: &str) -> String {
    let mut routes: Vec<&Route> = table
        .routes
        .iter()
        .filter(|route| route.app == app)
        .collect();
    routes.sort_by(|a, b| (&a.path, &a.method, &a.handler).cmp(&(&b.path, &b.method, &b.handler)));
    let mut text = format!(
        "# Every route of `{app}`: method, path, access, handler, reason.\n# `cargo xtask routes accept` rewrites it; what it changes is for review.\n"
    );
    let mut lines: Vec<String> = routes.into_iter().map(line).collect();
    lines.dedup();
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn line(route: &Route) -> String {
    let mut line = format!(
        "{} {} {} {}",
        route.method,
        escaped(&route.path),
        access(route),
        escaped(&route.handler)
    );
    for note in [&route.reason, &route.condition].into_iter().flatten() {
        line.push_str(" # ");
        line.push_str(&note.split_whitespace().collect::<Vec<_>>().join(" "));
    }
    line
}

/// What lets callers in, as one word.
pub(crate) fn access(route: &Route) -> String {
    match (route.verdict, &route.access) {
        (Verdict::Guarded | Verdict::Public, Some(access)) => access.replace(" + ", "+"),
        (verdict, _) => verdict.name().to_owned(),
    }
}

fn escaped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join("␠")
}

/// How two states of a table differ.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) app: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Weakened,
    Added,
    Dropped,
    /// Another guard, not known to be weaker.
    Changed,
}

impl Change {
    /// For people: what happened to which route.
    pub(crate) fn line(&self) -> String {
        let access = match (&self.before, &self.after) {
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (Some(only), None) | (None, Some(only)) => only.clone(),
            (None, None) => String::new(),
        };
        let Self {
            app, method, path, ..
        } = self;
        format!("{:<8}  {app}  {method} {path}  {access}", self.kind.name())
    }
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Weakened => "weakened",
            Self::Added => "added",
            Self::Dropped => "dropped",
            Self::Changed => "changed",
        }
    }
}

/// Routes by app, method and path, with their access.
pub(crate) type State = BTreeMap<(String, String, String), String>;

pub(crate) fn state(table: &Table) -> State {
    table
        .routes
        .iter()
        .map(|route| {
            (
                (route.app.clone(), route.method.clone(), route.path.clone()),
                access(route),
            )
        })
        .collect()
}

/// The app whose lock file's text this is.
pub(crate) fn app_of(text: &str) -> &str {
    text.split('`').nth(1).unwrap_or_default()
}

/// The routes that a lock file's text lists.
pub(crate) fn parse(app: &str, text: &str) -> State {
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| {
            let mut words = line.split(' ');
            let (method, path, access) = (words.next()?, words.next()?, words.next()?);
            let path = path.replace('␠', " ");
            Some(((app.to_owned(), method.to_owned(), path), access.to_owned()))
        })
        .collect()
}

/// What changed, the worst first.
pub(crate) fn changes(before: &State, after: &State) -> Vec<Change> {
    let mut changes = Vec::new();
    let change = |kind,
                  key: &(String, String, String),
                  before: Option<&String>,
                  after: Option<&String>| Change {
        kind,
        app: key.0.clone(),
        method: key.1.clone(),
        path: key.2.clone(),
        before: before.cloned(),
        after: after.cloned(),
    };
    for (key, old) in before {
        match after.get(key) {
            None => changes.push(change(Kind::Dropped, key, Some(old), None)),
            Some(new) if new != old => {
                let kind = if is_weaker(old, new) {
                    Kind::Weakened
                } else {
                    Kind::Changed
                };
                changes.push(change(kind, key, Some(old), Some(new)));
            }
            Some(_) => {}
        }
    }
    for (key, new) in after {
        if !before.contains_key(key) {
            changes.push(change(Kind::Added, key, None, Some(new)));
        }
    }
    changes.sort_by(|a, b| {
        (a.kind, &a.app, &a.path, &a.method).cmp(&(b.kind, &b.app, &b.path, &b.method))
    });
    changes
}

/// Whether more people come in by `new` than by `old`: nobody is asked any more, a role became any
/// account, or one of several guards is gone.
fn is_weaker(old: &str, new: &str) -> bool {
    let rank = |access: &str| match access {
        "unguarded" | "unresolved" => 0,
        "public" => 1,
        "signed-in" => 2,
        _ => 3,
    };
    if rank(new) != rank(old) {
        return rank(new) < rank(old);
    }
    let guards = |access: &str| {
        access
            .split('+')
            .map(str::to_owned)
            .collect::<std::collections::BTreeSet<_>>()
    };
    let (old, new) = (guards(old), guards(new));
    new.is_subset(&old) && new != old
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(rows: &[(&str, &str)]) -> State {
        rows.iter()
            .map(|(path, access)| {
                (
                    ("api".into(), "GET".into(), (*path).into()),
                    (*access).into(),
                )
            })
            .collect()
    }

    #[test]
    fn what_opens_a_route_is_told_from_what_changes_it() {
        let before = state(&[
            ("/a", "role:staff"),
            ("/b", "signed-in"),
            ("/c", "x::g+x::h"),
            ("/d", "x::g"),
            ("/e", "public"),
            ("/f", "public"),
        ]);
        let after = state(&[
            ("/a", "signed-in"),
            ("/b", "public"),
            ("/c", "x::g"),
            ("/d", "x::h"),
            ("/e", "signed-in"),
            ("/g", "public"),
        ]);
        let found: Vec<(Kind, String)> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.kind, change.path))
            .collect();
        let expected = [
            (Kind::Weakened, "/a"),
            (Kind::Weakened, "/b"),
            (Kind::Weakened, "/c"),
            (Kind::Added, "/g"),
            (Kind::Dropped, "/f"),
            (Kind::Changed, "/d"),
            (Kind::Changed, "/e"),
        ];
        assert_eq!(found, expected.map(|(kind, path)| (kind, path.to_owned())));
    }
}
