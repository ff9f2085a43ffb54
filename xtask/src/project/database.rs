//! The local database: marked, migrated, seeded. Nothing is written to one of another environment.

use anyhow::{Context as _, Result};
use marker::{Environment, Refusal};

use crate::cx::Cx;
use crate::database::{At, Link, Permit, Target, refusal, roles};
use crate::exit::Problem;
use crate::migrations::run::{self, Wish};
use crate::policy;
use crate::report::text;

pub(crate) const SEED: &str = "migrations/seed.sql";

/// Marks, migrates and seeds; says what it did.
pub(crate) async fn prepare(cx: &Cx, target: &Target) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    let permit = Permit::local(target)?;
    if let At::Sqlite { file } = &target.at
        && let Some(folder) = file.parent()
    {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("failed to create `{}`", folder.display()))?;
    }
    let roles = &cx.policy.roles;
    lines.push(Link::make(target, async |link| mark(target, roles, link).await).await?);

    let (applied, total) = run::run(cx, target, &permit, &Wish::default(), &mut |_| {}).await?;
    let engine = target.engine().name();
    let total = text::plural(total, "migration");
    lines.push(match applied {
        0 => format!("ok    local {engine} database: {total} applied"),
        new => format!("done  local {engine} database: applied {new} of {total}"),
    });

    if cx.root.join(SEED).is_file() {
        // A file of this repository, applied to a local database only.
        let sql = cx.read(SEED)?;
        Link::with(target, async |link| Ok(link.execute(&sql).await?))
            .await
            .with_context(|| format!("failed to apply `{SEED}`"))?;
        lines.push(format!("ok    seeded from `{SEED}`"));
    }
    Ok(lines)
}

/// A database that is new, or that an earlier run did not get to mark, is ours; any other must say
/// that it is.
async fn mark(target: &Target, roles: &policy::Roles, link: &mut Link) -> Result<String> {
    let environment = Environment::Dev;
    let damaged = || {
        Problem::precondition(format!("the local database `{target}` cannot be used"))
            .help("it is local: move the file away, then run `cargo xtask setup` again")
    };
    let found = link.marker().await.with_context(damaged)?;
    match found.check(environment) {
        Ok(()) => Ok(format!("ok    database marked `{environment}`")),
        Err(Refusal::Unmarked { .. }) if link.tables().await.with_context(damaged)? == 0 => {
            roles::keep(link, roles, async |link| link.mark(environment).await).await?;
            Ok(format!("done  database marked `{environment}`"))
        }
        Err(refused) => Err(refusal(target, &refused).into()),
    }
}
