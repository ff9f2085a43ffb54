//! Every setting that the apps demand is set. Its value is read by nobody here.

use anyhow::Result;

use super::Check;
use crate::cx::Cx;
use crate::database::{AppEnv, receipt};
use crate::environment;
use crate::exit::Problem;
use crate::gates::env;
use crate::project::setup;
use crate::report::text;

pub(super) const CHECK: Check = Check { name: "env", run };

fn run(cx: &Cx) -> Result<String> {
    let app_env = AppEnv::read()?;
    // The gate `env` holds this file against the apps, so none need be built to ask them.
    let required = env::required(&cx.read(env::FILE)?);
    let unset: Vec<String> = if app_env.is_shared() {
        let is_unset = |(name, _): &&(String, bool)| environment::var(name).is_none();
        names(required.iter().filter(is_unset))
    } else {
        let file = setup::read_env(&cx.root)?;
        let is_unset = |(name, has_default): &&(String, bool)| {
            environment::var(name).is_none() && !file.contains_key(name) && !has_default
        };
        names(required.iter().filter(is_unset))
    };
    if !unset.is_empty() {
        return Err(Problem::precondition(format!(
            "not set, and demanded by the apps in `{app_env}`: {}",
            unset.join(", ")
        ))
        .help("docs/settings.md says what each is for")
        .into());
    }
    if app_env == AppEnv::Staging {
        // Better now than after the migration, when the receipt is written.
        receipt::private_key()?;
    }
    Ok(format!("{} set", text::plural(required.len(), "setting")))
}

fn names<'a>(settings: impl Iterator<Item = &'a (String, bool)>) -> Vec<String> {
    settings.map(|(name, _)| name.clone()).collect()
}
