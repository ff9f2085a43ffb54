//! Who did what.

use askama::Template;
use axum::extract::Query;
use axum::response::{IntoResponse, Response, Result};
use bff::{Api, Session};
use contract::{AuditEvent, PageQuery};
use serde::Deserialize;

/// What the address of the page says.
#[derive(Deserialize)]
pub(crate) struct Asked {
    cursor: Option<String>,
}

#[derive(Template)]
#[template(path = "audit.html")]
struct Audit {
    events: Vec<AuditEvent>,
    next: Option<String>,
}

/// Lists it, the newest first.
pub(crate) async fn list(
    session: Session,
    api: Api,
    Query(asked): Query<Asked>,
) -> Result<Response> {
    let page = PageQuery {
        cursor: asked.cursor,
        limit: Some(50),
    };
    let audit = api.audit(&page).await?;
    let body = Audit {
        events: audit.items,
        next: audit.next_cursor,
    };
    Ok(session.page("Audit", body).into_response())
}
