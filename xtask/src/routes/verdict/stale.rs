//! Declarations of the policy that match nothing any more.

use super::Judge;
use super::access::{is_named, is_of};
use crate::policy::PublicRoute;
use crate::report::Finding;
use crate::routes::scan::Row;

const NAMES: &str = "names are full paths with the crate first, as `cargo xtask routes explain METHOD PATH` prints them";

impl Judge<'_> {
    pub(super) fn stale(&mut self) {
        let mut stale = Vec::new();
        let policy = self.policy;
        for (n, public) in policy.public.iter().enumerate() {
            if !self.public_used.contains(&n) {
                stale.extend(self.stale_public(n, public));
            }
        }
        for (n, rule) in policy.rule.iter().enumerate() {
            if self.rules_used.contains(&n) {
                continue;
            }
            let mut rows = self.found.rows.iter().filter(|row| is_of(rule, row));
            let why = match rows.next() {
                None => "matches no route",
                // What cannot be evaluated is red already.
                Some(row) if row.handler.access.is_none() => continue,
                Some(_) => "matches only routes that carry their policy with them",
            };
            let of = rule.path.as_ref().map_or_else(
                || format!("app `{}`", rule.app.as_deref().unwrap_or_default()),
                |path| format!("`{path}`"),
            );
            stale.push((
                format!("the `routes.rule` of {of} {why}"),
                "give a path as `cargo xtask routes` prints it, or all below one: `/admin/**`",
            ));
        }
        for name in policy.names().filter(|name| !self.used.contains(name)) {
            let same = |other: &&str| {
                *other != name
                    && (self.means(name, other)
                        || self.means(other, name)
                        || self.found.canonical.contains_key(name)
                            && self.found.canonical.get(name) == self.found.canonical.get(*other))
            };
            stale.push(match policy.names().find(same) {
                Some(other) => (
                    format!("`{name}` is another name of `{other}`, which is given too"),
                    "remove one of the two",
                ),
                None => (
                    format!("`{name}` stands before no route: is its path right?"),
                    NAMES,
                ),
            });
        }
        for (message, help) in stale {
            self.table.findings.push(
                Finding::error("RG009", message)
                    .file(&policy.file)
                    .help(help),
            );
        }
    }

    /// Why an entry of `routes.public` is of no route.
    fn stale_public(&self, n: usize, public: &PublicRoute) -> Option<(String, &'static str)> {
        const REMOVE: &str = "remove the entry from `routes.public`";
        let what = format!("`{} {}`", public.method, public.path);
        let rows: Vec<&Row> = self
            .found
            .rows
            .iter()
            .filter(|row| is_named(public, row))
            .collect();
        let own = rows
            .iter()
            .find(|row| public.app.as_ref().is_none_or(|app| *app == row.app));
        let earlier = self.policy.public[..n].iter().any(|other| {
            other.method.eq_ignore_ascii_case(&public.method)
                && other.path == public.path
                && (other.app.is_none() || other.app == public.app)
        });
        Some(match (own, rows.first()) {
            (Some(row), _) if row.handler.access.is_some() => (
                format!(
                    "`routes.public` names {what} of `{}`, which carries its policy with it",
                    row.app
                ),
                REMOVE,
            ),
            (Some(_), _) if earlier => (format!("`routes.public` names {what} twice"), REMOVE),
            // What cannot be evaluated is red already.
            (Some(_), _) => return None,
            (None, Some(other)) => (
                format!(
                    "`routes.public` names {what} of `{}`, which is a route of `{}`",
                    public.app.as_deref().unwrap_or_default(),
                    other.app
                ),
                "name the app that serves it, as `cargo xtask routes` prints it",
            ),
            (None, None) => (
                format!("`routes.public` names {what}, which is not there"),
                "give method and path as `cargo xtask routes` prints them, or remove the entry",
            ),
        })
    }
}
