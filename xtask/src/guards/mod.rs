//! What must hold before a database that others depend on is changed.
//!
//! One file for each guard, and the table of all. Every one is asked, those that do not hold are
//! told together, and none of them writes. They read the environment, git and the database: there
//! is no argument of a command that they know of, so there is none that gets round them.

mod app_env;
mod ci;
mod confirm;
mod database_url;
mod deploy_env;
mod marked;
mod receipt;
mod scene;
mod tag;
mod tree;

use anyhow::Result;

use crate::cx::Cx;
use crate::database::AppEnv;
use crate::exit::{self, Problem};
use scene::Scene;

/// One condition.
pub(crate) struct Guard {
    pub(crate) name: &'static str,
    /// What it demands, for people.
    pub(crate) demands: &'static str,
    /// The environments that demand it.
    on: &'static [AppEnv],
    /// Whether it is demanded too before a database is marked, which then has no marker and no
    /// receipt.
    marks: bool,
    /// The error says what is found instead, and its help how to get there.
    check: fn(&Scene) -> Result<()>,
}

const PRODUCTION: &[AppEnv] = &[AppEnv::Production];
const SHARED: &[AppEnv] = &[AppEnv::Staging, AppEnv::Production];

/// All of them, in the order in which they are told.
const GUARDS: &[Guard] = &[
    ci::GUARD,
    app_env::GUARD,
    confirm::GUARD,
    database_url::GUARD,
    deploy_env::GUARD,
    marked::GUARD,
    tree::GUARD,
    tag::GUARD,
    receipt::GUARD,
];

/// The guards of an environment, each with what it found.
pub(crate) struct Asked {
    /// Whose guards they are.
    pub(crate) environment: AppEnv,
    pub(crate) states: Vec<(&'static Guard, Result<()>)>,
    /// What would be applied, see [`crate::migrations::run::plan::hash`]; `None` where the database
    /// cannot be asked.
    plan_hash: Option<String>,
}

/// Shown by [`pass`] alone: every guard of this environment held a moment ago.
#[derive(Debug)]
pub(crate) struct Passed {
    environment: AppEnv,
    plan_hash: Option<String>,
}

impl Passed {
    pub(crate) fn environment(&self) -> AppEnv {
        self.environment
    }

    /// The plan that they held for.
    pub(crate) fn plan_hash(&self) -> Option<&str> {
        self.plan_hash.as_deref()
    }
}

/// Asks the guards of the environment that is meant. Writes nothing.
///
/// # Errors
/// Only when `APP_ENV` is no environment: what cannot be asked does not hold.
pub(crate) fn ask(cx: &Cx) -> Result<Asked> {
    Ok(Asked::of(&Scene::look(cx)?, |_| true))
}

/// Goes on only where every guard holds.
///
/// # Errors
/// Exit 3, with all that do not.
pub(crate) fn pass(cx: &Cx) -> Result<Passed> {
    ask(cx)?.pass()
}

/// Goes on only where every guard holds that can before a database is marked.
///
/// # Errors
/// Exit 3, with all that do not.
pub(crate) fn pass_to_mark(cx: &Cx) -> Result<()> {
    let asked = Asked::of(&Scene::look(cx)?, |guard| guard.marks);
    asked.pass().map(drop)
}

impl Asked {
    fn of(scene: &Scene, wanted: impl Fn(&Guard) -> bool) -> Self {
        let environment = scene.environment;
        let asked = GUARDS
            .iter()
            .filter(|guard| guard.on.contains(&environment) && wanted(guard));
        Self {
            environment,
            states: asked.map(|guard| (guard, (guard.check)(scene))).collect(),
            plan_hash: (scene.database.as_ref().ok()).map(|database| database.plan_hash.clone()),
        }
    }

    pub(crate) fn holds(&self) -> bool {
        self.states.iter().all(|(_, state)| state.is_ok())
    }

    /// # Errors
    /// Exit 3, with all that do not hold.
    pub(crate) fn pass(self) -> Result<Passed> {
        let mut open = Vec::new();
        for (guard, state) in &self.states {
            if let Err(error) = state {
                let help = exit::help_of(error).unwrap_or_default();
                open.push(format!("{}: {error:#}\n    {help}", guard.name));
            }
        }
        if open.is_empty() {
            return Ok(Passed {
                environment: self.environment,
                plan_hash: self.plan_hash,
            });
        }
        let (some, all) = (open.len(), self.states.len());
        let list = open.join("\n  - ");
        Err(Problem::precondition(format!(
            "`{}` is locked, {some} of {all} conditions do not hold:\n  - {list}",
            self.environment
        ))
        .help("cargo xtask migrate guard shows each condition")
        .into())
    }
}
