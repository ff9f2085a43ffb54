//! `routes.lock`: the committed table of an app, so that a change of routes is a change to review.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Entry, State, add};
use super::table::{Route, Table, Verdict};
use super::workspace::is_test_path;

/// The name of the file in the app's package.
pub(crate) const FILE: &str = "routes.lock";

const HEAD: &str = "# Every route of ";

/// The lock file of an app.
pub(crate) struct Lock<'a> {
    pub(crate) app: &'a str,
    /// What it should say.
    pub(crate) text: String,
}

/// The lock file of each app that has a route, by path relative to the root.
pub(crate) fn files(table: &Table) -> BTreeMap<String, Lock<'_>> {
    let apps: BTreeSet<&str> = table
        .routes
        .iter()
        .map(|route| route.app.as_str())
        .collect();
    let mut files = BTreeMap::new();
    for app in apps {
        let Some(dir) = table.dirs.get(app) else {
            continue;
        };
        let path = if dir.is_empty() {
            FILE.to_owned()
        } else {
            format!("{dir}/{FILE}")
        };
        let text = text(table, app);
        files.insert(path, Lock { app, text });
    }
    files
}

/// Lock files of apps that have no route any more. Those of tests are input.
pub(crate) fn stale<'a>(
    files: &'a [String],
    expected: &BTreeMap<String, Lock<'_>>,
) -> impl Iterator<Item = &'a str> {
    files.iter().map(String::as_str).filter(|file| {
        let name = file.rsplit('/').next();
        name == Some(FILE) && !expected.contains_key(*file) && !is_test_path(file)
    })
}

/// One line per route, sorted by path and method: `METHOD PATH ACCESS HANDLER # reason # condition`.
fn text(table: &Table, app: &str) -> String {
    let mut routes: Vec<&Route> = table
        .routes
        .iter()
        .filter(|route| route.app == app)
        .collect();
    routes.sort_by(|a, b| (&a.path, &a.method, &a.handler).cmp(&(&b.path, &b.method, &b.handler)));
    let mut text = format!(
        "{HEAD}`{app}`: method, path, access, handler, reason.\n# `cargo xtask routes accept` rewrites it; what it changes is for review.\n"
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

/// As one word: two paths that differ stay two.
fn escaped(text: &str) -> String {
    let mut word = String::new();
    for c in text.chars() {
        match c {
            ' ' => word.push('␠'),
            '␠' => word.extend(c.escape_unicode()),
            c if c.is_whitespace() => word.extend(c.escape_unicode()),
            c => word.push(c),
        }
    }
    word
}

/// The line, from 1, at which a merge left two versions of a lock file.
pub(crate) fn conflict(text: &str) -> Option<usize> {
    let is_marker = |line: &str| {
        ["<<<<<<<", "=======", ">>>>>>>"]
            .iter()
            .any(|marker| line.starts_with(marker))
    };
    text.lines().position(is_marker).map(|n| n + 1)
}

/// Whether a text is one that [`files`] makes.
pub(crate) fn is_ours(text: &str) -> bool {
    text.starts_with(HEAD)
}

/// The routes that a lock file's text lists.
pub(crate) fn parse(app: &str, text: &str) -> State {
    let mut state = State::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut parts = line.split(" # ").map(str::to_owned);
        let route = parts.next().unwrap_or_default();
        let [method, path, access, handler] = route.split(' ').collect::<Vec<_>>()[..] else {
            continue;
        };
        let entry = Entry {
            path: path.replace('␠', " "),
            access: access.to_owned(),
            handler: handler.replace('␠', " "),
            reason: (access == "public").then(|| parts.next()).flatten(),
            condition: parts.next(),
        };
        add(&mut state, app, method, entry);
    }
    state
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_differ_stay_two_words() {
        let paths = ["/a b", "/a  b", "/a␠b", "/a\u{a0}b", "/a\u{2003}b", "/a b "];
        let words: BTreeSet<String> = paths.iter().map(|path| escaped(path)).collect();
        assert_eq!(words.len(), paths.len());
        assert!(words.iter().all(|word| !word.contains(char::is_whitespace)));
    }
}
