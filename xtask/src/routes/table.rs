//! The table of routes: what a scan found, judged by the policy, as it is printed and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Serialize;

use crate::report::Finding;

/// Every route of a workspace, and what is wrong with them.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Table {
    pub(crate) routes: Vec<Route>,
    /// What axum answers by itself: unknown paths and methods.
    pub(crate) answers: Vec<Answer>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) counts: Counts,
    /// Rust files that were looked at.
    #[serde(skip)]
    pub(crate) files: usize,
    /// Packages that serve something, be it an empty router.
    #[serde(skip)]
    pub(crate) apps: BTreeSet<String>,
    /// Where each app's package lies, relative to the root.
    #[serde(skip)]
    pub(crate) dirs: BTreeMap<String, String>,
}

/// How much was looked at: never a hollow zero.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Counts {
    pub(crate) seen: usize,
    pub(crate) unresolved: usize,
    /// Files that name no router and were not parsed: there is too much of them.
    pub(crate) unparsed: usize,
}

/// One method of one path of one app.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Route {
    /// The package that serves it.
    pub(crate) app: String,
    /// `ANY` for `any`, services and fallbacks.
    pub(crate) method: String,
    /// With nesting applied; `<fallback:/prefix>` for a fallback.
    pub(crate) path: String,
    /// Of the registration, relative to the root.
    pub(crate) file: String,
    /// The line of the registering call's name, from 1.
    pub(crate) line: u32,
    pub(crate) handler: String,
    /// `file:line` of every layer call that wraps it, guard or not, sorted.
    pub(crate) covered_by: Vec<String>,
    /// What lets callers in: a policy, `public`, or the guards by name; `None` is nothing.
    pub(crate) access: Option<String>,
    /// Why it is public.
    pub(crate) reason: Option<String>,
    pub(crate) verdict: Verdict,
    /// The rule that makes it red.
    pub(crate) rule: Option<String>,
    /// Under what condition it is there at all.
    pub(crate) condition: Option<String>,
    /// Outermost first, for explanations.
    #[serde(skip)]
    pub(crate) stack: Vec<Layer>,
    /// Why the verdict is what it is, for explanations.
    #[serde(skip)]
    pub(crate) why: Vec<String>,
}

/// A route as `explain` tells of it.
#[derive(Debug, Serialize)]
pub(crate) struct Explained<'a> {
    #[serde(flatten)]
    route: &'a Route,
    layers: &'a [Layer],
    why: &'a [String],
}

/// A layer around a route.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Layer {
    pub(crate) place: String,
    pub(crate) names: Vec<String>,
    pub(crate) is_conditional: bool,
}

/// An answer that axum gives by itself.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Answer {
    pub(crate) app: String,
    /// Where the router is served.
    pub(crate) root: String,
    /// `404` or `405`.
    pub(crate) kind: String,
    pub(crate) path: String,
    pub(crate) covered_by: Vec<String>,
    /// The function that answers instead of axum.
    pub(crate) handler: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Guarded,
    Public,
    Unguarded,
    Unresolved,
}

impl Verdict {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Guarded => "guarded",
            Self::Public => "public",
            Self::Unguarded => "unguarded",
            Self::Unresolved => "unresolved",
        }
    }
}

impl Table {
    /// For people: one line per route.
    pub(crate) fn human(&self) -> String {
        let rows: Vec<[String; 5]> = self
            .routes
            .iter()
            .map(|route| {
                [
                    route.app.clone(),
                    route.method.clone(),
                    route.path.clone(),
                    route.access_text(),
                    match route.reason.as_deref() {
                        None | Some("") => format!("{}:{}", route.file, route.line),
                        Some(reason) => format!("{}:{}  {reason}", route.file, route.line),
                    },
                ]
            })
            .collect();
        let width = |n: usize| {
            rows.iter()
                .map(|row| row[n].chars().count())
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2), width(3)];
        let mut text = String::new();
        for row in &rows {
            for (cell, width) in row.iter().zip(widths) {
                let _ = write!(text, "{cell:<width$}  ");
            }
            text.push_str(&row[4]);
            text.push('\n');
        }
        text
    }

    /// For a document: a table in Markdown.
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "| app | method | path | access | handler | registered | reason |\n|---|---|---|---|---|---|---|\n",
        );
        for route in &self.routes {
            let cells = [
                cell(&route.app),
                cell(&route.method),
                code_cell(&route.path),
                cell(&route.access_text()),
                code_cell(&route.handler),
                cell(&format!("{}:{}", route.file, route.line)),
                cell(route.reason.as_deref().unwrap_or_default()),
            ];
            let _ = writeln!(text, "| {} |", cells.join(" | "));
        }
        text
    }
}

impl Route {
    /// What a reader wants to know at a glance: the access, or why there is none.
    fn access_text(&self) -> String {
        match (self.verdict, &self.access, &self.rule) {
            (Verdict::Guarded, Some(access), _) => access.clone(),
            (Verdict::Public, ..) => "public".to_owned(),
            (verdict, _, Some(rule)) => format!("{} ({rule})", verdict.name().to_uppercase()),
            (verdict, ..) => verdict.name().to_uppercase(),
        }
    }

    /// The route with its layers, outermost first, and what decided.
    pub(crate) fn explained(&self) -> Explained<'_> {
        Explained {
            route: self,
            layers: &self.stack,
            why: &self.why,
        }
    }

    /// The evaluated stack, outermost first, with what decided.
    pub(crate) fn explain(&self) -> String {
        let mut text = format!(
            "{} {} of {}: {}\n",
            self.method,
            self.path,
            self.app,
            self.verdict.name()
        );
        for layer in &self.stack {
            let names = if layer.names.is_empty() {
                "a layer".to_owned()
            } else {
                layer.names.join(", ")
            };
            let conditional = if layer.is_conditional {
                " (not always)"
            } else {
                ""
            };
            let _ = writeln!(text, "  {names}{conditional}  {}", layer.place);
        }
        let access = self
            .access
            .as_ref()
            .map(|access| format!(", access {access}"))
            .unwrap_or_default();
        let _ = writeln!(
            text,
            "  {}{access}  {}:{}",
            self.handler, self.file, self.line
        );
        for why in &self.why {
            let _ = writeln!(text, "  {why}");
        }
        text
    }
}

/// Text in a cell of a Markdown table, as itself.
pub(crate) fn cell(text: &str) -> String {
    let mut cell = String::new();
    for c in text.chars() {
        if matches!(c, '\\' | '`' | '*' | '[' | '<' | '|') {
            cell.push('\\');
        }
        cell.push(c);
    }
    cell
}

/// Code in a cell of a Markdown table.
pub(crate) fn code_cell(text: &str) -> String {
    let text = text.replace('|', "\\|");
    let longest = text
        .split(|c| c != '`')
        .map(str::len)
        .max()
        .unwrap_or_default();
    if longest == 0 {
        return format!("`{text}`");
    }
    let fence = "`".repeat(longest + 1);
    format!("{fence} {text} {fence}")
}
