//! What the payment service tells.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::post;

use crate::state::Api;

pub(crate) fn router(state: &Api) -> Router<Api> {
    let mut router = Router::new();
    router = router.route("/payments", post(receive));
    router = router.route_layer(from_fn_with_state(state.clone(), require_signature));
    router
}

/// Turns away what is not signed with the shared key.
pub(crate) async fn require_signature(
    State(api): State<Api>,
    request: Request,
    next: Next,
) -> Result<Response, StatusCode> {
    let signature = request.headers().get("x-signature");
    if signature.is_none_or(|signature| signature != api.payments_key.as_str()) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    Ok(next.run(request).await)
}

async fn receive(body: Bytes) -> StatusCode {
    if body.is_empty() {
        StatusCode::BAD_REQUEST
    } else {
        StatusCode::NO_CONTENT
    }
}
