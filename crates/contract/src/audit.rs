//! Who did what.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that was done. Never changed, never removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct AuditEvent {
    /// Its number.
    pub id: i64,
    /// When.
    #[schema(format = "date-time")]
    pub at: String,
    /// Who: an account's id, or a provider's name.
    pub actor: String,
    /// What: `order.placed`, `meal.changed` …
    pub action: String,
    /// To what: `order/7`, `meal/1`, `account/…`, `session/…`.
    pub subject: String,
    /// What was different afterwards, in words.
    pub detail: String,
    /// The request it was done in.
    pub request_id: String,
}
