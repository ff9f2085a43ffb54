//! What the handlers share.

use axum::extract::FromRef;
use web::auth::Keys;

#[derive(Clone, Default)]
pub(crate) struct Api {
    pub(crate) keys: Keys,
    pub(crate) payments_key: String,
}

impl FromRef<Api> for Keys {
    fn from_ref(api: &Api) -> Self {
        api.keys.clone()
    }
}
