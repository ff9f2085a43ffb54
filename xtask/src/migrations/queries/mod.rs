//! The registry of an app's SQL: every statement by its name, for each engine.

pub(crate) mod outside;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Executor as _, SqlSafeStr as _};

use super::Engine;
use crate::cargo;
use crate::cx::Cx;
use crate::database::{Link, on};
use crate::report::Finding;

/// The committed registry, from the root: what an old commit asked of its database is read from
/// there, without building it.
pub(crate) const FILE: &str = "migrations/queries.json";

/// What `<app> describe queries` prints.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Registry {
    pub(crate) queries: Vec<Query>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Query {
    /// `postgres` or `sqlite`.
    pub(crate) engine: String,
    pub(crate) name: String,
    /// Where it is written, from the root.
    pub(crate) file: String,
    pub(crate) sql: String,
}

impl Registry {
    /// What the apps describe, in the order of engine and name, each statement once.
    pub(crate) fn described(cx: &Cx) -> Result<Self> {
        let mut queries = BTreeSet::new();
        for (app, text) in cargo::describe_where_known(cx, "queries")? {
            let registry = Self::parse(&text).with_context(|| {
                format!("failed to read the JSON of `{} describe queries`", app.name)
            })?;
            queries.extend(registry.queries.into_iter().map(|query| Query {
                sql: query.sql.trim().to_owned(),
                ..query
            }));
        }
        let queries = queries.into_iter().collect();
        Ok(Self { queries })
    }

    pub(crate) fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The text to commit.
    pub(crate) fn render(&self) -> Result<String> {
        let text = serde_json::to_string_pretty(self);
        Ok(text.context("failed to write the registry")? + "\n")
    }

    pub(crate) fn of(&self, engine: Engine) -> impl Iterator<Item = &Query> {
        let name = engine.name();
        self.queries
            .iter()
            .filter(move |query| query.engine == name)
    }

    /// The files it is written in.
    pub(crate) fn files(&self) -> BTreeSet<&str> {
        self.queries
            .iter()
            .map(|query| query.file.as_str())
            .collect()
    }

    /// The statements that one engine alone has.
    pub(crate) fn unpaired(&self) -> Vec<&Query> {
        let mut engines: BTreeMap<&str, Vec<&Query>> = BTreeMap::new();
        for query in &self.queries {
            engines.entry(&query.name).or_default().push(query);
        }
        let alone = |queries: &Vec<&Query>| queries.len() != Engine::ALL.len();
        engines.into_values().filter(alone).flatten().collect()
    }
}

impl Query {
    /// A finding where the statement is written.
    pub(crate) fn finding(&self, cx: &Cx, rule: &str, message: String) -> Finding {
        let finding = Finding::error(rule, message);
        let text = cx.read(&self.file).unwrap_or_default();
        let is_name = |line: &str| {
            line.split_once('=')
                .and_then(|(before, _)| before.split_whitespace().last())
                .is_some_and(|word| word == self.name)
                || line.contains(&format!("const {}:", self.name))
        };
        match text.lines().position(is_name) {
            Some(line) => finding.at(&self.file, line + 1),
            None => finding.file(&self.file),
        }
    }
}

/// The statements of `queries` that the database refuses, and why.
pub(crate) async fn refused<'a>(
    link: &mut Link,
    queries: impl Iterator<Item = &'a Query>,
) -> Result<Vec<(&'a Query, String)>> {
    let mut refused = Vec::new();
    for query in queries {
        if let Some(why) = refuses(link, &query.sql).await? {
            refused.push((query, why));
        }
    }
    Ok(refused)
}

/// Prepares a statement; answers what the database has against it.
async fn refuses(link: &mut Link, sql: &str) -> Result<Option<String>> {
    let sql = AssertSqlSafe(sql.to_owned()).into_sql_str();
    match on!(link, c => c.prepare(sql).await.err()) {
        Some(sqlx::Error::Database(why)) => Ok(Some(why.message().to_owned())),
        Some(error) => Err(error).context("failed to prepare a statement"),
        None => Ok(None),
    }
}
