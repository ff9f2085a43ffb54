//! Expand, migrate, contract: while the last release runs, its queries must work on the new schema.

use anyhow::{Context as _, Result};
use git2::{Oid, Repository};

use super::lint::Sql;
use super::queries::{self, Query, Registry};
use super::replay::{self, Replayed};
use super::{Engine, files, schema};
use crate::cx::Cx;
use crate::database::Link;
use crate::repo;
use crate::report::Finding;

/// What the last release asks of its database; before the first one, what trunk asks.
#[derive(Debug)]
pub(crate) struct Released {
    /// Its tag, or what stands for it.
    pub(crate) name: String,
    commit: Oid,
    /// `None` where the commit has not noted it.
    pub(crate) registry: Option<Registry>,
}

impl Released {
    /// Reads it from git: the newest release behind `base`, else `base` itself.
    pub(crate) fn read(cx: &Cx, repo: &Repository, base: Oid) -> Result<Self> {
        let release = repo::last_release(repo, base)?;
        let (name, commit) = release.unwrap_or_else(|| ("trunk".to_owned(), base));
        let text = repo::file_at(repo, &cx.root, commit, queries::FILE)?;
        let registry = text.map(|text| Registry::parse(&text)).transpose();
        let registry =
            registry.with_context(|| format!("failed to read `{}` of {name}", queries::FILE))?;
        Ok(Self {
            name,
            commit,
            registry,
        })
    }

    /// The released queries that a database with the new migrations refuses, and why.
    pub(crate) async fn refused(
        &self,
        engine: Engine,
        link: &mut Link,
    ) -> Result<Vec<(Query, String)>> {
        let queries = self
            .registry
            .iter()
            .flat_map(|registry| registry.of(engine));
        let refused = queries::refused(link, queries).await?;
        let own = |(query, why): (&Query, String)| (query.clone(), why);
        Ok(refused.into_iter().map(own).collect())
    }

    /// The findings about `refused`: those that the release's own schema takes. Each is at the line
    /// of the new migrations that names what is missing.
    pub(crate) fn broken(
        &self,
        cx: &Cx,
        repo: &Repository,
        engine: Engine,
        refused: &[(Query, String)],
        sources: &[Sql],
    ) -> Result<Vec<Finding>> {
        if refused.is_empty() {
            return Ok(Vec::new());
        }
        let before = self.refused_before(cx, repo, engine, refused)?;
        let new = || {
            sources
                .iter()
                .filter(|sql| sql.is_new && sql.engine == engine)
        };
        let broken = refused.iter().filter(|(query, _)| !before.contains(query));
        let findings = broken.map(|(query, why)| {
            let Query { name, file, .. } = query;
            let message = format!(
                "`{name}` of {}, in `{file}`, does not work on {} after it: {why}",
                self.name,
                engine.title()
            );
            let finding = Finding::error("migrations/contract", message).help(
                "expand, migrate, contract: first release code that no longer uses it, then remove it",
            );
            let missing = missing(why);
            let named = missing.and_then(|name| schema::newest(new(), &[name]));
            match (named, new().next_back()) {
                (Some((file, line)), _) => finding.at(file, line),
                (None, Some(last)) => finding.file(&last.file),
                (None, None) => finding,
            }
        });
        Ok(findings.collect())
    }

    /// Those that the release's own schema refuses too.
    fn refused_before(
        &self,
        cx: &Cx,
        repo: &Repository,
        engine: Engine,
        refused: &[(Query, String)],
    ) -> Result<Vec<Query>> {
        let root = cx.tmp().join(self.commit.to_string());
        for (file, text) in files::merged_files(cx, repo, self.commit)? {
            let path = root.join(file);
            let folder = path.parent().context("a migration lies in a folder")?;
            let written = std::fs::create_dir_all(folder);
            written
                .and_then(|()| std::fs::write(&path, text))
                .with_context(|| format!("failed to write `{}`", path.display()))?;
        }
        let replayed = replay::with(cx, engine, &root.join(engine.folder()), async |link| {
            let queries = refused.iter().map(|(query, _)| query);
            let refused = queries::refused(link, queries).await?;
            Ok(refused
                .into_iter()
                .map(|(query, _)| query.clone())
                .collect())
        })?;
        match replayed {
            Replayed::Done(queries) => Ok(queries),
            Replayed::Refused(_) | Replayed::NoServer(_) => Ok(Vec::new()),
        }
    }
}

/// The name of what a database says is not there, without what it is a part of.
fn missing(why: &str) -> Option<String> {
    let name = why
        .strip_prefix("no such ")
        .and_then(|rest| rest.split_once(": "))
        .map(|(_, name)| name)
        .or_else(|| {
            let (before, _) = why.split_once(" does not exist")?;
            before.split_once(' ').map(|(_, name)| name)
        })?;
    let name = name.split('(').next().unwrap_or(name);
    let last = name.rsplit('.').next().unwrap_or(name);
    Some(last.trim_matches('"').to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::missing;

    #[test]
    fn what_is_missing_is_taken_from_what_the_database_says() {
        for (why, name) in [
            ("column \"env\" does not exist", "env"),
            ("column o.wanted_at does not exist", "wanted_at"),
            ("relation \"orders\" does not exist", "orders"),
            ("function doubled(integer) does not exist", "doubled"),
            ("no such column: o.Wanted_At", "wanted_at"),
            ("no such table: orders", "orders"),
        ] {
            assert_eq!(missing(why).as_deref(), Some(name), "{why}");
        }
        assert_eq!(missing("syntax error at or near \"x\""), None);
    }
}
