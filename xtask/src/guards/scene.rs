//! What the guards look at, read once.

use anyhow::Result;
use marker::Environment;

use crate::cx::Cx;
use crate::database::{AppEnv, Link, Target};
use crate::environment;
use crate::migrations::run::{self, Folder};
use crate::repo;

/// Environment, work tree and database at one moment.
pub(super) struct Scene {
    /// Whose guards are asked: production's, wherever one sign points there.
    pub(super) environment: AppEnv,
    /// `APP_ENV`.
    pub(super) app_env: AppEnv,
    pub(super) database: Result<Database>,
    pub(super) head: Result<repo::Head>,
    pub(super) tags: Result<Vec<String>>,
    pub(super) root: std::path::PathBuf,
    pub(super) receipt_max_age_h: u32,
}

/// The database that is meant.
pub(super) struct Database {
    pub(super) target: Target,
    pub(super) marker: marker::Found,
    pub(super) folder: Folder,
    /// Versions that would be applied.
    pub(super) pending: Vec<i64>,
    pub(super) plan_hash: String,
}

impl Scene {
    /// Looks, in a session that can only read.
    pub(super) fn look(cx: &Cx) -> Result<Self> {
        let app_env = AppEnv::read()?;
        let database = database(cx);
        Ok(Self {
            environment: meant(app_env, database.as_ref().ok()),
            app_env,
            database,
            head: repo::head(&cx.root),
            tags: repo::tags_at_head(&cx.root),
            root: cx.root.clone(),
            receipt_max_age_h: cx.policy.deploy.receipt_max_age_h,
        })
    }
}

/// Production is meant where anything says so: the settings of a deployment may be wrong one by
/// one, and the database may be another than the settings say.
fn meant(app_env: AppEnv, database: Option<&Database>) -> AppEnv {
    let says = |name: &str, value: &str| environment::var(name).is_some_and(|word| word == value);
    let marked = database.and_then(|database| database.marker.marker.as_ref());
    let is_prod = marked.is_some_and(|marker| marker.environment == Environment::Prod.as_str());
    if is_prod || says("DEPLOY_ENV", "production") || says("CONFIRM_PROD_MIGRATE", "YES") {
        AppEnv::Production
    } else {
        app_env
    }
}

fn database(cx: &Cx) -> Result<Database> {
    let target = Target::read(cx)?;
    let folder = Folder::read(&cx.root, target.engine())?;
    let (marker, found) = cx.block_on(Link::look(&target, async |link| {
        Ok((link.marker().await?, run::Found::read(link).await?))
    }))?;
    let pending = found.pending(&folder);
    let plan_hash = run::plan::hash(&folder, &found);
    Ok(Database {
        target,
        marker,
        folder,
        pending,
        plan_hash,
    })
}
