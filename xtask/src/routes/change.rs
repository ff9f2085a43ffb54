//! How two states of the routes differ: what was added, dropped, changed or weakened.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::lock::access;
use super::table::Table;

/// Routes by what they answer. Under one key there are several where it depends on how it is built.
pub(crate) type State = BTreeMap<Key, BTreeSet<Entry>>;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    app: String,
    /// Without the names of its parameters: whatever they are called, the same requests match.
    path: String,
    method: String,
}

/// One route of a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Entry {
    pub(crate) path: String,
    pub(crate) access: String,
    pub(crate) handler: String,
    pub(crate) reason: Option<String>,
    pub(crate) condition: Option<String>,
}

impl Entry {
    fn is_open(&self) -> bool {
        strength(&self.access) == 0
    }
}

pub(crate) fn state(table: &Table) -> State {
    let mut state = State::new();
    for route in &table.routes {
        let entry = Entry {
            path: route.path.clone(),
            access: access(route),
            handler: route.handler.clone(),
            reason: route.reason.clone(),
            condition: route.condition.clone(),
        };
        add(&mut state, &route.app, &route.method, entry);
    }
    state
}

/// Puts a route beside those that answer the same requests.
pub(super) fn add(state: &mut State, app: &str, method: &str, entry: Entry) {
    let key = Key {
        app: app.to_owned(),
        path: unnamed(&entry.path),
        method: method.to_owned(),
    };
    state.entry(key).or_default().insert(entry);
}

/// `/a/{id}/{*rest}` and `/a/:id/*rest` as `/a/{}/{*}`.
fn unnamed(path: &str) -> String {
    let parts = path.split('/').map(|part| {
        if let Some(name) = part.strip_prefix(':') {
            return format!("{{}}{}", if name.ends_with('>') { ">" } else { "" });
        }
        if part.starts_with('*') {
            return "{*}".to_owned();
        }
        let mut text = String::new();
        let mut rest = part;
        while let Some((before, name)) = rest.split_once('{') {
            text.push_str(before);
            text.push('{');
            // `{{` is a brace, and no parameter.
            if let Some(behind) = name.strip_prefix('{') {
                text.push('{');
                rest = behind;
                continue;
            }
            if name.starts_with('*') {
                text.push('*');
            }
            rest = name.find('}').map_or("", |end| &name[end..]);
        }
        text + rest
    });
    parts.collect::<Vec<_>>().join("/")
}

/// How two states of a table differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    pub(crate) app: String,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) before: Option<Entry>,
    pub(crate) after: Option<Entry>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    Weakened,
    Added,
    Dropped,
    /// Another guard, handler, reason or condition; not known to be weaker.
    Changed,
}

impl Change {
    fn new(kind: Kind, key: &Key, before: Option<&Entry>, after: Option<&Entry>) -> Self {
        let path = after.or(before).map_or(&key.path, |entry| &entry.path);
        Self {
            kind,
            app: key.app.clone(),
            method: key.method.clone(),
            path: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        }
    }

    /// Whether it opens a route.
    pub(crate) fn is_red(&self) -> bool {
        self.kind == Kind::Weakened
            || self.kind == Kind::Added && self.after.as_ref().is_some_and(Entry::is_open)
    }

    /// What differs, before and after.
    fn differences(&self) -> Vec<(String, String)> {
        let (Some(before), Some(after)) = (&self.before, &self.after) else {
            return Vec::new();
        };
        let text = |text: &Option<String>, none: &str| {
            text.as_ref()
                .map_or_else(|| none.to_owned(), |text| format!("`{text}`"))
        };
        let mut all = vec![
            (before.access.clone(), after.access.clone()),
            (
                format!("path {}", before.path),
                format!("path {}", after.path),
            ),
            (
                format!("handler {}", before.handler),
                format!("handler {}", after.handler),
            ),
            (
                format!("if {}", text(&before.condition, "always")),
                format!("if {}", text(&after.condition, "always")),
            ),
        ];
        // Whoever is public or is it no longer has a reason or none.
        if before.access == after.access {
            all.push((
                format!("reason {}", text(&before.reason, "none")),
                format!("reason {}", text(&after.reason, "none")),
            ));
        }
        all.retain(|(before, after)| before != after);
        all
    }

    /// What it was and what it is, as far as that differs.
    pub(crate) fn sides(&self) -> [Option<String>; 2] {
        let differences = self.differences();
        if differences.is_empty() {
            return [&self.before, &self.after]
                .map(|entry| entry.as_ref().map(|entry| entry.access.clone()));
        }
        let (before, after): (Vec<_>, Vec<_>) = differences.into_iter().unzip();
        [Some(before.join(", ")), Some(after.join(", "))]
    }

    /// For people: what happened to which route.
    pub(crate) fn line(&self) -> String {
        let differences = match self.sides() {
            [Some(before), Some(after)] => format!("{before} → {after}"),
            [before, after] => before.or(after).unwrap_or_default(),
        };
        let Self {
            app, method, path, ..
        } = self;
        format!(
            "{:<8}  {app}  {method} {path}  {differences}",
            self.kind.name()
        )
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

/// What changed, the worst first.
pub(crate) fn changes(before: &State, after: &State) -> Vec<Change> {
    let none = BTreeSet::new();
    let mut changes = Vec::new();
    let keys: BTreeSet<&Key> = before.keys().chain(after.keys()).collect();
    for key in keys {
        let old = before.get(key).unwrap_or(&none);
        let new = after.get(key).unwrap_or(&none);
        let gone: Vec<&Entry> = old.difference(new).collect();
        let come: Vec<&Entry> = new.difference(old).collect();
        // What used to answer these requests; the weakest of it decides.
        let was = weakest(answering(before, key));
        let opened = |entry: &Entry| was.filter(|was| is_weaker(&was.access, &entry.access));
        let (pairs, gone, come) = paired(gone, come);
        for (one, other) in pairs {
            let is_same = one.condition == other.condition;
            let kind =
                if is_same && is_weaker(&one.access, &other.access) || opened(other).is_some() {
                    Kind::Weakened
                } else {
                    Kind::Changed
                };
            changes.push(Change::new(kind, key, Some(one), Some(other)));
        }
        for entry in gone {
            let now = weakest(answering(after, key)).filter(|_| new.is_empty());
            let now = now.filter(|now| is_weaker(&entry.access, &now.access));
            let kind = now.map_or(Kind::Dropped, |_| Kind::Weakened);
            changes.push(Change::new(kind, key, Some(entry), now));
        }
        for entry in come {
            let was = opened(entry);
            let kind = was.map_or(Kind::Added, |_| Kind::Weakened);
            changes.push(Change::new(kind, key, was, Some(entry)));
        }
    }
    changes.sort_by(|a, b| {
        (a.kind, &a.app, &a.path, &a.method).cmp(&(b.kind, &b.app, &b.path, &b.method))
    });
    changes
}

type Pairs<'a> = Vec<(&'a Entry, &'a Entry)>;

/// What is the same route on both sides, and what is left of each: those of one condition belong
/// together, then whatever there is.
fn paired<'a>(
    mut gone: Vec<&'a Entry>,
    mut come: Vec<&'a Entry>,
) -> (Pairs<'a>, Vec<&'a Entry>, Vec<&'a Entry>) {
    let mut pairs = Vec::new();
    for is_exact in [true, false] {
        come.retain(|entry| {
            let mut all = gone.iter();
            match all.position(|other| !is_exact || other.condition == entry.condition) {
                Some(at) => pairs.push((gone.remove(at), *entry)),
                None => return true,
            }
            false
        });
    }
    (pairs, gone, come)
}

/// The routes that answer the requests of a key: its own, or those that take the method as well.
fn answering<'a>(state: &'a State, key: &Key) -> impl Iterator<Item = &'a Entry> + use<'a> {
    let of = |method: &str| {
        state.get(&Key {
            method: method.to_owned(),
            ..key.clone()
        })
    };
    let get = || of("GET").filter(|_| key.method == "HEAD");
    let any = || of("ANY");
    let found = state.get(key).or_else(get).or_else(any);
    found.into_iter().flatten()
}

fn weakest<'a>(entries: impl Iterator<Item = &'a Entry>) -> Option<&'a Entry> {
    entries.min_by_key(|entry| (strength(&entry.access), entry.access.matches('+').count()))
}

fn strength(access: &str) -> u8 {
    match access {
        "unguarded" | "unresolved" => 0,
        "public" => 1,
        "signed-in" => 2,
        _ => 3,
    }
}

/// Whether more people come in by `new` than by `old`: nobody is asked any more, a role became any
/// account, or one of several guards is gone.
fn is_weaker(old: &str, new: &str) -> bool {
    if strength(new) != strength(old) {
        return strength(new) < strength(old);
    }
    let guards = |access: &str| {
        let names = access.split('+').map(str::to_owned);
        names.collect::<BTreeSet<_>>()
    };
    let (old, new) = (guards(old), guards(new));
    new.is_subset(&old) && new != old
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::lock::parse;

    /// Method, path, access, handler, notes, as in a lock file.
    fn state(rows: &[&str]) -> State {
        parse("api", &rows.join("\n"))
    }

    fn kinds(before: &[&str], after: &[&str]) -> Vec<String> {
        let changes = changes(&state(before), &state(after));
        let of =
            |change: &Change| format!("{} {} {}", change.kind.name(), change.method, change.path);
        changes.iter().map(of).collect()
    }

    #[test]
    fn what_opens_a_route_is_told_from_what_changes_it() {
        let before = [
            "GET /a role:staff h",
            "GET /b signed-in h",
            "GET /c x::g+x::h h",
            "GET /d x::g h",
            "GET /e public h # why",
            "GET /f public h # why",
        ];
        let after = [
            "GET /a signed-in h",
            "GET /b public h # why",
            "GET /c x::g h",
            "GET /d x::h h",
            "GET /e signed-in h",
            "GET /g public h # why",
        ];
        let expected = [
            "weakened GET /a",
            "weakened GET /b",
            "weakened GET /c",
            "added GET /g",
            "dropped GET /f",
            "changed GET /d",
            "changed GET /e",
        ];
        assert_eq!(kinds(&before, &after), expected);
    }

    #[test]
    fn a_handler_a_reason_and_a_condition_are_changes() {
        let before = ["GET /a public h # why"];
        for after in [
            "GET /a public g # why",
            "GET /a public h # because",
            "GET /a public h # why # cfg(unix)",
        ] {
            assert_eq!(kinds(&before, &[after]), ["changed GET /a"]);
        }
        let changes = changes(&state(&before), &state(&["GET /a public g # because"]));
        assert_eq!(
            changes[0].line(),
            "changed   api  GET /a  handler h, reason `why` → handler g, reason `because`"
        );
    }

    #[test]
    fn of_twins_the_weakest_decides() {
        let both = ["GET /a x::g h # cfg(unix)", "GET /a x::g h # cfg(windows)"];
        for open in [0, 1] {
            let mut after = both;
            let text = both[open].replace("x::g h", "public h # why");
            after[open] = &text;
            assert_eq!(kinds(&both, &after), ["weakened GET /a"]);
            assert_eq!(kinds(&after, &both), ["changed GET /a"]);
        }
        let one = [both[0]];
        assert_eq!(kinds(&both, &one), ["dropped GET /a"]);
        assert_eq!(kinds(&one, &both), ["added GET /a"]);
        let open = [both[0], "GET /a public h # why # cfg(windows)"];
        assert_eq!(kinds(&one, &open), ["weakened GET /a"]);
    }

    #[test]
    fn the_requests_count_and_not_how_they_are_written() {
        let guarded = ["GET /a/{id} x::g h"];
        assert_eq!(
            kinds(&guarded, &["GET /a/{item} public h # why"]),
            ["weakened GET /a/{item}"]
        );
        assert_eq!(
            kinds(&guarded, &["GET /a/:id x::g h"]),
            ["changed GET /a/:id"]
        );
        assert_eq!(
            kinds(&guarded, &["ANY /a/{id} public h # why"]),
            ["weakened GET /a/{id}", "added ANY /a/{id}"]
        );
        assert_eq!(
            kinds(
                &["ANY /a x::g h"],
                &["ANY /a x::g h", "GET /a public h # why"]
            ),
            ["weakened GET /a"]
        );
        assert_eq!(
            kinds(
                &["GET /a public h # why", "HEAD /a x::g h"],
                &["GET /a public h # why"]
            ),
            ["weakened HEAD /a"]
        );
        assert_eq!(
            kinds(&["ANY /a x::g h"], &["GET /a x::g h"]),
            ["added GET /a", "dropped ANY /a"]
        );
        for (path, short) in [
            ("/a/{id}/{*rest}", "/a/{}/{*}"),
            ("/a/:id/*rest", "/a/{}/{*}"),
            ("/a/{{id}}", "/a/{{id}}"),
            ("/{a}.{b}", "/{}.{}"),
            ("<fallback:/:a>", "<fallback:/{}>"),
            ("<fallback:/{a}>", "<fallback:/{}>"),
        ] {
            assert_eq!(unnamed(path), short);
        }
    }

    #[test]
    fn what_is_added_open_is_red() {
        let red = |after: &str| changes(&State::new(), &state(&[after]))[0].is_red();
        assert!(red("GET /a unguarded h") && red("GET /a unresolved h"));
        assert!(!red("GET /a public h # why") && !red("GET /a x::g h"));
    }
}
