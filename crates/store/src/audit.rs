//! Who did what: one event for each change, never changed itself.

use crate::pool::run;
use crate::{PageOf, Store, StoreError};

/// On whose behalf, and in which request, something is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By<'a> {
    /// The account's id, or the provider's name.
    pub actor: &'a str,
    /// The request's id.
    pub request_id: &'a str,
}

/// One thing that was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEvent {
    /// Its number.
    pub id: i64,
    /// When.
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

type Row = (i64, String, String, String, String, String, String);

impl From<Row> for AuditEvent {
    fn from((id, at, actor, action, subject, detail, request_id): Row) -> AuditEvent {
        AuditEvent {
            id,
            at,
            actor,
            action,
            subject,
            detail,
            request_id,
        }
    }
}

impl Store {
    /// What was done, newest first.
    pub async fn audit(&self, page: PageOf) -> Result<Vec<AuditEvent>, StoreError> {
        let rows: Vec<Row> = run!(self, fetch_all, AUDIT, (page.below(), page.limit()))?;
        Ok(rows.into_iter().map(AuditEvent::from).collect())
    }
}
