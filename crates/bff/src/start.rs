//! The start that all surfaces with pages have in common.

use guard::{App, SharedRates};
use serve::{Check, Health, Outcome, StartupError};
use settings::{Common, Surface};

/// Serves a surface with pages until told to stop.
///
/// `api` is no part of their health: while it is away they still answer, and say so. Were they
/// unready whenever it is, one fault would take all surfaces out of the load balancer at once.
pub async fn start(
    surface: Surface,
    common: &Common,
    app: impl FnOnce(Option<SharedRates>, &Health) -> App,
) -> Result<Outcome, StartupError> {
    telemetry::init(common, surface)?;
    let rates = common
        .redis_url
        .as_ref()
        .map(|url| SharedRates::new(surface.as_str(), url))
        .transpose()
        .map_err(|error| StartupError::new(error).help("check `REDIS_URL`"))?;
    let redis = rates.clone().map(|rates| {
        Check::optional("redis", move || {
            let rates = rates.clone();
            async move { rates.ping().await }
        })
    });
    let health = Health::new(&common.release_sha, redis.into_iter().collect());
    Ok(serve::run(app(rates, &health), common, health).await?)
}
