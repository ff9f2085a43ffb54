//! Who did what.

use axum::Json;
use axum::extract::State;
use contract::{AuditEvent, Page, PageQuery};

use crate::error::ApiError;
use crate::pages::Window;
use crate::state::Api;
use crate::valid::ValidQuery;

/// Lists what was done.
#[utoipa::path(
    get,
    path = "/v1/audit",
    params(PageQuery),
    responses((status = 200, description = "a page of events, newest first", body = Page<AuditEvent>)),
)]
pub(crate) async fn list(
    State(api): State<Api>,
    ValidQuery(query): ValidQuery<PageQuery>,
) -> Result<Json<Page<AuditEvent>>, ApiError> {
    let window = Window::new(&query);
    let events = api.store.audit(window.rows()).await?;
    Ok(Json(window.page(events, to_contract, |event| event.id)))
}

fn to_contract(event: store::AuditEvent) -> AuditEvent {
    AuditEvent {
        id: event.id,
        at: event.at,
        actor: event.actor,
        action: event.action,
        subject: event.subject,
        detail: event.detail,
        request_id: event.request_id,
    }
}
